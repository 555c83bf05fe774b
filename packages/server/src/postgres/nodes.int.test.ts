import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { postgresProxy } from '../../testing/postgres-proxy.ts';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from '../runtime/index.ts';
import { createTryLock } from './advisory.ts';
import { openDatabase } from './connect.ts';
import type { Database } from './database.ts';
import { createNotifier } from './notify.ts';

describe('locks between nodes', async () => {
  const { database, open, killConnections } = await testDatabase({ empty: true });
  const node = (on: Database) => {
    const locks = createTryLock(on);
    onTestFinished(() => locks.close());
    return locks;
  };

  it('are held by one node, and by one user within it', async () => {
    const [a, b] = [node(database), node(open())];
    const release = await a.tryLock('job');
    expect(release).toBeDefined();
    expect(await a.tryLock('job')).toBeUndefined();
    expect(await b.tryLock('job')).toBeUndefined();
    expect(await b.tryLock('another job')).toBeDefined();
    await release?.();
    const taken = await b.tryLock('job');
    expect(taken).toBeDefined();
    expect(await a.tryLock('job')).toBeUndefined();
  });

  it('of a node that died go to another', async () => {
    const [a, b] = [node(database), node(open())];
    await a.tryLock('job');
    await a.close();
    expect(await b.tryLock('job')).toBeDefined();
  });

  it('stay with their user while its connection is lost, and are taken anew after it', async () => {
    const [a, b] = [node(database), node(open())];
    const release = await a.tryLock('job');
    await killConnections();
    expect(await a.tryLock('job')).toBeUndefined();
    expect(await a.tryLock('another job')).toBeDefined();
    await release?.();
    const again = await b.tryLock('job');
    expect(again).toBeDefined();
    await again?.();
    expect(await a.tryLock('job')).toBeDefined();
  });
});

describe('news between nodes', async () => {
  const { database, target, open, killConnections } = await testDatabase({ empty: true });

  const node = async (on: Database, nodeId: string) => {
    const heard: string[] = [];
    const gaps: number[] = [];
    const errors: unknown[] = [];
    const notifier = createNotifier({
      database: on,
      nodeId,
      clock: systemClock,
      onError: (error) => errors.push(error),
    });
    notifier.onChange('agents', (keys) => void heard.push(...keys));
    notifier.onGap(async () => void gaps.push(1));
    await notifier.start();
    onTestFinished(() => notifier.stop());
    return { notifier, heard, gaps, errors };
  };

  it('reach the others and not oneself, each key once, however many there are', async () => {
    const [a, b] = [await node(database, 'a'), await node(open(), 'b')];
    const keys = Array.from({ length: 3_000 }, (_, i) => `agent-${i}-ü`);
    for (const key of [...keys, ...keys]) a.notifier.announce('agents', key);
    a.notifier.announce('flags', 'not for agents');
    await vi.waitFor(() => expect(b.heard).toHaveLength(keys.length), 5_000);
    expect([...b.heard].sort()).toEqual([...keys].sort());
    expect(a.heard).toEqual([]);
    expect([...a.errors, ...b.errors]).toEqual([]);
  });

  it('that cannot be understood are ignored', async () => {
    const b = await node(open(), 'b');
    for (const text of ['', 'x', '1', 'null', '{}', '{"node":1}', '{"node":"a","table":"agents","keys":"x"}']) {
      await database.query({ text: 'SELECT pg_notify($1, $2)', values: ['breakwater_changes', text] });
    }
    const good = JSON.stringify({ node: 'a', table: 'agents', keys: ['k', 1] });
    await database.query({ text: 'SELECT pg_notify($1, $2)', values: ['breakwater_changes', good] });
    await vi.waitFor(() => expect(b.heard).toEqual(['k']), 5_000);
    expect(b.errors).toEqual([]);
  });

  it('are told to have a gap after the connection was lost, and flow again', async () => {
    const [a, b] = [await node(database, 'a'), await node(open(), 'b')];
    expect(b.gaps).toEqual([]);
    await killConnections();
    a.notifier.announce('agents', 'lost, perhaps');
    await vi.waitFor(() => expect([a.gaps.length, b.gaps.length]).toEqual([1, 1]), 10_000);
    a.notifier.announce('agents', 'after');
    await vi.waitFor(() => expect(b.heard).toContain('after'), 5_000);
    const [row] = await database.query<{ count: number }>({
      text: `SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
    });
    expect(row?.count).toBeLessThanOrEqual(2);
  });

  it('wait until they can be sent, and are heard then without a gap', async () => {
    verifies('BW-nodes.02');
    if ('url' in target) throw new Error('the tests run on a socket');
    const proxy = await postgresProxy(target, 'pass');
    const far = openDatabase({ target: { url: proxy.url }, onError: () => undefined });
    onTestFinished(async () => {
      await proxy.close();
      await far.close();
    });
    const [a, b] = [await node(far, 'a'), await node(open(), 'b')];
    proxy.become('refuse');
    a.notifier.announce('agents', 'while it was away');
    await vi.waitFor(() => expect(proxy.refused).toBeGreaterThan(2), 5_000);
    expect(b.heard).toEqual([]);
    proxy.become('pass');
    await vi.waitFor(() => expect(b.heard).toEqual(['while it was away']), 5_000);
    expect(b.gaps).toEqual([]);
  });

  it('of a node that died are looked for by the others within two seconds', async () => {
    verifies('BW-nodes.02');
    const b = await node(open(), 'b');
    if ('url' in target) throw new Error('the tests run on a socket');
    const dying = openDatabase({ target, name: 'breakwater dying', onError: () => undefined });
    const alive = dying.query({ text: 'SELECT pg_sleep(1.5)' });
    // Seen by at least one heartbeat, whose time is a second.
    await alive;
    expect(b.gaps).toEqual([]);
    await dying.close();
    await vi.waitFor(() => expect(b.gaps).toEqual([1]), 2_000);
  });

  it('stop without leaving a connection', async () => {
    const c = await node(open(), 'c');
    await c.notifier.stop();
    await vi.waitFor(async () => {
      const rows = await database.query({
        text: `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
      });
      expect(rows).toEqual([]);
    }, 5_000);
  });
});
