import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { mergeConditions, mergeOffers, reasoningOf, type Offer } from './merge.ts';

const offer = (agentId: string, change: Partial<Offer> = {}): Offer => ({
  agentId,
  conditions: [],
  rootCause: null,
  reasoning: null,
  ...change,
});
const entry = (type: 'thesis' | 'antithesis' | 'synthesis', agentId: string, change: Partial<Offer> = {}) => ({
  ...offer(agentId, change),
  type,
});

describe('merged conditions', () => {
  it('begin with what both ask for, in the words of A, in the order of B', () => {
    verifies('BW-dialectic.01', 'W3-5.07');
    expect(mergeConditions(['add logging', 'report daily now'], ['Report daily, now', 'Add more logging'])).toEqual([
      'report daily now',
      'add logging',
    ]);
  });

  it('then hold the rest of A and the rest of B', () => {
    verifies('BW-dialectic.01');
    expect(mergeConditions(['w x', 'add logging'], ['y z', 'add logging', 'Add logging!'])).toEqual([
      'add logging',
      'w x',
      'y z',
    ]);
  });

  it('pair with the most alike, and with the first of equals', () => {
    verifies('BW-dialectic.01');
    expect(mergeConditions(['one two three four', 'one two three five'], ['one two three five'])).toEqual([
      'one two three five',
      'one two three four',
    ]);
    expect(mergeConditions(['one two three x', 'one two three y'], ['one two three'])).toEqual([
      'one two three x',
      'one two three y',
    ]);
  });

  it('leave out what contradicts an earlier one, wherever it comes from', () => {
    verifies('BW-dialectic.01');
    expect(mergeConditions(['raise pace', 'lower heat', 'rest'], ['lower pace', 'sleep'])).toEqual([
      'raise pace',
      'rest',
      'sleep',
    ]);
    expect(mergeConditions(['lower pace', 'raise heat'], ['raise heat'])).toEqual(['raise heat']);
  });

  it('do not hold shared ones against each other', () => {
    verifies('BW-dialectic.01');
    const both = ['raise pace', 'lower heat'];
    expect(mergeConditions(both, both)).toEqual(both);
  });

  it('leave both lists as they were', () => {
    verifies('W3-5.07');
    const [a, b] = [Object.freeze(['add logging', 'x']), Object.freeze(['add logging', 'y'])];
    expect(mergeConditions(a, b)).toEqual(mergeConditions(a, b));
    expect(a).toEqual(['add logging', 'x']);
  });
});

describe('merged offers', () => {
  const record = [
    entry('thesis', 'A', { rootCause: '' }),
    entry('thesis', 'A', { rootCause: 'loop', reasoning: 'never read' }),
    entry('antithesis', 'B', { rootCause: 'LOOP', reasoning: 'old' }),
    entry('antithesis', 'B', { rootCause: 'later', reasoning: 'new' }),
    entry('antithesis', 'B', { reasoning: '' }),
    entry('antithesis', 'C', { reasoning: 'of another' }),
  ];
  const causes = (a: string | null, b: string | null, from: typeof record = []) =>
    mergeOffers(offer('A', { rootCause: a }), offer('B', { rootCause: b }), from).rootCause;

  it('name both root causes, or the one there is', () => {
    verifies('BW-dialectic.01');
    expect(causes('x', 'y')).toBe('x (also: y)');
    expect(causes('Same', 'same')).toBe('Same');
    expect(causes('x', '')).toBe('x');
    expect(causes(null, 'y')).toBe('y');
    expect(causes('x', 'y', record)).toBe('x (also: y)');
    expect(causes(null, null)).toBe('');
  });

  it('take the root causes of the record where no offer has one', () => {
    verifies('BW-dialectic.01');
    expect(causes(null, '', record)).toBe('loop');
    expect(causes(null, null, record.slice(2))).toBe('LOOP');
    expect(causes(null, null, record.toSpliced(2, 1))).toBe('loop (reviewer: later)');
  });

  it('give the reasons of both, each from the latest antithesis of its author where the offer has none', () => {
    verifies('BW-dialectic.01');
    const reasons = (a: string | null, b: string | null) =>
      mergeOffers(offer('A', { reasoning: a }), offer('B', { reasoning: b }), record).reasoning;
    expect(reasons('ra', 'rb')).toBe('Agent A: ra\nAgent B: rb');
    expect(reasons('ra', null)).toBe('Agent A: ra\nAgent B: new');
    expect(reasons(null, '')).toBe('new');
    expect(reasoningOf(offer('A', { reasoning: 'own' }), record)).toBe('own');
    expect(reasoningOf(offer('D'), record)).toBe('');
  });
});
