import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { callTool, onboard } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';

const dataDir = temporaryDataDir();
const home = mkdtempSync(join(tmpdir(), 'breakwater-backups-'));
chmodSync(home, 0o755);
const out = join(home, 'first');
afterAll(async () => {
  await removeDataDir(dataDir);
  if (existsSync(out)) await removeDataDir(out);
  rmSync(home, { recursive: true, force: true });
});

test('a backup made under load holds all that was acknowledged before it, and a server starts on it', async () => {
  const server = spawnServer(dataDir, { env: NO_LIMITS });
  const url = await server.ready();
  const agents = await Promise.all(Array.from({ length: 8 }, (_, i) => onboard(url, `Agent ${i}`)));
  let isOver = false;
  /** Check-ins of each agent that were acknowledged so far. */
  const acknowledged = new Map(agents.map(({ agentId }) => [agentId, 0]));
  const working = agents.map(async ({ agentId, secret }) => {
    for (let n = 1; !isOver; n += 1) {
      const text = `Piece ${n} of ${agentId}.`;
      const { result } = await callTool(url, 'sync_state', { client_session_id: secret, response_text: text });
      if (result['success'] !== true) throw new Error(JSON.stringify(result));
      acknowledged.set(agentId, n);
    }
  });
  await expect.poll(() => Math.min(...acknowledged.values())).toBeGreaterThan(20);
  const before = new Map(acknowledged);
  const made = await runCommand(['db', 'backup', '--data-dir', dataDir, '--out', out, '--json']);
  expect({ code: made.code, stderr: made.stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(made.stdout)).toMatchObject({ data_dir: out });
  expect(Math.min(...acknowledged.values()), 'work went on meanwhile').toBeGreaterThan(Math.max(...before.values()));
  isOver = true;
  await Promise.all(working);
  expect(readdirSync(home)).toEqual(['first']);
  await server.stop();

  const restored = spawnServer(out, { env: NO_LIMITS });
  const there = await restored.ready();
  for (const { agentId, secret } of agents) {
    const { result } = await callTool(there, 'agent', { action: 'get', client_session_id: secret });
    expect(result['id']).toBe(agentId);
    expect(result['total_updates']).toBeGreaterThanOrEqual(before.get(agentId) ?? 0);
    const { result: goes } = await callTool(there, 'sync_state', {
      client_session_id: secret,
      response_text: 'And on.',
    });
    expect(goes['success']).toBe(true);
  }
  const verified = await runCommand(['audit', 'verify', '--data-dir', out, '--json']);
  expect(verified.code).toBe(0);
  await restored.stop();
});

test('it writes over nothing, and sends a database of DATABASE_URL to its own tools', async () => {
  const taken = join(home, 'taken');
  mkdirSync(taken);
  const refused = await runCommand(['db', 'backup', '--data-dir', dataDir, '--out', taken]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('exists already');
  const url = 'postgres://somebody@127.0.0.1:1/none';
  const elsewhere = await runCommand(['db', 'backup', '--database-url', url, '--out', join(home, 'x')]);
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).toContain('pg_dump');
});
