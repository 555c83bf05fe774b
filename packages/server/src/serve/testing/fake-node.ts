import { ok, ERRORS, refuse, type ErrorCode, type ToolListing } from '@breakwater/contract';
import { pino } from 'pino';
import {
  COLD,
  createLiveTable,
  Readiness,
  systemClock,
  systemIds,
  type LiveTable,
  type Reading,
} from '../../runtime/index.ts';
import { Computation } from '../../dialectic/index.ts';
import { Feed } from '../../feed/index.ts';
import { testOverview } from '../../overview/testing/overview.ts';
import { createHttpServer, type HttpServer } from '../http.ts';
import { createMetrics } from '../metrics.ts';
import type { AgentHead } from '../../agents/index.ts';
import type { DispatchReply, DispatchRequest } from '../../dispatch/index.ts';
import type { Database } from '../../postgres/index.ts';
import type { McpSessions, ServeOptions, ToolDispatch } from '../ports.ts';

/** A session store that outlives the servers in front of it, as PostgreSQL does. */
export const memorySessions = (): McpSessions & { readonly ids: Set<string> } => {
  const ids = new Set<string>();
  return {
    ids,
    create: async () => {
      const id = systemIds.secret();
      ids.add(id);
      return id;
    },
    known: (id) => ids.has(id),
    revoke: async (id) => void ids.delete(id),
  };
};

const refusal = (tool: string, code: ErrorCode): DispatchReply => ({
  tool,
  body: { success: false, error: `refused with ${code}`, error_code: code },
  isError: true,
  status: ERRORS[code].status,
  refusal: { code, message: `refused with ${code}` },
});

const LISTINGS: readonly ToolListing[] = [
  {
    name: 'echo',
    description: 'Gives back what it was sent.',
    inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
    annotations: { readOnlyHint: true },
  },
  { name: 'refuse', description: 'Refuses.', inputSchema: { type: 'object', properties: {} }, annotations: {} },
];

const HEALTHY = {
  success: true,
  status: 'healthy',
  version: '0.1.0',
  status_breakdown: { healthy: 0, failed: 0 },
  operator_summary: { overall_status: 'healthy', failing_checks: [] },
  checks: {},
  event_loop_delay_ms: 0,
  timestamp: '2026-01-01T00:00:00.000Z',
} as const;

/**
 * A dispatcher whose answers say what was asked: `echo` gives back arguments and evidence, after `delay_ms` when asked;
 * `health_check` answers before readiness; `refuse` refuses with `code`; `crash` throws; any other name is unknown.
 */
const fakeDispatcher = (
  readiness: Pick<Readiness, 'ready'>,
): ToolDispatch & { readonly requests: DispatchRequest[] } => {
  const requests: DispatchRequest[] = [];
  return {
    requests,
    advertised: (mode) => (mode === 'minimal' ? LISTINGS.slice(0, 1) : LISTINGS),
    async call(request) {
      if (!readiness.ready && request.name !== 'health_check') return refusal(request.name, 'NOT_READY');
      requests.push(request);
      const args = request.args as Record<string, unknown>;
      switch (request.name) {
        case 'echo': {
          const delay = Number(args['delay_ms'] ?? 0);
          if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
          return {
            tool: 'echo',
            body: { success: true, args, evidence: request.evidence },
            isError: false,
            status: 200,
          };
        }
        case 'health_check':
          return { tool: 'health_check', body: HEALTHY, isError: false, status: 200 };
        case 'refuse':
          return refusal('refuse', args['code'] as ErrorCode);
        case 'crash':
          throw new Error('secret detail of a bug');
        default:
          return refusal(request.name, 'TOOL_NOT_FOUND');
      }
    },
  };
};

/** A database of nothing. */
const nothing: Database = {
  query: () => Promise.resolve([]),
  transaction: () => Promise.reject(new Error('there is no database here')),
  connect: () => Promise.reject(new Error('there is no database here')),
  close: () => Promise.resolve(),
};

const noAgents = (): LiveTable<AgentHead> => createLiveTable<AgentHead>('agents').table;

/** A feed of no agents. */
const fakeFeed = (): Feed => {
  const table = noAgents();
  return new Feed({ database: nothing, clock: systemClock, agents: () => table, isStable: () => true });
};

export interface FakeNode {
  readonly url: string;
  readonly server: HttpServer;
  readonly options: ServeOptions;
  readonly readiness: Readiness;
  readonly dispatcher: ReturnType<typeof fakeDispatcher>;
  stop(): Promise<void>;
}

/** A real HTTP server on a free loopback port (or on `port`) in front of a fake dispatcher; ready unless told. */
export const startFakeNode = async (
  overrides: Partial<ServeOptions> & { port?: number; ready?: boolean } = {},
): Promise<FakeNode> => {
  const { port = 0, ready = true, ...rest } = overrides;
  const readiness = new Readiness();
  readiness.expect('flags');
  readiness.expect('baselines');
  if (ready) for (const part of ['flags', 'baselines']) readiness.report(part, true);
  const dispatcher = fakeDispatcher(readiness);
  const rows = new Map<string, unknown>([['known', { enabled: true }]]);
  const read = (key: string): Reading<unknown> => (rows.has(key) ? { ok: true, value: rows.get(key) } : COLD);
  const computation = new Computation({ clock: systemClock, random: () => 0, onFailure: () => undefined });
  const options: ServeOptions = {
    dispatcher,
    limits: { take: () => undefined },
    sessions: memorySessions(),
    readiness,
    writeProblem: () => undefined,
    readFlag: read,
    readBaseline: read,
    compute: (call) => computation.run(call),
    recordExternalOutcome: () => Promise.resolve(refuse('OPERATOR_REQUIRED', 'There are no operators here.')),
    calibrationDiagram: () => Promise.resolve(ok('<svg/>')),
    feed: fakeFeed(),
    metrics: createMetrics(),
    tokens: [],
    operatorOf: () => Promise.resolve(undefined),
    overview: testOverview(nothing, noAgents()),
    node: { version: '0.1.0', node: 'fake', started_at: '2026-01-01T00:00:00.000Z' },
    allowedHosts: [],
    allowedOrigins: [],
    server: { name: 'breakwater', version: '0.1.0' },
    instructions: 'Call onboard first.',
    clock: systemClock,
    ids: systemIds,
    log: pino({ level: 'silent' }),
    checksAnswers: true,
    ...rest,
  };
  const server = createHttpServer(options);
  const url = await server.listen({ host: '127.0.0.1', port });
  return { url, server, options, readiness, dispatcher, stop: () => server.close({ graceMs: 500 }) };
};
