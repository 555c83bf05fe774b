import { describe, expect, it } from 'vitest';
import { ancestorsOf, holdOf, MOST_ANCESTORS, type AgentHead } from './agent.ts';

const NOW = Date.UTC(2026, 5, 1);

/** A line of agents, each the parent of the next; the first of them is under a pause. */
const lineOf = (length: number) => {
  const heads = Array.from({ length }, (_, i) => ({
    agentId: `a${i}`,
    parentAgentId: i === 0 ? null : `a${i - 1}`,
    status: i === 0 ? 'paused' : 'active',
    pause: null,
  })) as unknown as AgentHead[];
  const byId = new Map(heads.map((head) => [head.agentId, head]));
  return { last: heads[length - 1] as AgentHead, find: (id: string) => byId.get(id), byId };
};

describe('what holds an agent', () => {
  it('is found at the far end of the longest line that there can be', () => {
    const { last, find } = lineOf(MOST_ANCESTORS + 1);
    expect(ancestorsOf(last, find)).toBe(MOST_ANCESTORS);
    expect(holdOf(last, find, NOW)).toMatchObject({ holder: { agentId: 'a0' }, inherited: true });
  });

  it('is nothing in a line without a pause, and the search ends in a ring', () => {
    const { last, find, byId } = lineOf(3);
    byId.set('a0', { ...(byId.get('a0') as AgentHead), status: 'active', parentAgentId: 'a2' });
    expect(holdOf(last, find, NOW)).toBeUndefined();
    expect(ancestorsOf(last, find)).toBe(3);
  });
});
