import { FAILURE_EVENTS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { storageFailure } from './storage-failure.ts';

const { open } = await testDatabase({ empty: true });

it('tells a pool whose connections are all lent out from a server that is away', async () => {
  const pool = open({ poolSize: 1 });
  let release: () => void = () => undefined;
  const lent = pool.transaction(() => new Promise<void>((resolve) => (release = resolve)));
  const asked = [pool.query({ text: 'SELECT 1' }), pool.transaction((tx) => tx.query({ text: 'SELECT 1' }))];
  const errors = await Promise.all(asked.map((query) => query.catch((error: unknown) => error)));
  for (const error of errors) {
    expect(storageFailure(error)).toEqual({
      type: FAILURE_EVENTS.poolExhausted,
      payload: { timeout_s: 5, pool_size: 1, pool_idle: 0, waiting: expect.any(Number) as number },
    });
  }
  release();
  await lent;
  expect(await pool.query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
});
