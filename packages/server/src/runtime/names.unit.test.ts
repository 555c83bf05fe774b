import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { problemOfName, skeletonOf } from './names.ts';

describe('names', () => {
  it.each([
    'operator',
    'Operator',
    'ＯＰＥＲＡＴＯＲ',
    'о\u0440erator',
    '0per4tor',
    'ορεrατοr',
    'o p e r a t o r!',
    'Öpérátör',
    '𝐨𝐩𝐞𝐫𝐚𝐭𝐨𝐫',
    'operator:alice',
    'Operator：Bob',
    'ѕуѕтем',
    '5y5tem',
    'SYSTEM',
    'r00t',
    'гооt',
    'Root.',
  ])('%s is an operator or the server to whoever reads it, and is refused', (name) => {
    verifies('BW-dispatch.09');
    expect(problemOfName(name.normalize('NFC'))).toMatch(/must not be, or look like, "(operator|system|root)"/);
  });

  it.each([
    ['Ann\u200b', 'U+200B'],
    ['Ann\u202egnp', 'U+202E'],
    ['Ann\u2066x', 'U+2066'],
    ['A\u00adnn', 'U+00AD'],
    ['Ann\nBob', 'U+000A'],
    ['Ann\u2028Bob', 'U+2028'],
    ['\u3164', 'U+3164'],
    ['Ann\ufe0f', 'U+FE0F'],
    ['Ann\u{e0041}', 'U+E0041'],
    ['Ann\ue000', 'U+E000'],
  ])('%j holds what is not seen', (name, sign) => {
    verifies('BW-dispatch.09');
    expect(problemOfName(name)).toContain(sign);
  });

  it.each([
    'release-bot',
    'root-cause-finder',
    'operating-system-watcher',
    'Système',
    'Оператор',
    '日本語',
    'آزمایش',
    '🚀 launcher',
    'e2e',
  ])('%s is a name', (name) => {
    expect(problemOfName(name)).toBeUndefined();
  });

  it('two names that look alike have one skeleton', () => {
    expect(skeletonOf('Реr5istent')).toBe('persistent');
    expect(skeletonOf('Persistent')).toBe('persistent');
  });
});
