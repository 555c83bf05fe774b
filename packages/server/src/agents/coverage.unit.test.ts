import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { CoverageAccount } from './agent.ts';
import {
  checkedIn,
  coverageAt,
  packCoverage,
  readCoverage,
  resultRecorded,
  silenceAsks,
  silenceAsksFrom,
  unpackCoverage,
} from './coverage.ts';
import { HOUR_MS } from '../runtime/index.ts';

const NOW = Date.UTC(2026, 5, 1, 10, 20);
const DAY = 24 * HOUR_MS;

const claim = (account: CoverageAccount | undefined, now: number, claimed = true) =>
  checkedIn(account, { claimed, expiresAt: now + DAY, now });
const claims = (n: number, account?: CoverageAccount): CoverageAccount | undefined =>
  n === 0 ? account : claims(n - 1, claim(account, NOW));

/** The account after it was stored as JSON and read again. */
const stored = (account: CoverageAccount): CoverageAccount =>
  unpackCoverage(JSON.parse(JSON.stringify(packCoverage(account))));

describe('coverage', () => {
  it('counts claims made, settled, expired and open, check-ins without a claim and results that do not count', () => {
    verifies('BW-outcomes.06');
    let account = claim(claims(3), NOW, false);
    account = resultRecorded(account, { graded: true, claimExpiresAt: NOW + DAY, now: NOW + HOUR_MS });
    account = resultRecorded(account, { graded: false, claimExpiresAt: NOW + DAY, now: NOW + HOUR_MS });
    const counts = { made: 3, settled: 1, unclaimed: 1, ungraded: 1 };
    expect(readCoverage(account, NOW + DAY - 1)).toMatchObject({ ...counts, open: 2, expired: 0, share: 1 });
    // 10:20 runs out with its hour.
    expect(readCoverage(account, NOW + DAY + 40 * 60_000 - 1)).toMatchObject({ open: 2, expired: 0 });
    expect(readCoverage(account, NOW + DAY + 40 * 60_000)).toMatchObject({
      ...counts,
      open: 0,
      expired: 2,
      share: 1 / 3,
    });
  });

  it('is the same wherever and however often it is asked, and after a restart', () => {
    verifies('BW-outcomes.06');
    let account: CoverageAccount | undefined;
    let asked: CoverageAccount | undefined;
    for (let i = 0; i < 200; i += 1) {
      const now = NOW + i * 20 * 60_000;
      account = claim(account, now);
      asked = claim(asked && stored(coverageAt(asked, now)), now);
      if (i % 3 === 0) {
        const result = { graded: true, claimExpiresAt: now - HOUR_MS + DAY, now: now + 1 };
        account = resultRecorded(account, result);
        asked = resultRecorded(asked, result);
      }
    }
    expect(asked).toEqual(account);
    expect(account?.open.length).toBeLessThanOrEqual(26);
    const read = readCoverage(account, NOW + 400 * HOUR_MS);
    expect(read.made).toBe(200);
    expect(read.settled + read.expired).toBe(200);
  });

  it('is stored in less than forty bytes while nothing settled or expired, and refuses to read what it did not write', () => {
    const account = claims(55);
    if (account === undefined) throw new Error('no account');
    expect(JSON.stringify(packCoverage(account)).length).toBeLessThan(40);
    expect(stored(account)).toEqual(account);
    // Accounts that were stored before they were packed.
    expect(unpackCoverage(account)).toEqual(account);
    for (const spoilt of [null, 'x', [], [1, 2, 3], [1, 2, 3, 4, 5, null, [1]], [1, 2, 3, 4, 5, 6, 7]]) {
      expect(() => unpackCoverage(spoilt), JSON.stringify(spoilt)).toThrow('cannot be read');
    }
  });

  it('guides an agent that never records after seven claims, and asks for a person after thirteen', () => {
    verifies('BW-outcomes.06');
    const silence = (n: number) => readCoverage(claims(n), NOW + 2 * DAY);
    expect([silence(6).silence >= 20, silence(7).silence >= 20]).toEqual([false, true]);
    expect([silenceAsks(silence(12)), silenceAsks(silence(13))]).toEqual([false, true]);
  });

  it('leaves an agent alone that settles four of five', () => {
    verifies('BW-outcomes.06');
    let account: CoverageAccount | undefined;
    for (let i = 0; i < 1000; i += 1) {
      const now = NOW + i * 2 * HOUR_MS;
      account = claim(account, now);
      if (i % 5 !== 0) account = resultRecorded(account, { graded: true, claimExpiresAt: now + DAY, now: now + 1 });
      expect(readCoverage(account, now).silence).toBeLessThan(20);
    }
  });

  it('knows nothing of claims from before it was counted', () => {
    const account = resultRecorded(undefined, { graded: true, claimExpiresAt: NOW + DAY, now: NOW });
    expect(readCoverage(account, NOW)).toMatchObject({ made: 0, settled: 0, share: null, silence: 1 });
  });
});

it('silence asks for nobody before the instant that an account gives', () => {
  const accounts = fc.record({
    wealth: fc.array(fc.double({ min: 1, max: 1500, noNaN: true }), { minLength: 4, maxLength: 4 }),
    open: fc.array(fc.nat(9), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(accounts, fc.integer({ min: -2, max: 8 }), fc.nat(3_599_999), ({ wealth, open }, hour, ms) => {
      const account = { made: 9, settled: 1, expired: 0, unclaimed: 0, ungraded: 0, silence: wealth, from: 500, open };
      const now = (500 + hour) * 3_600_000 + ms;
      const asks = silenceAsks(readCoverage(account, now));
      if (now < silenceAsksFrom(account)) expect(asks).toBe(false);
    }),
  );
  // An account alone says it of most: claims enough that ran out, and that still may.
  const quiet = { made: 9, settled: 9, expired: 0, unclaimed: 0, ungraded: 0, silence: [1, 1, 1, 1], from: 500 };
  expect(silenceAsksFrom(undefined)).toBe(Infinity);
  expect(silenceAsksFrom({ ...quiet, open: [1, 1] })).toBe(Infinity);
  expect(silenceAsksFrom({ ...quiet, open: [1, 20] })).toBe(501 * 3_600_000);
});
