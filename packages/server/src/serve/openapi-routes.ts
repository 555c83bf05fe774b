import { externalOutcome, report } from '@breakwater/contract';
import { z } from 'zod';
import { computeRequest } from '../dialectic/index.ts';
import { wireSchema } from '../dispatch/index.ts';
import { ref } from './openapi-views.ts';

type Json = Readonly<Record<string, unknown>>;

/** What is said of a route beyond its method and address. */
export interface RouteText {
  readonly tag: 'agents' | 'operators' | 'health' | 'runtime' | 'console';
  readonly says: string;
  /** `open` answers without a token, `operator` only operators; else a token is asked for when the server has any. */
  readonly access?: 'open' | 'operator';
  /** Answers whatever Host and Origin say, and also while the server stops. */
  readonly always?: true;
  /** Names of what may stand in the query, each with its kind: `limit:integer`, `order:asc|desc`. */
  readonly query?: readonly string[];
  /** A function, because it is made when somebody reads the document. */
  readonly body?: Json | (() => Json);
  readonly answer?: Json;
  /** Media type of the answer, instead of JSON, or beside it when `answer` is given too. */
  readonly produces?: string;
  /** Statuses of what is no refusal, when it is not 200 alone, each with what it says. */
  readonly succeeds?: Readonly<Record<number, string>>;
  /** Statuses of its refusals beside those that every route has. */
  readonly refusals?: readonly number[];
  /** What a refusal of its own looks like; default: `Error`. */
  readonly refused?: Json;
  /** What its 503 looks like; default: `Unavailable`. */
  readonly unavailable?: Json;
}

const object = (properties: Json, required: readonly string[] = Object.keys(properties)): Json => ({
  type: 'object',
  required,
  properties,
});
const STRING: Json = { type: 'string' };
const WHOLE: Json = { type: 'integer' };
const OBJECT: Json = { type: 'object' };
const listOf = (items: Json): Json => ({ type: 'array', items });
const PARTS: Json = { type: 'object', additionalProperties: { type: 'boolean' } };
const WARMING: Json = {
  ...object({ status: { enum: ['warming_up', 'degraded'] }, parts: PARTS }),
  properties: {
    status: { enum: ['warming_up', 'degraded'] },
    parts: PARTS,
    not_ready: listOf(STRING),
    why: { type: 'object', additionalProperties: STRING },
    writes: { enum: ['disk_full', 'disk_failing', 'read_only'] },
  },
};
/** What a live table has under a key, or that it has nothing. */
const reading = (key: string): Json => object({ [key]: STRING, ok: { type: 'boolean' } });

/** MCP is served with and without the slash, since clients write both. */
const MCP: Readonly<Record<string, RouteText>> = Object.fromEntries(
  ['/mcp', '/mcp/'].flatMap((url): [string, RouteText][] => [
    [
      `POST ${url}`,
      {
        tag: 'agents',
        says: 'The Model Context Protocol over streamable HTTP, of 2025 with sessions and of 2026-07-28 without.',
        body: OBJECT,
        answer: OBJECT,
        produces: 'text/event-stream',
        succeeds: { 200: 'The answer, as JSON or as an event, as Accept asks.', 202: 'A notification was taken.' },
        refusals: [404, 406, 415],
        refused: ref('RpcError'),
      },
    ],
    [
      `GET ${url}`,
      {
        tag: 'agents',
        says: 'Is refused: an answer here is one message, and there is no stream to open.',
        succeeds: {},
        refusals: [405],
        refused: ref('RpcError'),
      },
    ],
    [
      `DELETE ${url}`,
      {
        tag: 'agents',
        says: 'Ends an MCP session of 2025.',
        succeeds: { 200: 'It is ended.' },
        refusals: [400, 404],
        refused: ref('RpcError'),
      },
    ],
  ]),
);

