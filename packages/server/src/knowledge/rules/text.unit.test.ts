import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { bounded, cutText, leakedMarkup, redactedQuery } from './text.ts';

/** A tag, put together here so that no tool takes this file for a call. */
const tag = (name: string, rest = ''): string => ['<', name, rest, '>'].join('');

describe('text', () => {
  it('is cut, and says from where to where', () => {
    verifies('BW-knowledge.01');
    expect(bounded('abcdef', 4)).toEqual({ text: 'abcd', cut: { from: 6, to: 4 } });
    expect(bounded('abcd', 4)).toEqual({ text: 'abcd', cut: undefined });
  });

  it('is always something that PostgreSQL can hold, and never ends in half a character', () => {
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(bounded('a\0b', 9).text).toBe('a\ufffdb');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), fc.integer({ min: 1, max: 30 }), (text, most) => {
        const kept = bounded(text, most).text;
        expect(kept.length).toBeLessThanOrEqual(most);
        expect(kept.isWellFormed()).toBe(true);
        expect(kept).not.toContain('\0');
      }),
    );
  });

  it.each([
    ['a call', `done. ${tag('invoke', ' name="x"')}`],
    ['an end of an argument', `done.${tag('/parameter')}`],
    ['a prefix', `done.${tag('x:function_calls')}`],
    ['another dialect', `done. ${tag('tool_call')}{}`],
    ['capitals', tag('INVOKE', '\nname')],
    ['a special token', 'done <|tool_calls_begin'],
    ['brackets', 'done [TOOL_CALLS] x'],
    ['a tag that is never closed', 'done <parameter '],
  ])('that has %s in it has swallowed another argument', (_, text) => {
    verifies('BW-knowledge.01');
    expect(leakedMarkup(text)).toBeDefined();
  });

  it.each([
    ['code', `The parser fails on \`${tag('invoke', ' name="x"')}\`.`],
    ['a block of code', `See:\n\`\`\`xml\n${tag('parameter', ' name="a"')}\n\`\`\``],
    ['other tags', 'if a <b> and <div class="parameter">'],
    ['longer names', tag('invoker') + tag('parameters')],
    ['comparisons', 'x < invoke and y > parameter'],
  ])('may write about it in %s', (_, text) => {
    expect(leakedMarkup(text)).toBeUndefined();
  });

  it('is read in a time that grows with its length alone', () => {
    const started = performance.now();
    for (const text of ['<parameter'.repeat(6_000), '`'.repeat(60_000), '<'.repeat(60_000), '```a'.repeat(15_001)])
      leakedMarkup(text);
    expect(performance.now() - started).toBeLessThan(1000);
  });

  it('of a query is kept without secrets, addresses and ids, and short', () => {
    const query = `bearer abc.def token=xyz ann@example.org 5f0c1a52-1111-4222-8333-123456789abc deadlock ${'w'.repeat(40)}`;
    expect(redactedQuery(query)).toBe('[…] […] […] […] deadlock […]');
    expect(redactedQuery('word '.repeat(500))).toHaveLength(200);
  });
});
