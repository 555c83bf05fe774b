import { afterAll, describe, expect, test } from 'vitest';
import { SAGA_FAULT_POINTS } from '../src/runtime/index.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { assignReviewer } from '../testing/reviewer.ts';
import {
  NO_LIMITS,
  removeDataDir,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const CONDITIONS = ['Set complexity to 0.4'];
/** The agreement of the two is carried out as it is: what is tested is how. */
const SETTINGS = { ...NO_LIMITS, BREAKWATER_FLAG_CLAIMS_REVIEW: 'peer' };
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await removeDataDir(folder);
});

const must = async (url: string, name: string, args: Json): Promise<Json> => {
  const { result } = await callTool(url, name, args);
  if (result['success'] !== true) throw new Error(`${name}: ${JSON.stringify(result)}`);
  return result;
};

/** A paused agent, and a review of it up to the last word; gives how to say that word. */
const upToTheLastWord = async (url: string, dataDir: string) => {
  const paused = await must(url, 'onboard', { name: 'Paused', force_new: true });
  const peer = await must(url, 'onboard', { name: 'Peer', force_new: true });
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
  return { own, other, session_id, word: { ...other, session_id, agrees: true, proposed_conditions: CONDITIONS } };
};

describe('a server that is killed while it carries out a resolution', () => {
  test.each(SAGA_FAULT_POINTS.filter((point) => point !== 'saga.reverting'))(
    'case 95: at %s, leaves it to the next one, which carries it out once',
    async (point) => {
      verifies('W3-9.08', 'W3-9.09', 'W3-9.10', 'W3-9.11', 'W3-9.14');
      const folder = temporaryDataDir();
      folders.push(folder);
      let server: ServerProcess = spawnServer(folder, { env: { ...SETTINGS, BREAKWATER_FAULT: `${point}:1` } });
      let url = await server.ready();
      const { own, session_id, word } = await upToTheLastWord(url, folder);
      await expect(callTool(url, 'submit_synthesis', word)).rejects.toThrow();
      expect(await server.exited).toMatchObject({ signal: 'SIGKILL' });

      server = spawnServer(folder, { env: SETTINGS });
      url = await server.ready();
      try {
        const look = () => must(url, 'dialectic', { ...own, action: 'get', session_id });
        const ended = await until(async () => {
          const seen = await look();
          return seen['phase'] === 'resolved' && seen['is_stable'] === true ? seen : undefined;
        }, 'the review is resolved, and its agents are free');
        expect(ended).toMatchObject({ resolution: { action: 'resume', conditions: CONDITIONS } });
        const transcript = ended['transcript'] as Json[];
        expect(transcript.filter((entry) => entry['phase'] === 'synthesis')).toHaveLength(1);
        expect(transcript.filter((entry) => String(entry['reasoning']).startsWith('Resolved.'))).toHaveLength(1);
        expect(await must(url, 'identity', own)).toMatchObject({ status: 'active' });
        const back = await must(url, 'sync_state', {
          ...own,
          response_text: 'back',
          complexity: 0.9,
          response_mode: 'full',
        });
        expect(JSON.stringify(back)).toContain('capped to 0.40');
        // Said again, the word finds everything done.
        expect((await callTool(url, 'submit_synthesis', word)).result).toMatchObject({ error_code: 'INVALID_PHASE' });
      } finally {
        await server.stop();
      }
    },
  );
});
