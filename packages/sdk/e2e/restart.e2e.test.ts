import { mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assignReviewer } from '../../server/testing/reviewer.ts';
import {
  freePort,
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
} from '../../server/testing/server.ts';
import { verifies } from '../../server/testing/verifies.ts';
import { fileCredentials } from '../src/file-credentials.ts';
import { systemClock } from '../src/clock.ts';
import {
  Agent,
  BreakwaterClient,
  IdentityRefusedError,
  PausedError,
  ApiError,
  type CheckInReport,
} from '../src/index.ts';

const dataDir = temporaryDataDir();
const anchors = mkdtempSync(join(tmpdir(), 'breakwater-anchors-'));
afterAll(async () => {
  await removeDataDir(dataDir);
  rmSync(anchors, { recursive: true });
});

const serving = async () => {
  const port = await freePort();
  const start = async () => {
    const server = spawnServer(dataDir, { port, env: NO_LIMITS });
    await server.ready();
    return server;
  };
  return { url: `http://127.0.0.1:${port}`, start };
};

/** A `fetch` that gives the call to the server and then loses the answer, once, when it is told to. */
const losing = () => {
  const next = { lose: false };
  const lossy: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (!next.lose) return response;
    next.lose = false;
    await response.arrayBuffer();
    throw new TypeError('fetch failed', { cause: { code: 'ECONNRESET' } });
  };
  return { next, lossy };
};

