import type { Message, Resolution } from '../session.ts';
import { readCondition, readingsConflict } from './conflict.ts';
import { overlapOf } from './sets.ts';
import { isEquivalent, termsOf } from './similarity.ts';

/** What one side would end the session with. */
export type Offer = Pick<Message, 'agentId' | 'conditions' | 'rootCause' | 'reasoning'>;

/** An entry of the record, as far as the merge reads it. */
type Recorded = Pick<Message, 'type' | 'agentId' | 'rootCause' | 'reasoning'>;

/** What both sides have agreed on. */
export type Terms = Pick<Resolution, 'conditions' | 'rootCause' | 'reasoning'>;

interface Item {
  readonly text: string;
  readonly terms: ReadonlySet<string>;
}

const itemOf = (text: string): Item => ({ text, terms: termsOf(text) });

/** The place of the item that is most like `wanted` and counts as the same; the first of equals. -1: none. */
const bestOf = (items: readonly Item[], wanted: Item): number => {
  let best = 0;
  let place = -1;
  for (const [i, item] of items.entries()) {
    const alike = overlapOf(item.terms, wanted.terms);
    if (alike > best) {
      best = alike;
      place = i;
    }
  }
  return isEquivalent(best) ? place : -1;
};

/** A condition of a merged list, and who asked for it. */
interface MergedCondition {
  readonly text: string;
  readonly from: 'both' | 'a' | 'b';
}

/** What becomes of the conditions of both sides. */
export interface ExplainedMerge {
  readonly conditions: readonly MergedCondition[];
  /** Those that were left out, each with the earlier one that it contradicts. */
  readonly leftOut: readonly { readonly text: string; readonly from: 'a' | 'b'; readonly against: string }[];
}

/**
 * One list out of both (spec dialectic C.4): first what both ask for, in A's words and B's order, then the rest of A, then
 * the rest of B. A later condition that contradicts an earlier one is left out.
 */
export const explainMerge = (a: readonly string[], b: readonly string[]): ExplainedMerge => {
  const restA = a.map(itemOf);
  const itemsB = b.map(itemOf);
  const shared: Item[] = [];
  for (const item of itemsB) {
    const place = bestOf(restA, item);
    if (place !== -1) shared.push(...restA.splice(place, 1));
  }
  const restB = itemsB.filter((item) => !shared.some(({ terms }) => isEquivalent(overlapOf(terms, item.terms))));
  const merged = shared.map(({ text }) => ({ text, reading: readCondition(text) }));
  const conditions: MergedCondition[] = shared.map(({ text }) => ({ text, from: 'both' }));
  const leftOut: ExplainedMerge['leftOut'][number][] = [];
  const take = (from: 'a' | 'b', items: readonly Item[]): void => {
    for (const { text } of items) {
      const reading = readCondition(text);
      const against = merged.find((earlier) => readingsConflict(earlier.reading, reading));
      if (against !== undefined) leftOut.push({ text, from, against: against.text });
      else {
        merged.push({ text, reading });
        conditions.push({ text, from });
      }
    }
  };
  take('a', restA);
  take('b', restB);
  return { conditions, leftOut };
};

/** Conditions that one side agreed to as they stand, and which of them the other's newest proposal asks for as well. */
export const explainAgreed = (agreed: readonly string[], by: 'a' | 'b', other: readonly string[]): ExplainedMerge => {
  const items = other.map(itemOf);
  const from = (text: string): MergedCondition['from'] => (bestOf(items, itemOf(text)) === -1 ? by : 'both');
  return { conditions: agreed.map((text) => ({ text, from: from(text) })), leftOut: [] };
};

/** The conditions of {@link explainMerge} alone. */
export const mergeConditions = (a: readonly string[], b: readonly string[]): readonly string[] =>
  explainMerge(a, b).conditions.map(({ text }) => text);

/** Two texts in one, the first alone when they differ in case only; whichever there is, or ''. */
const joined = (one: string | null, other: string | null, join: (one: string, other: string) => string): string => {
  if (!one || !other) return one || other || '';
  return one.toLowerCase() === other.toLowerCase() ? one : join(one, other);
};

const rootCauseOf = (a: Offer, b: Offer, record: readonly Recorded[]): string => {
  const offered = joined(a.rootCause, b.rootCause, (ours, theirs) => `${ours} (also: ${theirs})`);
  if (offered !== '') return offered;
  const first = (type: Message['type']) => record.find((m) => m.type === type && m.rootCause)?.rootCause ?? null;
  return joined(first('thesis'), first('antithesis'), (thesis, reviewer) => `${thesis} (reviewer: ${reviewer})`);
};

/** What an author gave as reasons: in the offer, or else in the latest antithesis of the same author; '' for none. */
export const reasoningOf = ({ agentId, reasoning }: Offer, record: readonly Recorded[]): string =>
  reasoning ||
  (record.findLast((m) => m.type === 'antithesis' && m.agentId === agentId && m.reasoning)?.reasoning ?? '');

/** Merges what the paused agent (A) and the reviewer (B) offer (spec dialectic C.4); A's words count where both agree. */
export const mergeOffers = (a: Offer, b: Offer, record: readonly Recorded[]): Terms => {
  const [reasonsA, reasonsB] = [reasoningOf(a, record), reasoningOf(b, record)];
  return {
    conditions: mergeConditions(a.conditions, b.conditions),
    rootCause: rootCauseOf(a, b, record),
    reasoning: reasonsA && reasonsB ? `Agent A: ${reasonsA}\nAgent B: ${reasonsB}` : reasonsA || reasonsB,
  };
};
