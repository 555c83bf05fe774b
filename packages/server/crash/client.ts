import type { Random } from '../src/runtime/index.ts';
import { callTool, type RestAnswer } from '../testing/rest.ts';
import { isKnown, type Journal, type KnownAgent, type SentCheckIn, type SentOutcome } from './journal.ts';

/** How a client behaves; shares are in 0..1. */
export interface Behaviour {
  readonly agentsPerClient: number;
  /** Share of calls that carry an idempotency key. */
  readonly keyed: number;
  /** Share of steps in which two check-ins of one agent are on their way at once. */
  readonly doubled: number;
  /** Share of steps in which an open claim is settled. */
  readonly settled: number;
}

const BEHAVIOUR: Behaviour = { agentsPerClient: 3, keyed: 0.5, doubled: 0.25, settled: 0.35 };
const NEW_AGENT_SHARE = 0.2;

/** Sends one call; undefined when the connection ended without an answer. */
const send = async (
  url: string,
  name: string,
  args: Record<string, unknown>,
  journal: Journal,
): Promise<RestAnswer['result'] | undefined> => {
  let answer: RestAnswer;
  try {
    answer = await callTool(url, name, args);
  } catch {
    return undefined;
  }
  if (answer.status === 200 && answer.result['success'] === true) return answer.result;
  journal.refused.push(`${name}: ${answer.status} ${String(answer.result['error_code'] ?? answer.body['reason'])}`);
  return undefined;
};

/** Sends (or repeats) a check-in and notes its answer. False when there was none. */
export const sendCheckIn = async (
  url: string,
  agent: KnownAgent,
  checkIn: SentCheckIn,
  journal: Journal,
): Promise<boolean> => {
  const args = { ...checkIn.args, client_session_id: agent.answer.secret };
  const result = await send(url, 'process_agent_update', args, journal);
  if (result === undefined) return false;
  checkIn.answer = { predictionId: String(result['prediction_id']), update: Number(result['update']) };
  return true;
};

/** Sends (or repeats) an outcome and notes its answer. False when there was none. */
export const sendOutcome = async (
  url: string,
  agent: KnownAgent,
  outcome: SentOutcome,
  journal: Journal,
): Promise<boolean> => {
  const args = { ...outcome.args, client_session_id: agent.answer.secret };
  const result = await send(url, 'outcome_event', args, journal);
  if (result === undefined) return false;
  outcome.answer = { outcomeId: String(result['outcome_id']) };
  return true;
};

/** A check-in with a text of its own, so that it never counts as a loop; noted before it is sent. */
export const newCheckIn = (agent: KnownAgent, keyed: boolean): SentCheckIn => {
  const mark = `${agent.mark}/c${agent.checkIns.length}`;
  const checkIn: SentCheckIn = {
    mark,
    args: {
      response_text: `Finished piece ${mark}.`,
      confidence: 0.8,
      complexity: 0.4,
      task_label: mark,
      ...(keyed && { idempotency_key: mark }),
    },
    ...(keyed && { idempotencyKey: mark }),
  };
  agent.checkIns.push(checkIn);
  return checkIn;
};

const newOutcome = (agent: KnownAgent, predictionId: string, keyed: boolean): SentOutcome => {
  const mark = `${agent.mark}/o${agent.outcomes.length}`;
  const outcome: SentOutcome = {
    mark,
    predictionId,
    args: {
      outcome_type: 'test_passed',
      prediction_id: predictionId,
      detail: { command: 'npm test', exit_code: 0, mark },
      ...(keyed && { idempotency_key: mark }),
    },
    ...(keyed && { idempotencyKey: mark }),
  };
  agent.outcomes.push(outcome);
  return outcome;
};

/** A claim that nothing was recorded for yet. */
const openClaim = (agent: KnownAgent): string | undefined => {
  const settled = new Set(agent.outcomes.map(({ predictionId }) => predictionId));
  return agent.checkIns.map(({ answer }) => answer?.predictionId).find((id) => id !== undefined && !settled.has(id));
};

/** One client: onboards its agents and lets them work until the server is gone. */
const runClient = async (
  url: string,
  name: string,
  random: Random,
  journal: Journal,
  behaviour: Behaviour,
): Promise<void> => {
  const own: KnownAgent[] = [];
  for (let alive = true; alive;) {
    const agent = own[Math.floor(random() * own.length)];
    if (agent === undefined || (own.length < behaviour.agentsPerClient && random() < NEW_AGENT_SHARE)) {
      const mark = `${name}-a${own.length}`;
      const born: Journal['agents'][number] = { mark, checkIns: [], outcomes: [] };
      journal.agents.push(born);
      const result = await send(url, 'onboard', { name: mark, force_new: true }, journal);
      if (result === undefined) return;
      born.answer = { agentId: String(result['uuid']), secret: String(result['client_session_id']) };
      if (isKnown(born)) own.push(born);
      continue;
    }
    const claim = openClaim(agent);
    if (claim !== undefined && random() < behaviour.settled) {
      alive = await sendOutcome(url, agent, newOutcome(agent, claim, random() < behaviour.keyed), journal);
      continue;
    }
    const count = random() < behaviour.doubled ? 2 : 1;
    const sent = Array.from({ length: count }, () => newCheckIn(agent, random() < behaviour.keyed));
    alive = (await Promise.all(sent.map((checkIn) => sendCheckIn(url, agent, checkIn, journal)))).every(Boolean);
  }
};

/** Drives a server with many clients at once; resolves when none of them gets an answer any more. */
export const drive = async (options: {
  url: string;
  /** Begins every mark of this round. */
  name: string;
  clients: number;
  randomOf: (client: number) => Random;
  journal: Journal;
}): Promise<void> => {
  const { url, name, clients, randomOf, journal } = options;
  await Promise.all(
    Array.from({ length: clients }, (_, i) => runClient(url, `${name}-${i}`, randomOf(i), journal, BEHAVIOUR)),
  );
};
