import { expect, it } from 'vitest';
import { ERRORS, REPEATS, type ErrorCode } from '../packages/contract/src/index.ts';
import { SEND_AGAIN } from '../packages/sdk/src/loop.ts';

const repeated = (how: string): string[] => Object.keys(REPEATS).filter((code) => REPEATS[code as ErrorCode] === how);

it('the way out of a refusal says to repeat the call where the catalogue says that one may, and nowhere else', () => {
  const told = Object.entries(ERRORS)
    .filter(([, { recovery }]) =>
      /^(Repeat the call|Wait for (Retry-After|retry_after_seconds))|, wait for retry_/.test(recovery.action),
    )
    .map(([code]) => code);
  expect(told.sort()).toEqual(Object.keys(REPEATS).sort());
  for (const [code, { status }] of Object.entries(ERRORS)) {
    if (status === 503) expect(REPEATS[code as ErrorCode], code).toBe('wait');
  }
});

it('the SDK sends again what the catalogue says may be repeated', () => {
  expect([...SEND_AGAIN].sort()).toEqual(repeated('repeat').sort());
});
