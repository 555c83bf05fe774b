import { describe, expect, it, onTestFinished } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { createNotifier } from '../postgres/index.ts';
import { DAY_MS, systemClock, systemIds } from '../runtime/index.ts';
import { credentialHash } from './binding.ts';
import {
  createOperator,
  dissolveOperator,
  listOperators,
  operatorSecret,
  operatorState,
  revokeOperator,
  type OperatorScope,
} from './operators.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const { database, open } = await testDatabase({ at: NOW });

const create = (
  name: string,
  over: { scopes?: OperatorScope[]; days?: number; now?: number; secret?: string } = {},
) => {
  const now = over.now ?? NOW;
  return createOperator(database, {
    by: 'me',
    name,
    scopes: over.scopes ?? ['operator:act'],
    expiresAt: now + (over.days ?? 365) * DAY_MS,
    now,
    secret: over.secret ?? operatorSecret(systemIds.secret()),
  });
};

/** The keys that a running node hears of until the test ends. */
const heardByNode = async (): Promise<string[]> => {
  const heard: string[] = [];
  const notifier = createNotifier({ database: open(), nodeId: 'node', clock: systemClock, onError: () => undefined });
  notifier.onChange('bindings', (keys) => void heard.push(...keys));
  await notifier.start();
  onTestFinished(() => notifier.stop());
  return heard;
};

describe('operators', () => {
  it('have secrets of their own form, of which only the hash is stored', async () => {
    const secret = operatorSecret(systemIds.secret());
    expect(secret).toMatch(/^bwo_[\w-]{43}$/);
    expect(await create('hashed', { secret })).toMatchObject({ ok: true });
    const [row] = await database.query<{ text: string }>({
      text: `SELECT b::text AS text FROM core.bindings b WHERE name = 'hashed'`,
    });
    expect(row?.text).toContain(credentialHash(secret));
    const [found] = await database.query<{ rows: number }>({
      text: 'SELECT count(*) AS rows FROM core.bindings b WHERE strpos(b::text, $1) > 0',
      values: [secret.slice('bwo_'.length)],
    });
    expect(found?.rows).toBe(0);
  });

  it('that may act may also see; the others only see', async () => {
    expect(await create('actor')).toMatchObject({ value: { scopes: ['operator:read', 'operator:act'] } });
    expect(await create('reader', { scopes: ['operator:read'] })).toMatchObject({
      value: { scopes: ['operator:read'] },
    });
    const rows = await database.query({
      text: `SELECT kind, agent_id, scopes FROM core.bindings WHERE name IN ('actor', 'reader') ORDER BY name`,
    });
    expect(rows).toEqual([
      { kind: 'operator', agent_id: null, scopes: ['operator:read', 'operator:act'] },
      { kind: 'operator', agent_id: null, scopes: ['operator:read'] },
    ]);
  });

  it('are one of a name in force, also when several are made at once', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => create('twin')));
    expect(made.filter(({ ok }) => ok)).toHaveLength(1);
    expect(made.find(({ ok }) => !ok)).toMatchObject({
      refusal: {
        code: 'PARAMETER_ERROR',
        message: 'An operator "twin" is in force already.',
        recovery: { action: expect.stringContaining('operator revoke') as string },
      },
    });
  });

  it('free their name when they are revoked, and when they expire', async () => {
    await create('again', { days: 1 });
    expect(await create('again', { now: NOW + DAY_MS })).toMatchObject({ ok: false });
    expect(await create('again', { now: NOW + DAY_MS + 1 })).toMatchObject({ ok: true });
    expect(await revokeOperator(database, 'again', NOW + 2 * DAY_MS, 'me')).toMatchObject({ ok: true });
    expect(await create('again', { now: NOW + 2 * DAY_MS })).toMatchObject({ ok: true });
    const all = (await listOperators(database)).filter(({ name }) => name === 'again');
    expect(all.map((one) => operatorState(one, NOW + 3 * DAY_MS))).toEqual(['in force', 'revoked', 'expired']);
  });

  it.each(['', '  ', 'two\nlines', 'x'.repeat(101)])('refuse a name that is none: %j', async (name) => {
    expect(await create(name)).toMatchObject({ ok: false, refusal: { details: { field: 'name' } } });
  });

  it('are listed without their hash', async () => {
    await create('listed', { days: 2 });
    const listed = (await listOperators(database)).find(({ name }) => name === 'listed');
    expect(listed).toEqual({
      name: 'listed',
      scopes: ['operator:read', 'operator:act'],
      createdAt: NOW,
      expiresAt: NOW + 2 * DAY_MS,
      lastSeenAt: null,
      revokedAt: null,
    });
    expect(operatorState(listed!, NOW + 2 * DAY_MS)).toBe('in force');
    expect(operatorState(listed!, NOW + 2 * DAY_MS + 1)).toBe('expired');
  });

  it('that are not in force cannot be revoked, and are not said to be', async () => {
    await create('over', { days: 1 });
    for (const name of ['nobody', 'over']) {
      expect(await revokeOperator(database, name, NOW + 2 * DAY_MS, 'me')).toMatchObject({
        ok: false,
        refusal: { message: `No operator "${name}" is in force.` },
      });
    }
  });

  it('are heard of by running nodes when they are made and when they are revoked, and else not', async () => {
    const heard = await heardByNode();
    const secret = operatorSecret(systemIds.secret());
    const hash = credentialHash(secret);
    await create('news', { secret });
    await expect.poll(() => heard, { timeout: 1000, interval: 5 }).toEqual([hash]);
    expect(await create('news')).toMatchObject({ ok: false });
    await revokeOperator(database, 'news', NOW + 1, 'me');
    await expect.poll(() => heard, { timeout: 1000, interval: 5 }).toEqual([hash, hash]);
  });

  it('made for one piece of work leave no row behind, and both ends in the audit trail', async () => {
    const heard = await heardByNode();
    const secret = operatorSecret(systemIds.secret());
    await create('passing', { secret });
    await dissolveOperator(database, secret, NOW + 1, 'me');
    expect((await listOperators(database)).map(({ name }) => name)).not.toContain('passing');
    await expect.poll(() => heard.filter((key) => key === credentialHash(secret))).toHaveLength(2);
    const trail = await database.query<{ type: string }>({
      text: `SELECT event_type AS type FROM audit.events WHERE payload->>'name' = 'passing' ORDER BY ts`,
    });
    expect(trail).toHaveLength(2);
    await dissolveOperator(database, secret, NOW + 2, 'me');
    expect(await create('passing')).toMatchObject({ ok: true });
  });
});
