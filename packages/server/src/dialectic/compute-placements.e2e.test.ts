import { MEASUREMENT_EVENTS } from '@breakwater/contract';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { removeDataDir, spawnServer, temporaryDataDir } from '../../testing/server.ts';
import { verifies } from '../../testing/verifies.ts';
import { createChannel } from '../channel/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { createComputations } from './compute-placements.ts';
import { computeAnswerPayload } from './compute.ts';

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

test('what a session has computed at another server leaves its row', async () => {
  verifies('W3-6.05');
  const { database } = await testDatabase();
  const folder = temporaryDataDir();
  const server = spawnServer(folder);
  const channel = createChannel({
    database,
    clock: systemClock,
    ids: systemIds,
    context: { service_pid: process.pid, running_since: new Date().toISOString(), host: 'test' },
    onError: (error) => {
      throw error;
    },
  });
  const failures: unknown[] = [];
  try {
    const computations = createComputations({
      clock: systemClock,
      random: Math.random,
      ids: systemIds,
      where: new URL(await server.ready()),
      token: undefined,
      onFailure: (failure) => failures.push(failure),
      onAnswer: (answer) => channel.measure(MEASUREMENT_EVENTS.boundaryRequest, computeAnswerPayload(answer)),
    });
    const offer = (agentId: string) => ({
      agentId,
      conditions: ['add logging'],
      rootCause: 'a runner',
      reasoning: 'r',
    });
    const terms = await computations.sessions.synthesize({
      sessionId: 's1',
      round: 1,
      sessionType: 'review',
      a: offer('a'),
      b: offer('b'),
      record: [],
    });
    expect({ terms, failures }).toMatchObject({
      terms: { ok: true, value: { conditions: ['add logging'] } },
      failures: [],
    });
    const text = 'SELECT payload FROM audit.coordination_measurements WHERE event_type = $1';
    await expect
      .poll(() => database.query({ text, values: [MEASUREMENT_EVENTS.boundaryRequest] }))
      .toEqual([
        {
          payload: {
            endpoint: '/v1/dialectic/compute',
            method: 'POST',
            status_code: 200,
            elapsed_ms: expect.any(Number) as number,
            payload_bytes: expect.any(Number) as number,
          },
        },
      ]);
    await computations.stop();
  } finally {
    await server.stop();
    await removeDataDir(folder);
  }
});
