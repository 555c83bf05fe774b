import { MEASUREMENT_EVENTS } from '@breakwater/contract';
import { expect, test } from 'vitest';
import { testDatabase } from '../../../testing/database.ts';
import { removeDataDir, spawnServer, temporaryDataDir } from '../../../testing/server.ts';
import { verifies } from '../../../testing/verifies.ts';
import { createChannel } from '../../channel/index.ts';
import { systemClock, systemIds } from '../../runtime/index.ts';
import { createComputations } from './placements.ts';
import { computeAnswerPayload } from './computation.ts';

const { database } = await testDatabase();

test('what a session has computed at another server leaves its row', async () => {
  verifies('W3-6.05');
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
  } finally {
    await server.stop();
    await removeDataDir(folder);
  }
});
