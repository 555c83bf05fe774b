type Json = Readonly<Record<string, unknown>>;

/** What is said of a route beyond its method and address. */
export interface RouteText {
  readonly tag: 'agents' | 'operators' | 'health' | 'runtime' | 'console';
  readonly says: string;
  /** Answers without a token. */
  readonly open?: true;
  /** Names of what may stand in the query, each with its kind: `limit:integer`, `order:asc|desc`. */
  readonly query?: readonly string[];
  readonly body?: Json;
  readonly answer?: Json;
  /** Media type of the answer, when it is no JSON. */
  readonly produces?: string;
  /** Statuses of its refusals, beside 401. */
  readonly refusals?: readonly number[];
}

const object = (properties: Json, required: readonly string[] = []): Json => ({ type: 'object', properties, required });
const STRING: Json = { type: 'string' };
const READ = [400, 503] as const;
const ONE = [400, 404, 503] as const;

/** MCP is served with and without the slash, since clients write both. */
const MCP: Readonly<Record<string, RouteText>> = Object.fromEntries(
  ['/mcp', '/mcp/'].flatMap((url): [string, RouteText][] => [
    [
      `POST ${url}`,
      {
        tag: 'agents',
        says: 'The Model Context Protocol over streamable HTTP, of 2025 with sessions and of 2026-07-28 without.',
        body: { type: 'object' },
        refusals: [400, 404, 413, 429, 503],
      },
    ],
    [`GET ${url}`, { tag: 'agents', says: 'The stream of an MCP session of 2025.', refusals: [400, 404, 503] }],
    [`DELETE ${url}`, { tag: 'agents', says: 'Ends an MCP session of 2025.', refusals: [400, 404, 503] }],
  ]),
);