/** Every route of the server. Whoever adds a route describes it here; the server does not start before. */
export const ROUTES: Readonly<Record<string, RouteText>> = {
  'POST /v1/tools/call': {
    tag: 'agents',
    says: 'Calls a tool. Whatever agents and operators do, they do by tools.',
    body: ref('ToolCall'),
    answer: ref('ToolAnswer'),
  },
  'GET /v1/tools': {
    tag: 'agents',
    says: 'The tools, in the form that function calling takes.',
    query: ['mode:minimal|default|lite|full'],
    answer: object({ tools: listOf(OBJECT), count: WHOLE, mode: STRING, total_available: WHOLE, note: STRING }),
    refusals: [400],
  },
  ...MCP,
  'GET /api/events': {
    tag: 'agents',
    says: 'What happened to agents after a cursor, the oldest first; without one the newest. Types with commas between.',
    query: ['since:integer', 'limit:integer', 'agent_id', 'type'],
    answer: object({
      success: { const: true },
      events: listOf(OBJECT),
      count: WHOLE,
      cursor: WHOLE,
      has_more: { type: 'boolean' },
      gap: { type: ['object', 'null'] },
    }),
    refusals: [400],
  },
  'GET /ws/eisv': {
    tag: 'agents',
    says: 'The live feed, as a WebSocket. A browser sends its token as the subprotocol bearer.<token>.',
    query: ['since:integer', 'agent_id'],
    succeeds: { 101: 'The feed begins; each message is a JSON object.' },
    refusals: [400, 426],
  },
  'GET /v1/calibration/diagram.svg': {
    tag: 'agents',
    says: 'The reliability diagram of the fleet, or of one agent.',
    query: ['agent_id'],
    produces: 'image/svg+xml',
    refusals: [400, 404],
  },
  'POST /v1/harness/outcome': {
    tag: 'operators',
    access: 'operator',
    says: "Records what an operator's program saw of an agent's work, such as a CI run.",
    body: () => wireSchema(externalOutcome),
    answer: object({ success: { const: true } }),
    refusals: [404, 409],
  },
  'POST /api/findings': {
    tag: 'agents',
    says: 'A program reports a finding; equal ones within a day are one.',
    body: () => wireSchema(report.input),
    answer: object({ success: { const: true }, deduped: { type: 'boolean' }, event: OBJECT }),
    refusals: [409],
  },
  'GET /api/findings': {
    tag: 'agents',
    says: 'Reported findings, the newest first.',
    query: ['since', 'until', 'severity:info|low|medium|warning|high|critical', 'limit:integer'],
    answer: object({ success: { const: true }, count: WHOLE, findings: listOf(OBJECT) }),
    refusals: [400],
  },
  'POST /v1/metrics': {
    tag: 'agents',
    says: 'A program reports a value of a metric; a second one of the same instant replaces it.',
    body: object({ name: STRING, value: { type: 'number' }, ts: STRING }, ['name', 'value']),
    answer: object({ success: { const: true }, name: STRING, value: { type: 'number' }, ts: STRING }),
    succeeds: { 201: 'It is stored.' },
    refusals: [409],
  },
  'GET /v1/metrics/series': {
    tag: 'agents',
    says: 'The newest values of a metric, the oldest of them first.',
    query: ['name', 'since', 'until', 'limit:integer'],
    answer: object({ success: { const: true }, name: STRING, count: WHOLE, points: listOf(OBJECT) }),
    refusals: [400],
  },
  'GET /v1/metrics/catalog': {
    tag: 'agents',
    says: 'Names of the reported metrics.',
    answer: object({ success: { const: true }, metrics: listOf(OBJECT) }),
    refusals: [400],
  },
  'POST /v1/substrate/observe': {
    tag: 'agents',
    says: 'A host reports that a session was at work without an identity.',
    body: object({ slot_key: STRING, event: STRING }, ['slot_key']),
    answer: object({ success: { const: true }, observation_id: STRING }),
    succeeds: { 201: 'It is stored.' },
    refusals: [409],
  },
  'POST /v1/runtime/observe': {
    tag: 'agents',
    says: 'A host reports what it saw of an agent, which proves itself in the call.',
    body: object({ agent_uuid: STRING, client_session_id: STRING, event: STRING }, ['client_session_id']),
    answer: object({ success: { const: true }, observation_id: STRING }),
    succeeds: { 201: 'It is stored.' },
    refusals: [409],
  },
  'GET /v1/residents': {
    tag: 'agents',
    says: 'The names that are kept for residents, and the agents that are tagged as such.',
    answer: object({ success: { const: true }, configured: listOf(STRING), residents: listOf(OBJECT), source: STRING }),
    refusals: [400],
  },
  'GET /v1/residents/tag_audit': {
    tag: 'agents',
    says: 'Residents that lack one of their tags.',
    answer: object({ success: { const: true }, ok: { type: 'boolean' }, checked: WHOLE, drifted: listOf(OBJECT) }),
    refusals: [400],
  },
  'GET /api/session': {
    tag: 'operators',
    says: 'Who is signed in, and to what; answers those who are not, as well.',
    answer: ref('SessionView'),
    refusals: [401],
  },
  'GET /api/now': {
    tag: 'operators',
    access: 'operator',
    says: 'What needs a person, and the fleet at a glance.',
    answer: ref('NowView'),
    refusals: [400],
  },
  'GET /api/agents': {
    tag: 'operators',
    access: 'operator',
    says: 'Agents: filtered, searched, sorted, in pages; from memory.',
    query: [
      'search',
      'status:present|active|paused|waiting_input|archived|disabled|deleted|stuck|all',
      'verdict:proceed|guide|pause|reject',
      'tag',
      'sort:activity|name|status|risk|check_ins|created|pass_rate|gap|coverage|evidence',
      'order:asc|desc',
      'offset:integer',
      'limit:integer',
    ],
    answer: ref('AgentsPage'),
    refusals: [400],
  },
  'GET /api/agents/:id': {
    tag: 'operators',
    access: 'operator',
    says: 'One agent, by its id or exactly its name.',
    answer: ref('AgentView'),
    refusals: [400, 404],
  },
  'GET /api/agents/:id/states': {
    tag: 'operators',
    access: 'operator',
    says: 'Its newest check-ins, the oldest first.',
    query: ['limit:integer'],
    answer: ref('StatesView'),
    refusals: [400, 404],
  },
  'GET /api/agents/:id/claims': {
    tag: 'operators',
    access: 'operator',
    says: 'Its outcomes beside what it claimed, the newest first.',
    query: ['limit:integer'],
    answer: ref('ClaimsView'),
    refusals: [400, 404],
  },
  'GET /api/agents/:id/trail': {
    tag: 'operators',
    access: 'operator',
    says: 'Its hash-chained audit trail, the newest first.',
    query: ['before:integer', 'limit:integer'],
    answer: ref('TrailView'),
    refusals: [400, 404],
  },
  'GET /api/reviews': {
    tag: 'operators',
    access: 'operator',
    says: 'Reviews, the newest first.',
    query: ['status:open|waiting|resolved|failed|all', 'agent', 'offset:integer', 'limit:integer'],
    answer: ref('ReviewsPage'),
    refusals: [400, 404],
  },
  'GET /api/reviews/:id': {
    tag: 'operators',
    access: 'operator',
    says: 'One review: its transcript, the merge of the proposals, its sagas.',
    answer: ref('ReviewView'),
    refusals: [400, 404],
  },
  'GET /api/channel': {
    tag: 'operators',
    access: 'operator',
    says: 'Failures and measurements of a time, by type and endpoint.',
    query: ['since', 'until'],
    answer: ref('ChannelView'),
    refusals: [400],
  },
  'GET /api/calibration': {
    tag: 'operators',
    access: 'operator',
    says: 'Whether claims and results agree, for the fleet or one agent.',
    query: ['agent', 'since'],
    answer: OBJECT,
    refusals: [400, 404],
  },
  'GET /api/flags': {
    tag: 'operators',
    access: 'operator',
    says: 'Every flag and the newest changes.',
    answer: ref('FlagsView'),
    refusals: [400],
  },
  'GET /api/operators': {
    tag: 'operators',
    access: 'operator',
    says: 'Operator credentials, without their secrets.',
    answer: ref('OperatorsView'),
    refusals: [400],
  },
  'GET /api/system': {
    tag: 'operators',
    access: 'operator',
    says: 'What the server is made of, and how each part does.',
    answer: ref('SystemView'),
    refusals: [400],
  },
  'POST /v1/feature_flag/get': {
    tag: 'runtime',
    says: 'A flag, from memory.',
    body: object({ name: STRING }),
    answer: reading('name'),
  },
  'POST /v1/baseline/get': {
    tag: 'runtime',
    says: 'The drift baseline of an agent, from memory.',
    body: object({ agent_id: STRING }),
    answer: reading('agent_id'),
  },
  'POST /v1/dialectic/compute': {
    tag: 'runtime',
    says: 'A pure computation of a review, for another Breakwater.',
    body: () => z.toJSONSchema(computeRequest, { io: 'input' }),
    answer: object({ ok: { const: true } }),
    refusals: [504],
  },
  'GET /health': {
    tag: 'health',
    says: 'How the server does, for people.',
    access: 'open',
    answer: object({ status: { const: 'ok' }, version: STRING, parts: PARTS }),
    unavailable: WARMING,
  },
  'GET /health/live': {
    tag: 'health',
    says: 'The process answers.',
    access: 'open',
    always: true,
    answer: object({ status: { const: 'alive' } }),
  },
  'GET /health/ready': {
    tag: 'health',
    says: 'Every part is warm, or which is not.',
    access: 'open',
    answer: object({ status: { const: 'ready' }, parts: PARTS }),
    unavailable: WARMING,
  },
  'GET /health/deep': {
    tag: 'health',
    says: 'How the server does, with every part; the same as the tool health_check.',
    answer: object({ success: { const: true } }),
    refusals: [400],
  },
  'GET /metrics': { tag: 'health', says: 'Series for Prometheus.', produces: 'text/plain' },
  'GET /': {
    tag: 'health',
    says: 'The endpoints; browsers are led to the console.',
    access: 'open',
    answer: object({ name: STRING, version: STRING, endpoints: OBJECT }),
    succeeds: { 200: 'The endpoints.', 302: 'To the console, for who accepts text/html.' },
  },
  'GET /openapi.json': { tag: 'health', says: 'This document.', access: 'open', answer: OBJECT },
  ...Object.fromEntries(
    ['/dashboard', '/dashboard/*'].map((url): [string, RouteText] => [
      `GET ${url}`,
      {
        tag: 'console',
        says: 'The console: its page, and below assets/ its files.',
        access: 'open',
        produces: 'text/html',
        succeeds: { 200: 'The page, or a file of another media type.', 304: 'The browser has it already.' },
        refusals: [404],
        refused: STRING,
      },
    ]),
  ),
};
