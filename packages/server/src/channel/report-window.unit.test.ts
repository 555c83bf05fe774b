import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { reportWindow } from './report-window.ts';

const NOW = Date.UTC(2026, 4, 20, 12);
const read = (since: string, until?: string) => {
  const outcome = reportWindow(since, until, NOW);
  return outcome.ok ? [outcome.value.from, outcome.value.to].map((ms) => new Date(ms).toISOString()) : outcome.refusal;
};

describe('the window of a report', () => {
  it.each([
    ['30m', undefined, '2026-05-20T11:30:00.000Z', '2026-05-20T12:00:00.000Z'],
    ['24h', '1h', '2026-05-19T12:00:00.000Z', '2026-05-20T11:00:00.000Z'],
    ['14d', undefined, '2026-05-06T12:00:00.000Z', '2026-05-20T12:00:00.000Z'],
    ['2026-05-01', '2026-05-15', '2026-05-01T00:00:00.000Z', '2026-05-15T00:00:00.000Z'],
    ['2026-05-01T06:30Z', '2026-05-01T06:30:00.250Z', '2026-05-01T06:30:00.000Z', '2026-05-01T06:30:00.250Z'],
    ['2026-05-01T10:00', '2026-05-01T14:00+02:00', '2026-05-01T10:00:00.000Z', '2026-05-01T12:00:00.000Z'],
    ['2w', undefined, '2026-05-06T12:00:00.000Z', '2026-05-20T12:00:00.000Z'],
  ])('--since %s --until %s', (since, until, from, to) => {
    verifies('W3-6.09');
    expect(read(since, until)).toEqual([from, to]);
  });

  it.each([
    ['14', undefined, 'since'],
    ['', undefined, 'since'],
    ['0h', undefined, 'since'],
    ['9999d', undefined, 'since'],
    ['14d; DROP TABLE x', undefined, 'since'],
    ['2026-02-30', undefined, 'since'],
    ['2026-05-01T10:00:00+25:00', undefined, 'since'],
    ['0000-01-01T00:00:00Z', undefined, 'since'],
    ['2026-06-01', undefined, 'since'],
    ['24h', '24h', 'since'],
    ['24h', 'yesterday', 'until'],
  ])('--since %j --until %j names the field that is wrong', (since, until, field) => {
    expect(read(since, until)).toMatchObject({
      code: 'PARAMETER_ERROR',
      message: expect.stringContaining(`--${field}`) as string,
      details: { field },
      recovery: { action: expect.stringContaining('14d') as string },
    });
  });
});
