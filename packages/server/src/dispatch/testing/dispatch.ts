import { ok, refuse, type Result, type ToolAlias, type ToolSpec } from '@breakwater/contract';
import { z } from 'zod';
import {
  defineTool,
  idsFrom,
  Readiness,
  seededRandom,
  type Caller,
  type Evidence,
  type Tool,
} from '../../runtime/index.ts';
import { ManualClock } from '../../runtime/testing/manual-clock.ts';
import { Limits } from '../limits.ts';
import { Dispatcher, type DispatcherOptions, type DispatchReply, type Measure } from '../dispatcher.ts';

export const AGENT = '11111111-1111-4111-8111-111111111111';
export const SECRET = 'the-session-secret';

const PLAIN = { origin: 'caller_asserted', operator: undefined, warnings: [] } as const;

/** A specification with everything a test does not care about filled in. */
export const specOf = (over: Partial<ToolSpec> & { readonly name: string }): ToolSpec => ({
  category: 'core',
  description: 'A tool for tests. It has a second sentence.',
  input: z.looseObject({ client_session_id: z.string().nullish(), agent_id: z.string().nullish() }),
  identity: 'open',
  timeoutMs: 1000,
  advertised: true,
  readOnly: false,
  example: {},
  errors: [],
  ...over,
});

/** A tool that answers what it was called with. */
export const echo = (spec: ToolSpec): Tool =>
  defineTool(spec, async ({ args, caller, unknownArguments, deadline, receivedAt }) =>
    ok({ args, caller, unknown: unknownArguments, deadline, received_at: receivedAt }),
  );

/** Identity by one secret, as the real one resolves it. */
export const resolveCaller = (evidence: Evidence): Result<Caller> => {
  if (evidence.clientSessionId === undefined) {
    return ok({
      agentId: undefined,
      assurance: 'none',
      source: 'none',
      ...PLAIN,
      principal: `peer:${evidence.peer}`,
    });
  }
  if (!evidence.clientSessionId.startsWith(SECRET)) {
    return refuse('SESSION_UNKNOWN', 'The client_session_id is unknown, expired or revoked.');
  }
  const agentId = evidence.clientSessionId === SECRET ? AGENT : evidence.clientSessionId;
  return ok({ agentId, assurance: 'strong', source: 'client_session_id', ...PLAIN, principal: `agent:${agentId}` });
};

export interface Bench {
  readonly dispatcher: Dispatcher;
  readonly clock: ManualClock;
  readonly readiness: Readiness;
  readonly incidents: { incidentId: string; tool: string; error: unknown }[];
  readonly timeouts: Parameters<DispatcherOptions['onTimeout']>[0][];
  readonly measures: Measure[];
  call(name: string, args?: unknown, over?: { peer?: string; transport?: 'rest' | 'mcp' }): Promise<DispatchReply>;
}

/** A dispatcher over hand-made tools, a manual clock, and lists of what it told. */
export const dispatcherOf = (
  tools: readonly Tool[],
  aliases: readonly ToolAlias[] = [],
  over: Partial<DispatcherOptions> = {},
): Bench => {
  const clock = new ManualClock();
  const readiness = new Readiness();
  readiness.expect('store');
  readiness.report('store', true);
  const incidents: Bench['incidents'] = [];
  const timeouts: Bench['timeouts'] = [];
  const measures: Measure[] = [];
  const dispatcher = new Dispatcher({
    tools,
    aliases,
    refusedWrite: () => undefined,
    resolveCaller,
    readiness,
    clock,
    ids: idsFrom(seededRandom(1)),
    limits: new Limits({}, clock),
    onUnexpected: (event) => void incidents.push(event),
    onTimeout: (event) => void timeouts.push(event),
    observe: (measure) => void measures.push(measure),
    ...over,
  });
  return {
    dispatcher,
    clock,
    readiness,
    incidents,
    timeouts,
    measures,
    call: (name, args = {}, { peer = '127.0.0.1', transport = 'rest' } = {}) =>
      dispatcher.call({ name, args, evidence: { peer }, transport }),
  };
};
