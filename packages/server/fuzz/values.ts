import type { Random } from '../src/runtime/index.ts';

/** One of some things, by chance. */
export const oneOf = <T>(random: Random, things: readonly T[]): T => {
  const thing = things[Math.floor(random() * things.length)];
  if (thing === undefined && things.length === 0) throw new Error('nothing to choose from');
  return thing as T;
};

/** Parts of an address that somebody might send: no text, no encoding, no number, and what ends a quotation elsewhere. */
export const HOSTILE_PARTS: readonly string[] = [
  'a%00b',
  '%ed%a0%80',
  '%ff',
  '%zz',
  '..%2f',
  "'",
  '-1',
  '1e999',
  '%F0%9F%9A%80',
];

const TEXTS: readonly string[] = [
  '',
  ' ',
  'a\0b',
  '\0',
  'Deployed \ud83d',
  '\udc00x',
  '👩‍💻 ok',
  'Ann\u202egnp',
  '\u200b',
  'operator',
  'оperator',
  'null',
  'undefined',
  '%',
  '%00',
  '\\',
  '"',
  "'; DROP TABLE core.agents; --",
  '$1',
  '<script>x</script>',
  '../../etc/passwd',
  '00000000-0000-0000-0000-000000000000',
  '0198d3c4-7b1e-7c3a-9f00-3a5f0c9b2e11',
  'x'.repeat(300),
  'é'.repeat(5000),
];

const TIMES: readonly string[] = [
  '0000-01-01T00:00:00Z',
  '0001-01-01',
  '2026-02-30',
  '2026-05-31T12:00',
  '9999-12-31T23:59:59-23:59',
  '292278994-08-17T00:00:00Z',
  'infinity',
  '24h',
  '99999999d',
];

const NUMBERS: readonly unknown[] = [
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  '1e999',
  '-0',
  '0x10',
  'NaN',
  'Infinity',
];

const JSON_TEXTS: readonly string[] = [
  '{}',
  '[]',
  '{"a":1}',
  '[1,2]',
  '["\\ud800"]',
  '{"\\u0000":1}',
  '{"__proto__":{"x":1}}',
  '[[[[[[1]]]]]]',
  '{"exit_code":"0","command":"npm test"}',
  'true',
  '[',
];

const nested = (depth: number): unknown => (depth === 0 ? 1 : { k: nested(depth - 1) });

const CONTAINERS: readonly unknown[] = [
  {},
  [],
  [null],
  { a: { b: { c: 'a\0b' } } },
  { 'k\0': 1 },
  { '\ud800': 1 },
  [1, 'x', { y: [] }],
  { exit_code: 0, command: 'npm test' },
  { exit_code: 1e300 },
  nested(20),
  nested(40),
];

/** A value that somebody might send by mistake or on purpose, whatever was asked for. */
export const hostile = (random: Random): unknown => {
  const kind = random();
  if (kind < 0.35) return oneOf(random, TEXTS);
  if (kind < 0.5) return oneOf(random, NUMBERS);
  if (kind < 0.6) return oneOf(random, TIMES);
  if (kind < 0.75) return oneOf(random, JSON_TEXTS);
  if (kind < 0.9) return oneOf(random, CONTAINERS);
  return oneOf<unknown>(random, [null, true, false, 'true', 'no']);
};

/** A name with one letter too many, too few, or another one; now and then one that is no text. */
export const misspelt = (random: Random, name: string): string => {
  const at = Math.floor(random() * name.length);
  const kind = random();
  if (kind < 0.3) return name.slice(0, at) + name.slice(at + 1);
  if (kind < 0.6) return `${name.slice(0, at)}e${name.slice(at)}`;
  if (kind < 0.9) return `${name.slice(0, at)}z${name.slice(at + 1)}`;
  return `${name}\0`;
};
