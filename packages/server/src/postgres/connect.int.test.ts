import { expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';

const db = await testDatabase();

test('what is asked at once of one connection, or within one transaction, is asked in order and without a complaint of the driver', async () => {
  const said: string[] = [];
  const hear = (warning: Error) => void said.push(warning.message);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  const numbers = [1, 2, 3, 4];
  const ask = (source: Pick<typeof db.database, 'query'>) =>
    Promise.all(numbers.map((n) => source.query<{ n: number }>({ text: `SELECT ${n} AS n, pg_sleep(0.01)` })));
  const connection = await db.database.connect();
  const failed = connection.query({ text: 'SELECT 1 / 0' });
  const after = ask(connection);
  await expect(failed).rejects.toThrow('division by zero');
  expect((await after).map(([row]) => row?.n)).toEqual(numbers);
  await connection.close();
  expect((await db.database.transaction(ask)).map(([row]) => row?.n)).toEqual(numbers);
  // Warnings are told on the next turn of the loop.
  await new Promise((resolve) => setImmediate(resolve));
  expect(said).toEqual([]);
});