describe.each(['rest', 'mcp'] as const)('over %s', (transport) => {
  it('the same objects go on across the death of the server: nothing is lost, nothing counts twice', async () => {
    verifies('BW-sdk.01', 'BW-sdk.03', 'W3-3.17');
    const { url, start } = await serving();
    let server = await start();
    const { next, lossy } = losing();
    const client = new BreakwaterClient({ url, transport, reconnectMs: 100, fetch: lossy });
    const path = join(anchors, `${transport}.json`);
    const agent = await Agent.open({ client, name: `Ada ${transport}`, credentials: fileCredentials(path) });
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    const before = await agent.checkIn({ text: 'Split the importer.', confidence: 0.8, complexity: 'low' });
    expect(before).toMatchObject({ action: 'proceed', paused: false, update: 1 });
    const stored = await agent.knowledge.store({
      summary: `The importer of ${transport} reads twice`,
      tags: ['importer'],
    });

    await server.kill();
    const whileDown: CheckInReport = { text: 'Wrote its test.', confidence: 0.7, idempotencyKey: `down-${transport}` };
    await expect(agent.checkIn(whileDown, { retry: false })).rejects.toMatchObject({ name: 'UnreachableError' });
    server = await start();

    // The answer of the first try is lost after the server did it; the repeat is the same report.
    next.lose = true;
    expect(await agent.checkIn(whileDown)).toMatchObject({ action: 'proceed', update: 2 });
    expect(next.lose).toBe(false);
    expect((await agent.checkIn({ text: 'Cleaned up.' })).update).toBe(3);
    const result = {
      outcome: 'test_passed',
      predictionId: before.predictionId,
      evidence: { command: 'npm test', exit_code: 0 },
    } as const;
    expect(await agent.recordResult(result)).toMatchObject({ graded: true, isBad: false, paused: false });
    expect(await agent.knowledge.get(stored.id)).toMatchObject({ id: stored.id, tags: ['importer'] });
    expect((await agent.knowledge.search(`importer ${transport}`)).findings.map(({ id }) => id)).toContain(stored.id);

    // Another process with the same anchor is the same agent.
    const again = await Agent.open({ client, name: 'Ada', credentials: fileCredentials(path), onMissing: 'fail' });
    expect(again).toMatchObject({ agentId: agent.agentId, isNew: false });
    expect(await again.state()).toMatchObject({ updates: 3, paused: false });
    expect((await agent.identity()).agentId).toBe(agent.agentId);
    await client.close();
    await server.stop();
  });

  it('a call that waits for a server which comes back is answered, also one that makes an agent', async () => {
    verifies('BW-sdk.01');
    const { url, start } = await serving();
    const started = Promise.withResolvers<true>();
    const reconnectMs = 12_345;
    const client = new BreakwaterClient({
      url,
      transport,
      reconnectMs,
      // The wait for the server is over when the server is ready, and not sooner or later.
      clock: {
        ...systemClock,
        sleep: (ms, signal) => (ms === reconnectMs ? started.promise : systemClock.sleep(ms, signal)),
      },
    });
    // Nobody listens yet.
    const opening = Agent.open({ client, name: `Early ${transport}` });
    const server = await start();
    started.resolve(true);
    expect((await opening).isNew).toBe(true);
    await client.close();
    await server.stop();
  });

  it('a pause is told, survives the death of the server, and is left by a review with a peer', async () => {
    verifies('BW-sdk.01', 'BW-sdk.02');
    const { url, start } = await serving();
    let server = await start();
    const client = new BreakwaterClient({ url, transport, reconnectMs: 100 });
    const max = await Agent.open({ client, name: `Max ${transport}` });
    const rea = await Agent.open({ client, name: `Rea ${transport}` });
    expect(rea.agentId, 'two agents share a connection').not.toBe(max.agentId);
    await rea.checkIn({ text: 'I am here.' });
    for (let i = 0; i < 12 && max.pause === null; i += 1) {
      const { predictionId } = await max.checkIn({ text: `Piece ${i}.`, confidence: 0.95 });
      await max.recordResult({ outcome: 'test_failed', predictionId, evidence: { command: 'npm test', exit_code: 1 } });
    }
    expect(max.pause).not.toBeNull();

    await server.kill();
    server = await start();
    const refusal = await max.checkIn({ text: 'I go on all the same.' }).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(PausedError);
    expect(await max.state()).toMatchObject({ paused: true });
    expect((await max.selfRecovery.check()).eligible).toBe(false);

    const asked = await max.requestReview({ reason: 'Claims against results', reviewerMode: 'manual' });
    await asked.explain({
      rootCause: 'The runner was broken',
      conditions: ['Set complexity to 0.5'],
    });
    // Minutes old, Rea has no record: an operator names it, and confirms what the two agree on.
    expect((await asked.get()).awaitingFacilitation).toBe(true);
    await assignReviewer({ url, dataDir }, asked.sessionId, rea.agentId);
    expect(await rea.checkIn({ text: 'I look around.' })).toMatchObject({ reviewWaiting: asked.sessionId });
    await rea.review(asked.sessionId).respond({ reasoning: 'Believable.', concerns: ['It claimed too much.'] });
    const agreed = { agrees: true, conditions: ['Set complexity to 0.5'], rootCause: 'The runner was broken' };
    expect(await rea.review(asked.sessionId).propose(agreed)).toMatchObject({ awaitingConfirmation: true });
    expect(await max.state()).toMatchObject({ paused: true });
    const confirm = ['reviews', 'confirm', asked.sessionId, '--reason', 'the runner is mended'];
    const env = { BREAKWATER_URL: url, BREAKWATER_DATA_DIR: dataDir };
    expect(await runCommand(confirm, { env })).toMatchObject({ code: 0, stderr: '' });
    expect(await asked.get()).toMatchObject({ phase: 'resolved', awaitingConfirmation: false });
    expect((await max.reviews()).reviews.map(({ sessionId }) => sessionId)).toContain(asked.sessionId);
    expect(await max.state()).toMatchObject({ paused: false });
    expect(await max.checkIn({ text: 'Mended the runner.', confidence: 0.5 })).toMatchObject({ paused: false });
    await client.close();
    await server.stop();
  });

  it('a resident lives through the death of its server, and every turn is on record once', async () => {
    verifies('BW-sdk.01');
    const { url, start } = await serving();
    let server = await start();
    const client = new BreakwaterClient({ url, transport, reconnectMs: 50 });
    const agent = await Agent.open({ client, name: `Resident ${transport}` });
    const end = new AbortController();
    const updates: (number | null)[] = [];
    let killed: Promise<unknown> | undefined;
    const undelivered = await agent.runLoop({
      everyMs: 20,
      signal: end.signal,
      work: ({ number }) => {
        if (number === 3) killed = server.kill();
        return { text: `Turn ${number}.` };
      },
      onUnavailable: () => {
        const dead = killed;
        killed = undefined;
        void dead?.then(async () => (server = await start()));
      },
      onCheckIn: ({ update }) => {
        updates.push(update);
        if (updates.length === 6) end.abort();
      },
    });
    expect(undelivered).toBeUndefined();
    expect(updates).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await agent.state()).updates).toBe(6);
    await client.close();
    await server.stop();
  });

  it('a refusal is told as what it is', async () => {
    verifies('BW-sdk.02');
    const { url, start } = await serving();
    const server = await start();
    const client = new BreakwaterClient({ url, transport });
    const nobody = { client_session_id: 'x'.repeat(43), response_text: 'x' };
    await expect(client.call('sync_state', nobody)).rejects.toThrow(IdentityRefusedError);
    await expect(client.call('no_such_tool', {})).rejects.toMatchObject({ code: 'TOOL_NOT_FOUND' });
    await expect(client.call('sync_state', { confidence: 7, client_session_id: 'y' })).rejects.toThrow(ApiError);
    await client.close();
    await server.stop();
  });
});
