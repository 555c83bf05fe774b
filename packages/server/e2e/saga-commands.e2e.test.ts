import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { withDatabase } from '../src/cli/with-database.ts';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { assignReviewer } from '../testing/reviewer.ts';
import {
  NO_LIMITS,
  postmasterPid,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const NOBODY = '00000000-0000-4000-8000-000000000000';
const CONDITIONS = ['Set complexity to 0.4'];
/** The agreement of the two is carried out as it is: what is tested is what becomes of that. */
const SETTINGS = { ...NO_LIMITS, BREAKWATER_FLAG_CLAIMS_REVIEW: 'peer' };

/** Runs a command that must end well, and gives what it said. */
const said = async (...args: string[]): Promise<string> => {
  const { code, stdout, stderr } = await runCommand(args);
  expect({ code, stderr }, args.join(' ')).toEqual({ code: 0, stderr: '' });
  return stdout;
};

/** Runs a command that must be refused, and gives what it said; a known cause needs no stack. */
const endsWith =
  (expected: number) =>
  async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runCommand(args);
    expect({ code, stdout }, args.join(' ')).toEqual({ code: expected, stdout: '' });
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  };
const refused = endsWith(1);
/** A command line that cannot be understood. */
const misused = endsWith(64);

const must = async (url: string, name: string, args: Json): Promise<Json> => {
  const { result } = await callTool(url, name, args);
  if (result['success'] !== true) throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result;
};

/** A paused agent, and a review of it up to the last word; gives how to say that word. */
const upToTheLastWord = async (url: string, dataDir: string) => {
  const paused = await must(url, 'onboard', { force_new: true });
  const peer = await must(url, 'onboard', { force_new: true });
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
  await assignReviewer({ url, dataDir }, String(session_id), String(peer['uuid']));
  await must(url, 'submit_antithesis', { ...other, session_id, reasoning: 'r' });
  return {
    agentId: paused['uuid'] as string,
    sessionId: session_id as string,
    agree: () =>
      callTool(url, 'submit_synthesis', { ...other, session_id, agrees: true, proposed_conditions: CONDITIONS }),
    look: () => must(url, 'dialectic', { ...own, action: 'get', session_id }),
    status: async () => (await must(url, 'identity', own))['status'],
  };
};

