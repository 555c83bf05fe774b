import { ALIASES } from '@breakwater/contract';
import { calibrationTools } from '../src/calibration/index.ts';
import { checkInTools } from '../src/checkin/index.ts';
import { dialecticTools, sagaTools } from '../src/dialectic/index.ts';
import { Dispatcher, Limits } from '../src/dispatch/index.ts';
import { flagTools } from '../src/flags/tools.ts';
import { createOperator, type OperatorScope } from '../src/identity/index.ts';
import { identityTools, operatorTools } from '../src/identity/tools.ts';
import { knowledgeTools } from '../src/knowledge/index.ts';
import { Lifecycle } from '../src/lifecycle/index.ts';
import { lifecycleTools } from '../src/lifecycle/tools.ts';
import { fleetTools, Notices, noticeTools } from '../src/notices/index.ts';
import { outcomeTools, settleClaims } from '../src/outcomes/index.ts';
import { serverTools } from '../src/serve/index.ts';
import type { Database } from '../src/postgres/index.ts';
import { systemIds, type Evidence } from '../src/runtime/index.ts';
import type { Json } from './rest.ts';
import type { TestNode } from './node.ts';

/** What the transports of a test see of a caller, beside the arguments. */
type Seen = Partial<Omit<Evidence, 'clientSessionId' | 'continuityToken' | 'agentUuid' | 'modelType'>>;

/** The answer to a call, as both transports carry it. */
export interface Answer {
  readonly ok: boolean;
  readonly body: Json;
  /** Code of the refusal. */
  readonly code: string | undefined;
}

/** Calls a tool by the whole chain. */
export type Call = (name: string, args?: Json, seen?: Seen) => Promise<Answer>;

/** The tools of a node behind the chain that REST and MCP share. */
export const dispatcherOf = (node: TestNode, database: Database): Dispatcher => {
  const { identity, agents, clock } = node;
  const findAgent = agents.find.bind(agents);
  const isStable = node.saga.isStable.bind(node.saga);
  const sessionKeyOf = identity.sessionKeyOf.bind(identity);
  const ids = { uuid: () => crypto.randomUUID() };
  const lifecycle = new Lifecycle({ agents, database, clock, ids, settleClaims });
  const heads = () => lifecycle.heads();
  const freshCaller = async (evidence: Evidence) => {
    const [caller] = await Promise.all([identity.resolveFresh(evidence), node.flags.refresh()]);
    return caller;
  };
  return new Dispatcher({
    tools: [
      ...identityTools({ identity, findAgent, holdOf: agents.holdOf.bind(agents), isStable }),
      ...lifecycleTools(lifecycle, isStable),
      ...dialecticTools(node.dialectic, agents, isStable),
      ...checkInTools({
        checkIns: node.checkIns,
        sessionKeyOf,
        findAgent,
        holdOf: agents.holdOf.bind(agents),
        isStable,
        reviewFor: node.duties.viewFor.bind(node.duties),
      }),
      ...outcomeTools(node.outcomes, sessionKeyOf),
      ...calibrationTools(node.calibration),
      ...knowledgeTools({
        ...node.knowledge,
        sessionKeyOf,
        refusedWrite: (caller, tool) => identity.refusedWrite(caller, tool),
      }),
      ...flagTools(node.flags),
      ...sagaTools({ database, clock, ids: systemIds }),
      ...operatorTools({ database, clock }),
      ...noticeTools(new Notices({ database, clock, ids: systemIds }), heads, []),
      ...serverTools({
        version: '0.0.0',
        clock,
        readiness: { ready: true, parts: () => ({}) },
        loopDelayMs: () => 0,
        counts: () => ({ agents: 0, sessions: 0 }),
        embeddedDatabase: true,
        writeProblem: () => undefined,
      }),
      ...fleetTools({ heads, find: (target) => lifecycle.find(target), pauseHours: 72, updatesPerMinute: 20 }),
    ],
    aliases: ALIASES,
    resolveCaller: (evidence, fresh) => (fresh === undefined ? identity.resolve(evidence) : freshCaller(evidence)),
    refusedWrite: (caller, tool) => identity.refusedWrite(caller, tool),
    readiness: { ready: true, parts: () => ({}) },
    clock,
    ids: { uuid: () => crypto.randomUUID() },
    limits: new Limits({}, clock),
    onUnexpected: ({ error }) => node.crashes.push(error),
    checksAnswers: true,
    onTimeout: ({ tool }) => node.crashes.push(new Error(`${tool} took too long`)),
  });
};

/** Calls without a transport. */
export const callsOf =
  (dispatcher: Dispatcher): Call =>
  async (name, args = {}, seen = {}) => {
    const evidence = { address: '127.0.0.1', peer: '127.0.0.1|test', ...seen };
    const { body, isError, refusal } = await dispatcher.call({ name, args, evidence, transport: 'rest' });
    return { ok: !isError, body, code: refusal?.code };
  };

/** An identity as `onboard` hands it out. */
export interface Minted {
  readonly uuid: string;
  readonly secret: string;
  readonly token: string;
}

/** Onboards, and fails the test when that is refused. */
export const onboard = async (call: Call, args: Json = {}, seen: Seen = {}): Promise<Minted & { body: Json }> => {
  const { ok, body } = await call('onboard', args, seen);
  if (!ok) throw new Error(`onboard was refused: ${JSON.stringify(body)}`);
  return {
    uuid: body['uuid'] as string,
    secret: body['client_session_id'] as string,
    token: body['continuity_token'] as string,
    body,
  };
};

/** Makes an operator; gives its secret. */
export const operator = async (node: TestNode, database: Database, scope: OperatorScope, name: string) => {
  const secret = `bwo_${crypto.randomUUID()}`;
  const now = node.clock.now();
  const made = await createOperator(database, {
    name,
    scopes: [scope],
    now,
    expiresAt: now + 86_400_000,
    secret,
    by: 'test',
  });
  if (!made.ok) throw new Error(made.refusal.message);
  return secret;
};
