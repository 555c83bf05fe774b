import { z } from 'zod';
import { FEED_EVENTS } from '../feed.ts';
import { routeSpec } from '../route-spec.ts';
import { externalOutcome } from '../tools/external-outcome.ts';
import { notices, report } from '../tools/fleet.ts';
import { noticeAnswers, reportAnswers } from '../tools/notice-answer.ts';
import { externalOutcomeAnswer } from '../tools/outcome-answer.ts';
import { isoTime } from '../tools/common.ts';
import { oneOf } from './query.ts';

const MOST_EVENTS = 500;
const MAX_AGENT = 100;
const MAX_NAME = 512;

const count = z.int().nonnegative();
const open = z.record(z.string(), z.unknown());
/** A success as every tool marks it, with the time of the server. */
const succeeded = { success: z.literal(true), server_time: z.string().optional() };

const cursor = z
  .string({ error: 'must be sent once' })
  .regex(/^\d{1,16}$/, 'must be the cursor of an earlier answer, a whole number')
  .transform(Number)
  .refine(Number.isSafeInteger, { message: 'must be the cursor of an earlier answer, a whole number' })
  .optional()
  .meta({ wire: { type: 'integer', description: 'Only what came after the cursor of an earlier answer' } });
const watched = z
  .string({ error: 'must be sent once' })
  .min(1, `must have 1 to ${MAX_AGENT} characters`)
  .max(MAX_AGENT, `must have 1 to ${MAX_AGENT} characters`)
  .toLowerCase()
  .optional();
const isType = (word: string): word is (typeof FEED_EVENTS)[number] =>
  (FEED_EVENTS as readonly string[]).includes(word);

const limitText = `must be a whole number from 1 to ${MOST_EVENTS}`;
const eventsQuery = z
  .strictObject({
    limit: z
      .string({ error: 'must be sent once' })
      .regex(/^\d{1,15}$/, limitText)
      .transform(Number)
      .pipe(z.number().min(1, limitText).max(MOST_EVENTS, limitText))
      .default(100)
      .meta({ wire: { type: 'integer', minimum: 1, maximum: MOST_EVENTS, default: 100 } }),
    agent_id: watched,
    type: z
      .string({ error: 'must be sent once' })
      .transform((words) => words.split(','))
      .refine((words) => words.every(isType), {
        message: `must be types of events with commas between: ${FEED_EVENTS.join(', ')}`,
      })
      .transform((words): ReadonlySet<(typeof FEED_EVENTS)[number]> => new Set(words.filter(isType)))
      .optional()
      .meta({ wire: { type: 'string', description: 'Types of events with commas between' } }),
    since: cursor,
  })
  .meta({
    safeOptions: {
      limit: `1 to ${MOST_EVENTS}`,
      agent_id: 'an agent id, or the redacted one that the feed shows',
      type: FEED_EVENTS,
      since: 'the cursor of an earlier answer',
    },
  });
const watchQuery = z.strictObject({ agent_id: watched, since: cursor }).meta({
  safeOptions: {
    agent_id: 'an agent id, or the redacted one that the feed shows',
    since: 'the cursor of an earlier answer',
  },
});

/** MCP is served with and without the slash, since clients write both. */
const mcp = <const P extends string>(path: P) =>
  ({
    post: routeSpec({
      method: 'POST',
      path,
      tag: 'agents',
      auth: 'token',
      summary: 'The Model Context Protocol over streamable HTTP, of 2025 with sessions and of 2026-07-28 without.',
      body: open,
      handsOn: true,
      // Several messages of 2025 may come in one request, and are answered in one.
      answer: z.union([open, z.array(open)]),
      produces: 'text/event-stream',
      succeeds: { 200: 'The answer, as JSON or as an event, as Accept asks.', 202: 'A notification was taken.' },
      errors: [404, 406, 429],
      refused: 'rpc',
      whileNotReady: true,
    }),
    get: routeSpec({
      method: 'GET',
      path,
      tag: 'agents',
      auth: 'token',
      summary: 'Is refused: an answer here is one message, and there is no stream to open.',
      succeeds: {},
      errors: [405],
      refused: 'rpc',
      whileNotReady: true,
    }),
    end: routeSpec({
      method: 'DELETE',
      path,
      tag: 'agents',
      auth: 'token',
      summary: 'Ends an MCP session of 2025.',
      succeeds: { 200: 'It is ended.' },
      errors: [404],
      refused: 'rpc',
    }),
  }) as const;

// The chain of the tool reads what they are sent, and answers while the server starts.
const reports = { method: 'POST', tag: 'agents', auth: 'token', handsOn: true, whileNotReady: true } as const;
const reads = { ...reports, method: 'GET', errors: [429] } as const;
const reportErrors = { errors: [409, 429] } as const;
const stored = { succeeds: { 201: 'It is stored.' } } as const;
const { since, until, severity, limit, name } = notices.input.shape;