describe('while the server runs', () => {
  const folder = temporaryDataDir();
  const here = ['--data-dir', folder];
  let server: ServerProcess;
  let url: string;
  let database: Database;

  beforeAll(async () => {
    server = spawnServer(folder, { env: SETTINGS });
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

  const listed = async (...flags: string[]) =>
    JSON.parse(await said('saga', 'list', '--json', ...flags, ...here)) as Json[];

  /** A review whose resolution the server has given up; what made it fail is gone. */
  const givenUp = async () => {
    const review = await upToTheLastWord(url, folder);
    await database.query({
      text: `CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION E'never\\x1b[2J again'; END $$;
             CREATE TRIGGER never BEFORE INSERT ON coordination.outbox FOR EACH ROW EXECUTE FUNCTION never()`,
    });
    await review.agree();
    // As if four attempts had failed some time ago: waiting for them would take most of a minute.
    await database.query({
      text: `UPDATE coordination.session_resolution_sagas
             SET attempt_count = 4, last_attempt_at = last_attempt_at - interval '1 minute' WHERE session_id = $1`,
      values: [review.sessionId],
    });
    const saga = await until(async () => {
      const rows = await database.query<{ saga_id: string }>({
        text: `SELECT saga_id FROM coordination.session_resolution_sagas
               WHERE session_id = $1 AND dead_letter_at IS NOT NULL`,
        values: [review.sessionId],
      });
      return rows[0];
    }, 'the server gives the resolution up');
    await database.query({
      text: `DROP FUNCTION never() CASCADE;
             UPDATE coordination.session_resolution_sagas SET last_attempt_at = last_attempt_at - interval '1 minute'`,
    });
    return { ...review, sagaId: saga.saga_id };
  };

  const audited = (sagaId: string, type: string) =>
    database.query<{ by: string; reason: string | null }>({
      text: `SELECT payload ->> 'by' AS by, payload ->> 'reason' AS reason FROM audit.events
             WHERE event_type = $2 AND payload ->> 'saga_id' = $1`,
      values: [sagaId, type],
    });

  test('where nothing was given up, that is said', async () => {
    expect(await said('saga', 'list', ...here)).toMatch(/^No resolution is being.*\n.*breakwater saga list --all\n$/);
    expect(await said('saga', 'list', '--all', ...here)).toContain('There are no sagas');
    expect(await listed('--all')).toEqual([]);
    expect(await refused('saga', 'retry', NOBODY, '--reason', 'r', ...here)).toMatch(
      /No saga 0{8}-.*\n.*breakwater saga list --all/,
    );
  });

  test('a resolution that was given up is listed, and carried out by the server when it is retried', async () => {
    verifies('W3-9.16');
    const { agentId, sessionId, sagaId, look, status } = await givenUp();
    expect(await look()).toMatchObject({ phase: 'synthesis', awaiting_facilitation: true, is_stable: false });
    const text = await said('saga', 'list', ...here);
    expect(text).toMatch(
      new RegExp(
        `^SAGA .*\n${sagaId} +${sessionId} +${agentId} +both_agents_applied, given up +5 +\\d+ s +never \\[2J again\n`,
      ),
    );
    expect(text).toContain('breakwater saga retry <saga-id>');
    expect(text).toContain('breakwater saga revert <saga-id> --reason');
    expect(await listed()).toMatchObject([
      {
        saga_id: sagaId,
        session_id: sessionId,
        paused_agent_id: agentId,
        state: 'both_agents_applied',
        dead_letter: true,
        attempts: 5,
        created_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        dead_letter_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
    ]);

    const done = await said('saga', 'retry', sagaId, '--reason', 'the disk has room', ...here);
    expect(done).toMatch(new RegExp(`^Saga ${sagaId} is given back .* within seconds`));
    const ended = await until(async () => {
      const seen = await look();
      return seen['phase'] === 'resolved' && seen['is_stable'] === true ? seen : undefined;
    }, 'the server carries it out');
    expect(ended).toMatchObject({ awaiting_facilitation: false, resolution: { action: 'resume' } });
    expect(await status()).toBe('active');
    expect(await audited(sagaId, 'saga_retried')).toEqual([
      { by: expect.stringMatching(/./) as string, reason: 'the disk has room' },
    ]);
    expect(await listed()).toEqual([]);
    expect(await listed('--all')).toMatchObject([{ saga_id: sagaId, state: 'pg_committed', dead_letter: false }]);
    expect(await refused('saga', 'revert', sagaId, '--reason', 'late', '--force', ...here)).toContain('is carried out');
  });

  test('one that is reverted ends its review, and the server knows at once that its agents are free', async () => {
    verifies('W3-9.16');
    const { agentId, sessionId, sagaId, look, status } = await givenUp();
    expect(await misused('saga', 'revert', sagaId, ...here)).toContain('--reason');
    expect(await refused('saga', 'revert', sagaId, '--reason', ' ', ...here)).toContain('1 to 1000 characters');
    expect(await misused('saga', 'revert', 'x', '--reason', 'y', ...here)).toContain('must be the uuid of a saga');

    const done = await said('saga', 'revert', sagaId.toUpperCase(), '--reason', 'a drill', ...here);
    expect(done).toContain(`Saga ${sagaId} is taken back`);
    expect(done).toContain(`Review ${sessionId} has failed. Agent ${agentId} is free`);
    await expect.poll(look, { timeout: 2_000, interval: 20 }).toMatchObject({ phase: 'failed', is_stable: true });
    const transcript = (await look())['transcript'] as Json[];
    expect(transcript.at(-1)).toMatchObject({
      phase: 'failed',
      reasoning: expect.stringMatching(/^The resolution was taken back by \S.*: a drill$/) as string,
    });
    expect(await status()).toBe('paused');
    expect(await audited(sagaId, 'saga_reverted')).toMatchObject([{ reason: 'a drill' }]);
    expect(await refused('saga', 'retry', sagaId, '--reason', 'the disk has room', ...here)).toContain(
      'is taken back already',
    );
    expect(await listed()).toEqual([]);
  });
});

describe('without a server', () => {
  /** What a server left that was killed while it carried a resolution out. */
  const leftBehind = async () => {
    const folder = temporaryDataDir();
    onTestFinished(() => removeDataDir(folder));
    const server = spawnServer(folder, { env: { ...SETTINGS, BREAKWATER_FAULT: 'saga.both_agents_applied:1' } });
    const { sessionId, agree } = await upToTheLastWord(await server.ready(), folder);
    await expect(agree()).rejects.toThrow();
    expect(await server.exited).toMatchObject({ signal: 'SIGKILL' });
    const here = ['--data-dir', folder];
    const list = async () => JSON.parse(await said('saga', 'list', '--all', '--json', ...here)) as Json[];
    const [saga] = await list();
    expect(saga).toMatchObject({ session_id: sessionId, state: 'both_agents_applied', dead_letter: false });
    return { folder, here, list, sagaId: saga?.['saga_id'] as string };
  };

  test('what is retried waits for the next server', async () => {
    verifies('W3-9.16');
    const { folder, here, list, sagaId } = await leftBehind();
    expect(await refused('saga', 'retry', sagaId, '--reason', 'the disk has room', ...here)).toMatch(
      /is under way.*\n.*nothing to retry/,
    );
    await withDatabase({ dataDir: folder }, (database) =>
      database.query({
        text: `UPDATE coordination.session_resolution_sagas SET dead_letter_at = now(), attempt_count = 5,
                 last_attempt_at = now() - interval '1 minute'
               WHERE saga_id = $1`,
        values: [sagaId],
      }),
    );
    expect(await said('saga', 'retry', sagaId, '--reason', 'the disk has room', ...here)).toMatch(
      /No server runs here now; the next one that starts/,
    );
    expect(await list()).toMatchObject([{ state: 'both_agents_applied', dead_letter: false, attempts: 0 }]);
    const server = spawnServer(folder, { env: SETTINGS });
    await server.ready();
    await expect.poll(list, { timeout: 20_000 }).toMatchObject([{ state: 'pg_committed', attempts: 1 }]);
    await server.stop();
  });

  test('what is still under way is reverted by force only', async () => {
    verifies('W3-9.16');
    const { folder, here, list, sagaId } = await leftBehind();
    expect(await refused('saga', 'revert', sagaId, '--reason', 'x', ...here)).toMatch(/is under way.*\n.*--force/);
    expect(await said('saga', 'list', ...here)).not.toContain('breakwater saga retry');
    expect(
      JSON.parse(await said('saga', 'revert', sagaId, '--reason', 'x', '--force', '--json', ...here)),
    ).toMatchObject({ saga_id: sagaId, state: 'reverted', ended_session: true });
    expect(await list()).toMatchObject([{ state: 'reverted' }]);
    expect(await said('saga', 'list', ...here)).toContain('No resolution is being carried out');
    expect(postmasterPid(folder)).toBeUndefined();
  });
});
