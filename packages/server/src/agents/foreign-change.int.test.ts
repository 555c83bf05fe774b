import { ok } from '@breakwater/contract';
import { processAgentUpdate } from '@breakwater/contract/tools';
import { expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { born, testNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { memoryCodec } from '../checkin/index.ts';
import { createNotifier } from '../postgres/index.ts';
import { idsFrom, seededRandom, systemClock } from '../runtime/index.ts';
import { createGate } from '../runtime/testing/gate.ts';
import { Agents } from './index.ts';

const db = await testDatabase();

it('a change that another node made is readable only when what goes with it was refreshed, and decisions wait for that', async () => {
  verifies('BW-nodes.02');
  const writer = await testNode(db.database);
  const { agentId } = await born(writer);
  const refreshed = createGate();
  let asked = 0;
  const reader = new Agents({
    database: db.open(),
    codec: memoryCodec,
    clock: systemClock,
    ids: idsFrom(seededRandom(1)),
    notifier: createNotifier({ database: db.database, nodeId: 'reader', clock: systemClock, onError: () => undefined }),
    onCrash: () => undefined,
    onForeignChange: async () => {
      asked += 1;
      await refreshed.passed;
    },
  });
  await reader.load();
  const sequenceOf = () => {
    const reading = reader.table.read(agentId);
    return reading.ok ? reading.value.sequence : undefined;
  };
  const before = sequenceOf();
  const written = await writer.checkIns.checkIn({
    args: processAgentUpdate.input.parse({ response_text: 'Elsewhere.' }),
    agentId,
    assurance: 'strong',
    sessionKey: 'session',
    deadline: Number.MAX_SAFE_INTEGER,
  });
  expect(written.ok).toBe(true);
  const decidedOn: number[] = [];
  const refresh = reader.refresh([agentId]);
  const act = reader.act(agentId, Date.now() + 60_000, ({ head }) => {
    decidedOn.push(head.sequence);
    return Promise.resolve(ok({ reply: null }));
  });
  while (asked === 0) await new Promise(setImmediate);
  expect([sequenceOf(), decidedOn]).toEqual([before, []]);
  refreshed.open();
  await refresh;
  expect((await act).ok).toBe(true);
  expect(sequenceOf()).toBe((before ?? 0) + 1);
  expect(decidedOn).toEqual([(before ?? 0) + 1]);
  await reader.stop();
  await writer.stop();
});
