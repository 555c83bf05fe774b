import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertSaga } from '../src/dialectic/saga-sql.ts';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { must } from '../testing/review.ts';
import { assignReviewer } from '../testing/reviewer.ts';
import {
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const CONDITIONS = ['Set complexity to 0.4'];

/** What no part does by itself, and only the running server ties together: its jobs and its live flags. */
describe('a running server', () => {
  const folder = temporaryDataDir();
  let server: ServerProcess;
  let url: string;
  let database: Database;

  beforeAll(async () => {
    server = spawnServer(folder, { env: { ...NO_LIMITS, BREAKWATER_FLAG_CLAIMS_REVIEW: 'peer' } });
    url = await server.ready();
    database = openDatabase({
      target: { socketDir: join(folder, 'run'), database: 'breakwater' },
      onError: () => undefined,
    });
  });
  afterAll(async () => {
    await database.close();
    await server.stop();
    await removeDataDir(folder);
  });

  const rows = (text: string, ...values: unknown[]) => database.query<Json>({ text, values });
  /** A paused agent, and a review of it up to the last word. */
  const upToTheLastWord = async () => {
    const [paused, peer] = [
      await must(url, 'onboard', { force_new: true }),
      await must(url, 'onboard', { force_new: true }),
    ];
    const own = { client_session_id: paused['client_session_id'] };
    const other = { client_session_id: peer['client_session_id'] };
    for (let i = 0; ; i += 1) {
      if (i > 12) throw new Error('the agent was never paused');
      const claim = await must(url, 'sync_state', { ...own, response_text: `Claim ${i}`, confidence: 0.95 });
      const failed = await must(url, 'record_result', {
        ...own,
        prediction_id: claim['prediction_id'],
        outcome_type: 'test_failed',
        detail: { command: 'npm test', exit_code: 1 },
        verification_source: 'agent_reported_tool_result',
      });
      if (failed['paused'] === true) break;
    }
    const terms = { root_cause: 'rc', proposed_conditions: CONDITIONS };
    const { session_id } = await must(url, 'request_review', { ...own, ...terms, reviewer_mode: 'manual' });
    await assignReviewer({ url, dataDir: folder }, String(session_id), String(peer['uuid']));
    await must(url, 'submit_antithesis', { ...other, session_id, reasoning: 'r' });
    const look = async () => await must(url, 'dialectic', { ...own, action: 'get', session_id });
    return { own, other, session_id: session_id as string, paused: paused['uuid'] as string, look };
  };

  test('lets the effect of a resolution out by itself, once', async () => {
    verifies('W3-9.19');
    const { own, other, session_id } = await upToTheLastWord();
    const word = { session_id, agrees: true, proposed_conditions: CONDITIONS, root_cause: 'rc' };
    await must(url, 'submit_synthesis', { ...other, ...word });
    expect(await must(url, 'identity', own)).toMatchObject({ status: 'active', is_stable: true });
    const told = () =>
      rows(
        `SELECT 1 FROM audit.events WHERE event_type = 'dialectic_resolved' AND payload ->> 'session_id' = $1`,
        session_id,
      );
    await until(async () => ((await told()).length > 0 ? true : undefined), 'the effect is told');
    const left = await rows('SELECT 1 FROM coordination.outbox WHERE done_at IS NULL');
    expect([(await told()).length, left.length]).toEqual([1, 0]);
  });

  test('takes over within ten seconds what another one has left', async () => {
    verifies('W3-9.14');
    const { session_id, paused, look } = await upToTheLastWord();
    const long = Date.now() - 60_000;
    const [saga] = await database.query<{ saga_id: string }>(
      insertSaga({
        sagaId: crypto.randomUUID(),
        sessionId: session_id,
        pausedAgentId: paused,
        reviewerAgentId: null,
        agentIds: [paused],
        payload: {
          resolution: {
            action: 'resume',
            conditions: CONDITIONS,
            rootCause: 'rc',
            reasoning: 'r',
            timestamp: new Date(long).toISOString(),
            signatureA: '',
            signatureB: '',
            signatureVersion: 2,
          },
          resolutionHash: 'h',
          conditions: [{ text: CONDITIONS[0], kind: 'complexity_cap', limit: 0.4 }],
          synthesizer: null,
        },
        hash: 'resolved:h',
        now: long,
      }),
    );
    const began = performance.now();
    await until(async () => ((await look())['phase'] === 'resolved' ? true : undefined), 'the review is resolved');
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(
      await rows('SELECT state, epoch FROM coordination.session_resolution_sagas WHERE saga_id = $1', saga?.saga_id),
    ).toEqual([{ state: 'pg_committed', epoch: 2 }]);
  });

  test('obeys a flag from the next request on', async () => {
    verifies('W3-3.08');
    const set = async (value: string) => {
      const args = ['flags', 'set', 'identity_strict_mode', value, '--reason', 'test', '--data-dir', folder];
      expect(await runCommand(args)).toMatchObject({ code: 0 });
      await until(async () => {
        const [row] = await rows(`SELECT value FROM core.feature_flags WHERE key = 'identity_strict_mode'`);
        return row === undefined ? undefined : true;
      }, 'the flag is stored');
    };
    const asked = async () => (await callTool(url, 'onboard', { name: 'Undeclared' })).result;
    expect(await asked()).toMatchObject({ success: true });
    await set('enforce');
    await expect.poll(asked, { timeout: 5_000 }).toMatchObject({ error_code: 'LINEAGE_DECLARATION_REQUIRED' });
    await set('observe');
    await expect.poll(asked, { timeout: 5_000 }).toMatchObject({ success: true });
  });
});
