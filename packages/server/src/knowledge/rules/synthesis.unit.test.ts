import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { DAY, finding, NOW } from '../testing/finding.ts';
import { similarByTags } from './similar.ts';
import { synthesise, type Member } from './synthesis.ts';

const member = (i: number, over: Partial<Member> = {}): Member =>
  finding({ id: `f${i}`, summary: `Finding ${i}`, tags: ['locks'], createdAt: NOW - i * DAY, ...over });

describe('a synthesis', () => {
  it('says how many, of what, how severe, by whom, and what foremost', () => {
    verifies('BW-knowledge.01');
    const rolled = synthesise('locks', [
      member(1),
      member(2, { severity: 'high', type: 'bug_found', tags: ['locks', 'postgres'], agentId: 'bob' }),
      member(3, { tags: ['postgres', 'locks'], summary: `long\n${'x'.repeat(300)}` }),
    ]);
    expect(rolled).toMatchObject({
      summary: '3 open findings on "locks": 2 note, 1 bug_found; 1 of them high or critical. Foremost: Finding 2',
      severity: 'medium',
      tags: ['locks', 'synthesis'],
      memberIds: ['f2', 'f1', 'f3'],
    });
    expect(rolled.details).toBe(
      [
        'From 2026-05-29 to 2026-05-31, by 2 writers.',
        'Severity: 2 low, 1 high.',
        'Often together with: postgres.',
        '',
        '- [high, bug_found] Finding 2 (f2)',
        '- [low, note] Finding 1 (f1)',
        `- [low, note] long ${'x'.repeat(195)}… (f3)`,
      ].join('\n'),
    );
  });

  it('names forty, links fifty, and never alarms by itself', () => {
    const rolled = synthesise(
      'locks',
      Array.from({ length: 60 }, (_, i) => member(i)),
    );
    expect(rolled.details).toContain('…and 20 more.');
    expect(rolled.memberIds).toHaveLength(50);
    expect(rolled.severity).toBe('low');
    expect(synthesise('locks', [member(1, { severity: 'critical' })]).severity).toBe('medium');
  });

  it('is the same whatever the order, and another one for other findings', () => {
    verifies('BW-knowledge.01');
    const members = Array.from({ length: 8 }, (_, i) => member(i, { createdAt: NOW }));
    const rolled = synthesise('locks', members);
    fc.assert(
      fc.property(fc.shuffledSubarray(members, { minLength: 8 }), (shuffled) => {
        expect(synthesise('locks', shuffled)).toEqual(rolled);
      }),
    );
    expect(synthesise('locks', members.slice(1)).membersHash).not.toBe(rolled.membersHash);
  });
});

describe('similar findings', () => {
  it('share a third of their tags, nearest first, five at most', () => {
    verifies('BW-knowledge.01');
    const others = [
      { id: 'far', tags: ['a', 'x', 'y', 'z'] },
      { id: 'near', tags: ['a', 'b'] },
      { id: 'nearer', tags: ['a', 'b', 'c'] },
      { id: 'none', tags: ['q'] },
    ];
    expect(similarByTags(['a', 'b', 'c'], others).map(({ finding: { id }, weight }) => [id, weight])).toEqual([
      ['nearer', 1],
      ['near', 2 / 3],
    ]);
    const many = Array.from({ length: 9 }, () => ({ tags: ['a'] }));
    expect(similarByTags(['a'], many)).toHaveLength(5);
  });
});
