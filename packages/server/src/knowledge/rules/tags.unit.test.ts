import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { canonicalTags, lostTags, normalTags, stringsOf } from './tags.ts';

describe('tags', () => {
  it.each([
    [
      ['PostgreSQL', 'postgres', ' Row Locks!! ', 'ROW-LOCKS', '--a__b--'],
      ['postgres', 'row-locks', 'a-b'],
    ],
    ['["x y", "z"]', ['x-y', 'z']],
    ['x, y ,,Z', ['x', 'y', 'z']],
    ['[x, y', ['x', 'y']],
    [
      ['', '  ', '日本', 'Été', 'E\u0301te\u0301', 'Ёлка', 'a\u200bb', 'مرحبا'],
      ['日本', 'été', 'ёлка', 'ab', 'مرحبا'],
    ],
    [undefined, []],
    [[1, null, { a: 1 }, 'k'], ['k']],
  ])('%j become %j', (given, tags) => {
    verifies('BW-knowledge.01');
    expect(normalTags(given)).toEqual({ tags, left: 0, lost: [] });
  });

  it('are at most fifty, and the others are counted', () => {
    const many = Array.from({ length: 60 }, (_, i) => `t${i}`);
    expect(normalTags(many)).toEqual({ tags: many.slice(0, 50), left: 10, lost: [] });
  });

  it('come out the same when they are normalised again, and hold letters, digits and single hyphens only', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 100, unit: 'binary' })), (given) => {
        const { tags } = normalTags(given);
        expect(normalTags(tags).tags).toEqual(tags);
        for (const tag of tags) expect(tag).toMatch(/^[\p{L}\p{M}\p{N}]+(-[\p{L}\p{M}\p{N}]+)*$/u);
      }),
    );
  });

  it('that have nothing to keep are told', () => {
    verifies('BW-dispatch.09');
    const { tags, lost } = normalTags(['!!!', 'ok', '🚀', '\u3164']);
    expect([tags, lost]).toEqual([['ok'], ['!!!', '🚀', '\u3164']]);
    expect(lostTags(lost)).toEqual([expect.stringContaining('"!!!", "🚀"')]);
    expect(lostTags([])).toEqual([]);
  });

  it('of one meaning are put together by the lifecycle only, and an ephemeral one keeps its meaning', () => {
    expect(normalTags(['db', 'auth']).tags).toEqual(['db', 'auth']);
    expect(canonicalTags(['db', 'x', 'database', 'auth', 'test'])).toEqual(['database', 'x', 'identity', 'test']);
  });

  it('strings keep their case where they are no tags', () => {
    expect(stringsOf(' Ann , Bob')).toEqual(['Ann', 'Bob']);
  });
});
