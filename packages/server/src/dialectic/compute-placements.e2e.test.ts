import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { removeDataDir, spawnServer, temporaryDataDir } from '../../testing/server.ts';
import { verifies } from '../../testing/verifies.ts';

/** The names of a process's threads; only Linux tells. */
const threadsOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').trim());

test.skipIf(!existsSync('/proc/self/task'))('a server with workers computes in one, and ends with it', async () => {
  verifies('W3-5.04', 'W3-5.07');
  const folder = temporaryDataDir();
  const server = spawnServer(folder, { env: { BREAKWATER_COMPUTE: 'workers' } });
  try {
    const url = await server.ready();
    expect(threadsOf(server.pid)).not.toContain('compute');
    const offer = { agent_id: 'a', proposed_conditions: ['add logging'], root_cause: 'a broken runner' };
    const answer = await fetch(`${url}/v1/dialectic/compute`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        mode: 'synthesize',
        session_id: 's1',
        round: 1,
        input: { message_a: offer, message_b: { ...offer, agent_id: 'b' }, transcript: [], session_type: 'review' },
      }),
    });
    expect(await answer.json()).toMatchObject({
      ok: true,
      result: { conditions: ['add logging'], root_cause: 'a broken runner', safe: true },
    });
    expect(threadsOf(server.pid).filter((name) => name === 'compute')).toHaveLength(1);
    expect(await server.stop()).toMatchObject({ code: 0 });
    expect(server.stderr()).toBe('');
  } finally {
    await removeDataDir(folder);
  }
});