/** Every route of the server. Whoever adds a route describes it here; the server does not start before. */
export const ROUTES: Readonly<Record<string, RouteText>> = {
  'POST /v1/tools/call': {
    tag: 'agents',
    says: 'Calls a tool. Whatever agents and operators do, they do by tools.',
    body: { $ref: '#/components/schemas/ToolCall' },
    answer: { $ref: '#/components/schemas/ToolAnswer' },
    refusals: [400, 413, 429, 503],
  },
  'GET /v1/tools': {
    tag: 'agents',
    says: 'The tools, in the form that function calling takes.',
    query: ['mode:minimal|default|lite|full'],
    refusals: [400],
  },
  ...MCP,
  'GET /api/events': {
    tag: 'agents',
    says: 'What happened to agents after a cursor, the oldest first; without one the newest.',
    query: ['since:integer', 'limit:integer', 'agent_id', 'type'],
    refusals: [...READ],
  },
  'GET /ws/eisv': {
    tag: 'agents',
    says: 'The live feed, as a WebSocket. A browser sends its token as the subprotocol bearer.<token>.',
    query: ['since:integer', 'agent_id'],
    refusals: [400, 426, 503],
  },
  'GET /v1/calibration/diagram.svg': {
    tag: 'agents',
    says: 'The reliability diagram of the fleet, or of one agent.',
    query: ['agent_id'],
    produces: 'image/svg+xml',
    refusals: [...ONE],
  },
  'POST /v1/harness/outcome': {
    tag: 'operators',
    says: "Records what an operator's program saw of an agent's work, such as a CI run.",
    body: object({ agent_uuid: STRING, outcome_type: STRING, detail: { type: 'object' } }, [
      'agent_uuid',
      'outcome_type',
    ]),
    refusals: [400, 403, 404, 409, 503],
  },
  'GET /api/session': {
    tag: 'operators',
    says: 'Who is signed in, and to what.',
    refusals: [401, 503],
  },
  'GET /api/now': { tag: 'operators', says: 'What needs a person, and the fleet at a glance.', refusals: [...READ] },
  'GET /api/agents': {
    tag: 'operators',
    says: 'Agents: filtered, searched, sorted, in pages; from memory.',
    query: [
      'search',
      'status:present|active|paused|waiting_input|archived|disabled|deleted|stuck|all',
      'verdict:proceed|guide|pause|reject',
      'tag',
      'sort:activity|name|status|risk|check_ins|created',
      'order:asc|desc',
      'offset:integer',
      'limit:integer',
    ],
    refusals: [...READ],
  },
  'GET /api/agents/:id': { tag: 'operators', says: 'One agent, by its id or exactly its name.', refusals: [...ONE] },
  'GET /api/agents/:id/states': {
    tag: 'operators',
    says: 'Its newest check-ins, the oldest first.',
    query: ['limit:integer'],
    refusals: [...ONE],
  },
  'GET /api/agents/:id/claims': {
    tag: 'operators',
    says: 'Its outcomes beside what it claimed, the newest first.',
    query: ['limit:integer'],
    refusals: [...ONE],
  },
  'GET /api/agents/:id/trail': {
    tag: 'operators',
    says: 'Its hash-chained audit trail, the newest first.',
    query: ['before:integer', 'limit:integer'],
    refusals: [...ONE],
  },
  'GET /api/reviews': {
    tag: 'operators',
    says: 'Reviews, the newest first.',
    query: ['status:open|waiting|resolved|failed|all', 'agent', 'offset:integer', 'limit:integer'],
    refusals: [...ONE],
  },
  'GET /api/reviews/:id': {
    tag: 'operators',
    says: 'One review: its transcript, the merge of the proposals, its sagas.',
    refusals: [...ONE],
  },
  'GET /api/channel': {
    tag: 'operators',
    says: 'Failures and measurements of a time, by type and endpoint.',
    query: ['since', 'until'],
    refusals: [...READ],
  },
  'GET /api/calibration': {
    tag: 'operators',
    says: 'Whether claims and results agree, for the fleet or one agent.',
    query: ['agent', 'since'],
    refusals: [...ONE],
  },
  'GET /api/flags': { tag: 'operators', says: 'Every flag and the newest changes.', refusals: [...READ] },
  'GET /api/operators': { tag: 'operators', says: 'Operator credentials, without their secrets.', refusals: [...READ] },
  'GET /api/system': {
    tag: 'operators',
    says: 'What the server is made of, and how each part does.',
    refusals: [...READ],
  },
  'POST /v1/feature_flag/get': {
    tag: 'runtime',
    says: 'A flag, from memory.',
    body: object({ name: STRING }, ['name']),
    refusals: [...READ],
  },
  'POST /v1/baseline/get': {
    tag: 'runtime',
    says: 'The drift baseline of an agent, from memory.',
    body: object({ agent_id: STRING }, ['agent_id']),
    refusals: [...READ],
  },
  'POST /v1/dialectic/compute': {
    tag: 'runtime',
    says: 'A pure computation of a review, for another Breakwater.',
    body: object({ mode: STRING, session_id: STRING, round: { type: 'integer' }, input: { type: 'object' } }, [
      'mode',
      'session_id',
      'round',
      'input',
    ]),
    refusals: [400, 503],
  },
  'GET /health': { tag: 'health', says: 'How the server does, for people.', open: true, refusals: [503] },
  'GET /health/live': { tag: 'health', says: 'The process answers.', open: true },
  'GET /health/ready': { tag: 'health', says: 'Every part is warm, or which is not.', open: true, refusals: [503] },
  'GET /metrics': { tag: 'health', says: 'Series for Prometheus.', produces: 'text/plain' },
  'GET /': { tag: 'health', says: 'The endpoints; browsers are led to the console.', open: true },
  'GET /openapi.json': { tag: 'health', says: 'This document.', open: true },
  'GET /dashboard': { tag: 'console', says: 'The console.', open: true, produces: 'text/html' },
  'GET /dashboard/*': { tag: 'console', says: 'Pages and files of the console.', open: true, produces: 'text/html' },
};
