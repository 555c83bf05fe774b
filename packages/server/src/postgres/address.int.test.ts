import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { transactionPooler } from '../../testing/transaction-pooler.ts';
import { verifies } from '../../testing/verifies.ts';
import { checkAddress } from './address.ts';
import { openDatabase } from './connect.ts';
import { StartupError } from './startup-error.ts';

describe('an address', async () => {
  const { target, open } = await testDatabase({ empty: true });
  if ('url' in target) throw new Error('the tests run on a socket');
  const direct = `postgres://breakwater@localhost/${target.database}?host=${target.socketDir}`;
  const refusal = (work: Promise<void>): Promise<unknown> =>
    work.then(
      () => 'accepted',
      (error: unknown) => error,
    );
  const through = async <T>(prepared: 'lost' | 'carried', work: (url: string) => Promise<T>): Promise<T> => {
    const pooler = await transactionPooler(target, prepared);
    try {
      return await work(pooler.url);
    } finally {
      await pooler.close();
    }
  };

  it('of PostgreSQL itself is accepted', async () => {
    expect(await refusal(checkAddress(direct))).toBe('accepted');
  });

  it('of a pooler in transaction mode is refused at the start, with words on how to set it up', async () => {
    verifies('BW-nodes.04');
    const lost = await through('lost', (url) => refusal(checkAddress(url)));
    expect(lost).toBeInstanceOf(StartupError);
    expect(lost).toMatchObject({
      message: expect.stringContaining('forgets prepared statements') as string,
      wayOut: expect.stringContaining('max_prepared_statements') as string,
    });
    const deaf = await through('carried', (url) => refusal(checkAddress(url)));
    expect(deaf).toBeInstanceOf(StartupError);
    expect(deaf).toMatchObject({
      message: expect.stringContaining('hears no notification') as string,
      wayOut: expect.stringContaining('BREAKWATER_DIRECT_URL') as string,
    });
  });

  it('of a pooler that carries prepared statements is accepted beside the direct one, which must be of one database', async () => {
    verifies('BW-nodes.04');
    expect(await through('carried', (url) => refusal(checkAddress(url, direct)))).toBe('accepted');
    const elsewhere = await through('carried', (url) =>
      refusal(checkAddress(url, direct.replace(target.database, 'postgres'))),
    );
    expect(elsewhere).toMatchObject({ message: expect.stringContaining('is not heard over') as string });
  });

  it('without the settings of a session is refused, since months would be another time zone’s', async () => {
    const database = open();
    await database.query({ text: `ALTER DATABASE ${target.database} SET timezone = 'Asia/Tokyo'` });
    const moved = await through('carried', (url) => refusal(checkAddress(url, direct)));
    expect(moved).toMatchObject({ message: expect.stringContaining('drops the settings') as string });
    // Whoever passes them is not touched by what the database says.
    expect(await refusal(checkAddress(direct))).toBe('accepted');
  });

  it('is left by connections of their own for the direct one', async () => {
    await through('carried', async (url) => {
      const both = openDatabase({ target: { url }, direct: { url: direct }, onError: () => undefined });
      const own = await both.connect();
      const heard = new Promise<string>((resolve) => own.onNotification((_, payload) => resolve(payload)));
      await own.query({ text: 'LISTEN told' });
      await both.query({ text: `NOTIFY told, 'by the pool'` });
      expect(await heard).toBe('by the pool');
      await own.close();
      await both.close();
    });
  });
});
