import { describe, expect, it, type TestContext } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { postgresProxy } from '../../testing/postgres-proxy.ts';
import { privatePostgres } from '../../testing/private-postgres.ts';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from '../runtime/index.ts';
import { openDatabase } from './connect.ts';
import { classifyError } from './errors.ts';
import { createNotifier } from './notify.ts';
import { createWriteProbe } from './write-probe.ts';

/** A half-open connection is left within this time (BW-nodes.05). */
const BOUND_MS = 10_000;

describe.concurrent('connections whose packets vanish', async () => {
  const { target, open } = await testDatabase();
  if ('url' in target) throw new Error('the tests run on a socket');

  const throughProxy = async ({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) => {
    const proxy = await postgresProxy(target, 'pass');
    const far = openDatabase({ target: { url: proxy.url }, onError: () => undefined });
    onTestFinished(async () => {
      await proxy.close();
      await far.close();
    });
    return { proxy, far };
  };
  const ask = { text: 'SELECT 1 AS one' };

  it('fail their statement as lost ones do, and the next one gets through', async (test) => {
    verifies('BW-nodes.05');
    const { expect } = test;
    const { proxy, far } = await throughProxy(test);
    const lane = await far.connect();
    await Promise.all([far.query(ask), lane.query(ask)]);
    const closed = new Promise<void>((resolve) => lane.onClosed(resolve));
    proxy.halfOpen();
    const started = performance.now();
    const failed = await Promise.allSettled([
      far.query(ask),
      lane.query(ask),
      far.transaction((tx) => tx.query({ text: 'SELECT 2 AS two' })),
    ]);
    expect(performance.now() - started).toBeLessThan(BOUND_MS);
    // The transaction has taken a new connection, since the old one was lent out.
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    for (const one of failed.slice(0, 2)) {
      expect(classifyError((one as PromiseRejectedResult).reason)).toBe('connection');
    }
    await closed;
    expect(await far.query(ask)).toEqual([{ one: 1 }]);
  });

  it('are told from statements that take long, also from one that waits for a lock', async (test) => {
    const { expect } = test;
    const { far } = await throughProxy(test);
    const held = open();
    let release = (): void => undefined;
    const holder = held.transaction(async (tx) => {
      await tx.query({ text: 'LOCK TABLE core.agents IN ACCESS EXCLUSIVE MODE' });
      await new Promise<void>((resolve) => (release = resolve));
    });
    const waits = far.query({ text: 'SELECT count(*) AS n FROM core.agents' });
    expect(await far.query({ text: `SELECT 3 AS three FROM pg_sleep(${BOUND_MS / 1000})` })).toEqual([{ three: 3 }]);
    release();
    await holder;
    expect(await waits).toEqual([{ n: 0 }]);
  });

  it('are noticed by a node that only listens, which then looks at what it missed', async (test) => {
    verifies('BW-nodes.05');
    const { expect } = test;
    const { proxy, far } = await throughProxy(test);
    const gap = Promise.withResolvers<number>();
    const notifier = createNotifier({
      database: far,
      nodeId: 'far',
      clock: systemClock,
      onError: () => undefined,
    });
    notifier.onGap(async () => gap.resolve(performance.now()));
    await notifier.start();
    test.onTestFinished(() => notifier.stop());
    const started = performance.now();
    proxy.halfOpen();
    expect((await gap.promise) - started).toBeLessThan(BOUND_MS);
  });

  it('leave a node not ready after two seconds, and ready again when packets arrive', async (test) => {
    verifies('BW-nodes.04');
    const { expect } = test;
    const { proxy, far } = await throughProxy(test);
    const problem = createWriteProbe(far, systemClock);
    expect(await problem()).toBeUndefined();
    proxy.halfOpen();
    proxy.become('hang');
    const started = performance.now();
    expect(String((await problem())?.error)).toContain('commits nothing within 2000 ms');
    expect(performance.now() - started).toBeLessThan(3_000);
    proxy.become('pass');
    const limit = performance.now() + BOUND_MS + 2_000;
    while ((await problem()) !== undefined) expect(performance.now()).toBeLessThan(limit);
  });
});

describe('a server that takes no writes', async () => {
  const { database, target, open } = await testDatabase({ empty: true });

  it('is no ready one', async () => {
    verifies('BW-nodes.04');
    if ('url' in target) throw new Error('the tests run on a socket');
    const problem = createWriteProbe(open(), systemClock);
    await database.query({ text: `ALTER DATABASE ${target.database} SET default_transaction_read_only = on` });
    expect(await problem()).toMatchObject({ why: 'read_only' });
    await database.query({ text: `ALTER DATABASE ${target.database} RESET default_transaction_read_only` });
  });
});

describe('what keeps commits waiting while PostgreSQL answers leaves a node not ready:', async () => {
  const { open } = await testDatabase({ empty: true });

  it('a synchronous standby that is away', async () => {
    verifies('BW-nodes.04');
    const server = privatePostgres();
    await server.start();
    const database = server.open();
    const problem = createWriteProbe(database, systemClock);
    expect(await problem()).toBeUndefined();
    await database.query({ text: `ALTER SYSTEM SET synchronous_standby_names = 'absent'` });
    await database.query({ text: 'SELECT pg_reload_conf()' });
    // The setting takes a moment to be read. Not asked without pause: among tens of thousands of transactions that write
    // nothing is one that begins a new page of their list, which is written and waits.
    await expect.poll(async () => (await problem())?.why, { interval: 50, timeout: BOUND_MS }).toBe('late');
    expect(await server.open().query({ text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    await database.query({ text: 'ALTER SYSTEM RESET synchronous_standby_names' });
    await database.query({ text: 'SELECT pg_reload_conf()' });
    await expect.poll(problem, { interval: 50, timeout: BOUND_MS }).toBeUndefined();
  });

  it('a lane of commits that is stuck while other connections pass', async () => {
    verifies('BW-nodes.04');
    let stalled = 0;
    const problem = createWriteProbe(open(), systemClock, () => stalled);
    expect(await problem()).toBeUndefined();
    stalled = 2_000;
    expect(await problem()).toMatchObject({ why: 'late' });
  });
});
