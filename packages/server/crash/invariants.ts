import { hash } from 'node:crypto';
import { AUDIT_EVENTS } from '@breakwater/contract';
import { canonicalJson } from '../src/agents/index.ts';
import type { Journal, SentAgent } from './journal.ts';
import type { AgentRow, EventRow, OutcomeRow, PredictionRow, Snapshot, StateRow } from './snapshot.ts';

/** What a round broke, and how many calls that nobody heard back from were found whole. */
export interface Findings {
  readonly violations: readonly string[];
  readonly unacknowledgedFound: number;
}

const byAgent = <R extends { readonly agent_id: string }>(rows: readonly R[]): ReadonlyMap<string, R[]> =>
  Map.groupBy(rows, ({ agent_id }) => agent_id);

/** One agent's rows, and its client's memory of it. */
interface Case {
  readonly row: AgentRow;
  readonly sent: SentAgent;
  readonly states: readonly StateRow[];
  readonly predictions: readonly PredictionRow[];
  readonly events: readonly EventRow[];
  readonly outcomes: readonly OutcomeRow[];
  readonly keys: readonly { readonly key: string }[];
}

/** Update numbers are 1..n, and the counters of the head agree with the rows. */
function* counts({ row, states, events }: Case): Generator<string> {
  const numbers = states.map(({ update_index }) => update_index).sort((a, b) => a - b);
  if (numbers.some((number, i) => number !== i + 1)) yield `update numbers are ${numbers.join(',')}, not 1..n`;
  if (row.update_count !== states.length) yield `update_count is ${row.update_count}, states ${states.length}`;
  if (row.audit_count !== events.length) yield `audit_count is ${row.audit_count}, audit rows ${events.length}`;
  const newest = Math.max(0, ...states.map(({ sequence }) => sequence));
  if (row.sequence < newest) yield `sequence is ${row.sequence}, but a state has ${newest}`;
  const recorded = events.filter(({ event_type }) => event_type === AUDIT_EVENTS.checkInRecorded).length;
  if (recorded !== states.length) yield `${states.length} states, but ${recorded} audit rows of check-ins`;
}

/** Each state row came with its prediction and its audit row: a check-in is there whole. */
function* wholeness({ states, predictions, events }: Case): Generator<string> {
  if (predictions.length !== states.length) yield `${states.length} states, but ${predictions.length} predictions`;
  const audited = new Set(events.map(({ payload }) => payload['prediction_id']));
  for (const state of states) {
    const prediction = predictions.find(({ update_index }) => update_index === state.update_index);
    if (prediction === undefined) yield `update ${state.update_index} has no prediction`;
    else {
      if (prediction.state_sequence !== state.sequence)
        yield `the prediction of ${state.update_index} is another state's`;
      if (!audited.has(prediction.prediction_id)) yield `update ${state.update_index} has no audit row`;
    }
  }
}

/** What was acknowledged is there under the id and number it was acknowledged with; what is there was sent, once. */
function* acknowledgements({ sent, states, predictions, keys }: Case): Generator<string> {
  const known = new Map(sent.checkIns.map((checkIn) => [checkIn.mark, checkIn]));
  const found = new Map<string, StateRow>();
  for (const state of states) {
    const mark = state.mark ?? '';
    if (!known.has(mark)) yield `update ${state.update_index} (${mark}) was sent by nobody`;
    if (found.has(mark)) yield `${mark} was recorded twice`;
    found.set(mark, state);
  }
  const kept = new Set(keys.map(({ key }) => key));
  for (const { mark, answer, idempotencyKey } of sent.checkIns) {
    const state = found.get(mark);
    if (idempotencyKey !== undefined && (state !== undefined) !== kept.has(idempotencyKey)) {
      yield `${mark} and its idempotency key are not there together`;
    }
    if (answer === undefined) continue;
    const prediction = predictions.find(({ prediction_id }) => prediction_id === answer.predictionId);
    if (state === undefined || prediction === undefined) yield `LOST: ${mark}, acknowledged as update ${answer.update}`;
    else if (state.update_index !== answer.update || prediction.update_index !== answer.update) {
      yield `${mark} was acknowledged as update ${answer.update} and stands as ${state.update_index}`;
    }
  }
}