/** What agents, and the programs around them, call. */
export const agentRoutes = {
  call: routeSpec({
    method: 'POST',
    path: '/v1/tools/call',
    tag: 'agents',
    auth: 'token',
    summary: 'Calls a tool. Whatever agents and operators do, they do by tools.',
    body: 'ToolCall',
    handsOn: true,
    answer: z
      .object({ name: z.string(), success: z.boolean(), result: open })
      .partial({ result: true })
      .meta({
        id: 'ToolAnswer',
        description:
          'A tool that refused is a call that worked, also with RATE_LIMIT_EXCEEDED: `result.success` is false, and `result` ' +
          'has what Error has.',
      }),
    errors: [],
    whileNotReady: true,
  }),
  tools: routeSpec({
    method: 'GET',
    path: '/v1/tools',
    tag: 'agents',
    auth: 'token',
    summary: 'The tools, in the form that function calling takes.',
    query: z.object({ mode: oneOf(['minimal', 'default', 'lite', 'full']).default('default') }),
    answer: z.object({
      tools: z.array(open),
      count,
      mode: z.string(),
      total_available: count,
      note: z.string(),
    }),
    errors: [],
    whileNotReady: true,
  }),
  mcp: mcp('/mcp'),
  mcpWithSlash: mcp('/mcp/'),
  events: routeSpec({
    method: 'GET',
    path: '/api/events',
    tag: 'agents',
    auth: 'token',
    summary: 'What happened to agents after a cursor, the oldest first; without one the newest.',
    query: eventsQuery,
    answer: z.object({
      success: z.literal(true),
      events: z.array(open),
      count,
      cursor: count,
      has_more: z.boolean(),
      gap: z.object({ reason: z.string(), until: isoTime, hint: z.string() }).nullable(),
      restarted: z.boolean().optional().describe('The cursor is of before the server started'),
      note: z.string().optional(),
    }),
    errors: [429],
  }),
  watch: routeSpec({
    method: 'GET',
    path: '/ws/eisv',
    tag: 'agents',
    auth: 'token',
    summary: 'The live feed, as a WebSocket. A browser sends its token as the subprotocol bearer.<token>.',
    query: watchQuery,
    succeeds: { 101: 'The feed begins; each message is a JSON object.' },
    errors: [426, 429],
  }),
  diagram: routeSpec({
    method: 'GET',
    path: '/v1/calibration/diagram.svg',
    tag: 'agents',
    auth: 'token',
    summary: 'The reliability diagram of the fleet, or of one agent.',
    query: z.object({
      agent_id: z
        .string({ error: `must be one id or name of 1 to ${MAX_NAME} characters` })
        .min(1, `must be one id or name of 1 to ${MAX_NAME} characters`)
        .max(MAX_NAME, `must be one id or name of 1 to ${MAX_NAME} characters`)
        .optional(),
    }),
    produces: 'image/svg+xml',
    errors: [404, 429],
  }),
  outcome: routeSpec({
    method: 'POST',
    path: '/v1/harness/outcome',
    tag: 'operators',
    auth: 'operator',
    summary: "Records what an operator's program saw of an agent's work, such as a CI run.",
    body: externalOutcome,
    handsOn: true,
    answer: externalOutcomeAnswer.extend({ success: z.literal(true) }),
    errors: [404, 409],
  }),
  reportFinding: routeSpec({
    ...reports,
    ...reportErrors,
    path: '/api/findings',
    summary: 'A program reports a finding; equal ones within a day are one.',
    body: report.input,
    answer: reportAnswers.finding.extend(succeeded),
  }),
  findings: routeSpec({
    ...reads,
    path: '/api/findings',
    summary: 'Reported findings, the newest first.',
    query: z.object({ since, until, severity, limit }),
    answer: noticeAnswers.findings.extend(succeeded),
  }),
  reportMetric: routeSpec({
    ...reports,
    ...reportErrors,
    ...stored,
    path: '/v1/metrics',
    summary: 'A program reports a value of a metric; a second one of the same instant replaces it.',
    body: z.object({ name: z.string().max(128), value: z.number(), ts: report.input.shape.ts }),
    answer: reportAnswers.metric.extend(succeeded),
  }),
  series: routeSpec({
    ...reads,
    path: '/v1/metrics/series',
    summary: 'The newest values of a metric, the oldest of them first.',
    query: z.object({ name, since, until, limit }),
    answer: noticeAnswers.series.extend(succeeded),
  }),
  catalog: routeSpec({
    ...reads,
    path: '/v1/metrics/catalog',
    summary: 'Names of the reported metrics.',
    answer: noticeAnswers.catalog.extend(succeeded),
  }),
  observeSubstrate: routeSpec({
    ...reports,
    ...reportErrors,
    ...stored,
    path: '/v1/substrate/observe',
    summary: 'A host reports that a session was at work without an identity.',
    body: z.object({ slot_key: z.string().max(256), event: report.input.shape.event }),
    answer: reportAnswers.observation.extend(succeeded),
  }),
  observeRuntime: routeSpec({
    ...reports,
    ...reportErrors,
    ...stored,
    path: '/v1/runtime/observe',
    summary: 'A host reports what it saw of an agent, which proves itself in the call.',
    body: z.object({
      agent_uuid: z.uuid().optional(),
      client_session_id: z.string(),
      event: report.input.shape.event,
    }),
    answer: reportAnswers.observation.extend(succeeded),
  }),
  residents: routeSpec({
    ...reads,
    path: '/v1/residents',
    summary: 'The names that are kept for residents, and the agents that are tagged as such.',
    answer: noticeAnswers.residents.extend(succeeded),
  }),
  tagAudit: routeSpec({
    ...reads,
    path: '/v1/residents/tag_audit',
    summary: 'Residents that lack one of their tags.',
    answer: noticeAnswers.tag_audit.extend(succeeded),
  }),
} as const;
