import { expect, test } from 'vitest';
import { testDatabase } from './database.ts';
import { PoolInTransaction } from './pool-guard.ts';

const db = await testDatabase();
const one = { text: 'SELECT 1 AS one' };

test('a pool of a test throws when it is used inside of a transaction on it, however deep, and only then', async () => {
  const { database } = db;
  const deep = async () => {
    await Promise.resolve();
    return database.query(one);
  };
  await expect(database.transaction(deep)).rejects.toThrow(PoolInTransaction);
  await expect(database.transaction(() => database.transaction((tx) => tx.query(one)))).rejects.toThrow(
    PoolInTransaction,
  );
  expect(await database.transaction((tx) => tx.query(one))).toEqual([{ one: 1 }]);
  expect(await Promise.all([database.transaction((tx) => tx.query(one)), database.query(one)])).toHaveLength(2);
  const later = Promise.withResolvers<undefined>();
  let after: Promise<unknown> | undefined;
  await database.transaction(async () => void (after = later.promise.then(() => database.query(one))));
  later.resolve(undefined);
  expect(await after).toEqual([{ one: 1 }]);
});
