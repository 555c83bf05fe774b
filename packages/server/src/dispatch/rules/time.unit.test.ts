import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTime } from '@breakwater/contract';

const iso = (ms: number | undefined): string | undefined => (ms === undefined ? ms : new Date(ms).toISOString());

describe('times that callers send', () => {
  it.each([
    ['2026-05-31', '2026-05-31T00:00:00.000Z'],
    ['2026-05-31T12:00', '2026-05-31T12:00:00.000Z'],
    ['2026-05-31T12:00:05', '2026-05-31T12:00:05.000Z'],
    ['2026-05-31T12:00Z', '2026-05-31T12:00:00.000Z'],
    ['2026-05-31 12:00:05.123456+02:00', '2026-05-31T10:00:05.123Z'],
    ['2026-05-31t12:00:05.5z', '2026-05-31T12:00:05.500Z'],
    ['2024-02-29T23:59:59-01:30', '2024-03-01T01:29:59.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s, wherever the server stands', (text, time) => {
    expect(iso(readTime(text))).toBe(time);
  });

  it.each([
    '',
    'now',
    '1780000000000',
    '2026-02-30',
    '2026-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-05-31T24:00:00Z',
    '2026-05-31T12:60Z',
    '2026-05-31T12:00:60Z',
    '2026-05-31T12:00+24:00',
    '2026-05-31T12:00+0200',
    '2026-05-31T12',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '+010000-01-01T00:00:00Z',
    '-000001-01-01',
    ' 2026-05-31',
    '2026-05-31T12:00:00Zjunk',
    'Sun, 31 May 2026 12:00:00 GMT',
  ])('%j is none', (text) => {
    expect(readTime(text)).toBeUndefined();
  });

  it('reads what JavaScript writes, and nothing that it would move to another day', () => {
    const [min, max] = [new Date('0001-01-01T00:00:00Z'), new Date('9999-12-31T23:59:59.999Z')];
    fc.assert(
      fc.property(fc.date({ min, max, noInvalidDate: true }), (date) => {
        expect(readTime(date.toISOString())).toBe(date.getTime());
      }),
    );
    fc.assert(
      fc.property(fc.nat(9999), fc.nat(99), fc.nat(99), (year, month, day) => {
        const text = [String(year).padStart(4, '0'), String(month).padStart(2, '0'), String(day).padStart(2, '0')].join(
          '-',
        );
        const read = iso(readTime(text));
        expect(read === undefined || read.startsWith(text)).toBe(true);
      }),
    );
  });
});
