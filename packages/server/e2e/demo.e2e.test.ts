import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { freePort, removeDataDir, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const DEMO = fileURLToPath(new URL('../demo/main.ts', import.meta.url));
const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

const runDemo = async (url: string, flags: readonly string[] = []): Promise<{ code: number | null; said: string }> => {
  const demo = spawn(process.execPath, [DEMO, '--fast', '--url', url, ...flags], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, BREAKWATER_DATA_DIR: folder },
  });
  let said = '';
  for (const stream of [demo.stdout, demo.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  }
  const [code] = (await once(demo, 'close')) as [number | null];
  return { code, said };
};

test('the demo tells its whole story against a fresh server with its default limits, twice', async () => {
  verifies('BW-checkin.13', 'BW-breaker.03');
  const server = spawnServer(folder);
  const url = await server.ready();
  try {
    for (const time of ['the first time', 'again']) {
      const { code, said } = await runDemo(url);
      expect(code, `${time}: ${said}`).toBe(0);
      expect(said).toContain('Max is paused.');
      expect(said).toContain('AGENT_PAUSED');
      expect(said).toContain('never paused');
      expect(said).toContain('REVIEWER_UNQUALIFIED');
      expect(said).toContain('dialectic(action=antithesis');
      expect(said).toContain('REVIEWER_VERDICT_PENDING');
      expect(said).toContain('Max stays paused until an operator confirms it');
      expect(said).toContain('complexity 0.90 capped to 0.30');
      expect(said, 'no fact of the story is missing').not.toContain('–');
    }
  } finally {
    await server.stop();
  }
});

test('with --crash the server is killed in the middle of the resolution, and the story ends well all the same', async () => {
  const { code, said } = await runDemo('http://127.0.0.1:1', ['--crash']);
  expect(code, said).toBe(0);
  expect(said).toContain('the server is killed between two steps (SIGKILL)');
  expect(said).toContain('complexity 0.90 capped to 0.30');
});

test('without a server it says so, and how to start one', async () => {
  const { code, said } = await runDemo(`http://127.0.0.1:${await freePort()}`);
  expect(code).toBe(1);
  expect(said).toContain('No Breakwater server answers');
  expect(said).toContain('npm start');
});