/** Each acknowledged outcome is there once, with its claim used up; no claim is used up without one. */
function* settlements({ sent, predictions, outcomes }: Case): Generator<string> {
  const known = new Set(sent.outcomes.map(({ mark }) => mark));
  const seen = new Set<string>();
  for (const { mark } of outcomes) {
    if (mark === null || !known.has(mark)) yield `outcome ${mark ?? '?'} was sent by nobody`;
    else if (seen.has(mark)) yield `outcome ${mark} was recorded twice`;
    else seen.add(mark);
  }
  for (const { mark, answer } of sent.outcomes) {
    if (answer === undefined) continue;
    const row = outcomes.find(({ outcome_id }) => outcome_id === answer.outcomeId);
    if (row?.mark !== mark) yield `LOST: outcome ${mark}`;
  }
  const settled = new Set(outcomes.map(({ prediction_id }) => prediction_id));
  for (const { prediction_id, consumed } of predictions) {
    if (consumed !== settled.has(prediction_id)) yield `claim ${prediction_id} and its outcome are not there together`;
  }
}

/** The audit trail, recomputed from its first row. */
function* trail({ row, events }: Case): Generator<string> {
  let head = '';
  for (const [i, event] of events.entries()) {
    const { event_id, event_type, payload, session_id } = event;
    const ts = new Date(event.ts).toISOString();
    const said = [head, row.agent_id, i + 1, event_id, ts, event_type, payload, session_id, 1, null];
    const expected = `v2:${hash('sha256', canonicalJson(said))}`;
    if (event.prev_hash !== head || event.chain_index !== i + 1 || event.raw_hash !== expected) {
      yield `the audit chain breaks at row ${i + 1} (${event_type})`;
      return;
    }
    head = expected;
  }
  if (row.audit_head !== head) yield 'the audit chain does not end at audit_head';
}

/** An agent is born whole: with its identity, its first audit row and its credential. */
function* birth({ row, events }: Case): Generator<string> {
  if (row.sequence < 0) yield 'has no identity row';
  if (row.bindings !== 1) yield `has ${row.bindings} credentials`;
  if (events[0]?.event_type !== AUDIT_EVENTS.agentCreated) yield 'its trail does not begin with its birth';
}

const RULES = [birth, counts, wholeness, acknowledgements, settlements, trail];

/** Holds what PostgreSQL has against what the clients remember (BW-checkin.02). Pure. */
export const inspect = (journal: Journal, snapshot: Snapshot): Findings => {
  const violations: string[] = [];
  let unacknowledgedFound = 0;
  const states = byAgent(snapshot.states);
  const predictions = byAgent(snapshot.predictions);
  const events = byAgent(snapshot.events);
  const outcomes = byAgent(snapshot.outcomes);
  const keys = byAgent(snapshot.keys);
  const rows = Map.groupBy(snapshot.agents, ({ label }) => label);
  const sentNames = new Set(journal.agents.map(({ mark }) => mark));
  for (const name of rows.keys()) if (!sentNames.has(name)) violations.push(`${name}: onboarded by nobody`);
  for (const sent of journal.agents) {
    const [row, ...more] = rows.get(sent.mark) ?? [];
    if (more.length > 0) violations.push(`${sent.mark}: onboarded ${more.length + 1} times`);
    if (row === undefined) {
      if (sent.answer !== undefined) violations.push(`${sent.mark}: LOST: its onboarding was acknowledged`);
      continue;
    }
    if (sent.answer === undefined) unacknowledgedFound += 1;
    else if (sent.answer.agentId !== row.agent_id) violations.push(`${sent.mark}: stands under another id`);
    const of = <R>(map: ReadonlyMap<string, R[]>): R[] => map.get(row.agent_id) ?? [];
    const one: Case = {
      row,
      sent,
      states: of(states),
      predictions: of(predictions),
      events: of(events),
      outcomes: of(outcomes),
      keys: of(keys),
    };
    for (const rule of RULES) for (const said of rule(one)) violations.push(`${sent.mark}: ${said}`);
    const marks = new Set([...one.states, ...one.outcomes].map(({ mark }) => mark));
    const unheard = [...sent.checkIns, ...sent.outcomes].filter(({ answer }) => answer === undefined);
    unacknowledgedFound += unheard.filter(({ mark }) => marks.has(mark)).length;
  }
  return { violations, unacknowledgedFound };
};
