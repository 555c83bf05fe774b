import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../src/agents/index.ts';
import { inspect } from './invariants.ts';
import type { Journal, SentAgent } from './journal.ts';
import type { EventRow, Snapshot } from './snapshot.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer R)[] ? Writable<R>[] : T[K] };

const AGENT = 'agent-1';
const TS = Date.UTC(2026, 0, 2);

const trail = (drafts: readonly (readonly [string, Record<string, unknown>])[]): EventRow[] => {
  let head = '';
  return drafts.map(([event_type, payload], i) => {
    const event_id = `event-${i}`;
    const said = [head, AGENT, i + 1, event_id, new Date(TS).toISOString(), event_type, payload, null, 1, null];
    const raw_hash = `v2:${hash('sha256', canonicalJson(said))}`;
    const row = {
      agent_id: AGENT,
      event_id,
      ts: TS,
      event_type,
      payload,
      session_id: null,
      raw_hash,
      chain_index: i + 1,
      prev_hash: head,
    };
    head = raw_hash;
    return row;
  });
};

/** An agent with two acknowledged check-ins, one of them keyed, one unheard one that was never made, and an outcome. */
const sound = (): { journal: Journal; snapshot: Mutable<Snapshot>; agent: SentAgent } => {
  const agent: SentAgent = {
    mark: 'r0-0-a0',
    answer: { agentId: AGENT, secret: 's' },
    checkIns: [
      { mark: 'c0', args: {}, idempotencyKey: 'c0', answer: { predictionId: 'p1', update: 1 } },
      { mark: 'c1', args: {}, answer: { predictionId: 'p2', update: 2 } },
      { mark: 'c2', args: {}, idempotencyKey: 'c2' },
    ],
    outcomes: [{ mark: 'o0', args: {}, predictionId: 'p1', answer: { outcomeId: 'out1' } }],
  };
  const events = trail([
    ['lifecycle_created', {}],
    ['checkin_recorded', { prediction_id: 'p1' }],
    ['outcome_recorded', {}],
    ['checkin_recorded', { prediction_id: 'p2' }],
  ]);
  const snapshot: Mutable<Snapshot> = {
    agents: [
      {
        agent_id: AGENT,
        label: agent.mark,
        sequence: 3,
        update_count: 2,
        audit_head: events.at(-1)?.raw_hash ?? '',
        audit_count: 4,
        bindings: 1,
      },
    ],
    states: [
      { agent_id: AGENT, update_index: 1, sequence: 1, mark: 'c0' },
      { agent_id: AGENT, update_index: 2, sequence: 3, mark: 'c1' },
    ],
    predictions: [
      { agent_id: AGENT, prediction_id: 'p1', update_index: 1, state_sequence: 1, consumed: true },
      { agent_id: AGENT, prediction_id: 'p2', update_index: 2, state_sequence: 3, consumed: false },
    ],
    events,
    outcomes: [{ agent_id: AGENT, outcome_id: 'out1', prediction_id: 'p1', mark: 'o0' }],
    keys: [{ agent_id: AGENT, key: 'c0' }],
  };
  return { journal: { agents: [agent], refused: [] }, snapshot, agent };
};

describe('the inspection of a crash', () => {
  it('finds nothing in a sound record', () => {
    const { journal, snapshot } = sound();
    expect(inspect(journal, snapshot)).toEqual({ violations: [], unacknowledgedFound: 0 });
  });

  it('counts what was recorded although nobody was told', () => {
    const { journal, snapshot, agent } = sound();
    delete agent.checkIns[1]?.answer;
    delete agent.outcomes[0]?.answer;
    expect(inspect(journal, snapshot)).toEqual({ violations: [], unacknowledgedFound: 2 });
  });

  const HARM: [string, (snapshot: Mutable<Snapshot>) => void, RegExp][] = [
    ['a lost agent', (s) => (s.agents = []), /LOST: its onboarding/],
    ['an agent that was born twice', (s) => s.agents.push({ ...s.agents[0]! }), /onboarded 2 times/],
    ['an agent without its identity', (s) => (s.agents[0]!.sequence = -1), /no identity row/],
    ['an agent without its credential', (s) => (s.agents[0]!.bindings = 0), /0 credentials/],
    ['a lost check-in', (s) => s.states.pop(), /LOST: c1/],
    ['a check-in recorded twice', (s) => s.states.push({ ...s.states[1]!, update_index: 3 }), /recorded twice/],
    ['a check-in of nobody', (s) => (s.states[1]!.mark = 'x'), /sent by nobody/],
    ['a gap in the update numbers', (s) => (s.states[1]!.update_index = 3), /are 1,3, not 1\.\.n/],
    ['another number than acknowledged', (s) => (s.predictions[1]!.update_index = 1), /stands as|no prediction/],
    ['a check-in without its prediction', (s) => s.predictions.pop(), /no prediction/],
    ['a prediction of another state', (s) => (s.predictions[1]!.state_sequence = 2), /another state's/],
    ['a counter that disagrees', (s) => (s.agents[0]!.update_count = 3), /update_count is 3/],
    ['a sequence behind its states', (s) => (s.agents[0]!.sequence = 2), /sequence is 2/],
    ['an altered audit row', (s) => (s.events[1]!.payload = { prediction_id: 'p1', x: 1 }), /chain breaks at row 2/],
    ['a missing audit row', (s) => s.events.splice(2, 1), /chain breaks at row 3/],
    ['a cut trail', (s) => s.events.pop(), /does not end at audit_head/],
    ['a key without its check-in', (s) => s.keys.push({ agent_id: AGENT, key: 'c2' }), /c2 and its idempotency key/],
    ['a check-in without its key', (s) => (s.keys = []), /c0 and its idempotency key/],
    ['a lost outcome', (s) => (s.outcomes = []), /LOST: outcome o0/],
    ['an outcome recorded twice', (s) => s.outcomes.push({ ...s.outcomes[0]! }), /outcome o0 was recorded twice/],
    ['an outcome whose claim is still open', (s) => (s.predictions[0]!.consumed = false), /claim p1/],
  ];
  it.each(HARM)('finds %s', (_, harm, said) => {
    const { journal, snapshot } = sound();
    harm(snapshot);
    expect(inspect(journal, snapshot).violations.join('\n')).toMatch(said);
  });
});
