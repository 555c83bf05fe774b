import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectMcp, GENERATIONS } from '../testing/mcp.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir, type ServerProcess } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
beforeAll(async () => {
  server = spawnServer(folder, { env: NO_LIMITS });
  url = await server.ready();
});
afterAll(async () => {
  await server.stop();
  await removeDataDir(folder);
});

type Call = (name: string, args: Json) => Promise<Json>;

/**
 * Without what differs between two agents that do the same: ids, the suffix of a taken name, handles, secrets, times, and scores, which depend on the
 * time between calls, with the regime, which is read off them. Whole numbers, other words and every key stay.
 */
const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value)
      .replaceAll(/v1\.[\w-]+\.[\w-]{43}/g, '<token>')
      .replaceAll(/(?<=[Tt]win)_[0-9a-f]{8}/g, '')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
      .replaceAll(/anon_\d{8}/g, '<handle>')
      .replaceAll(/"[\w-]{43}"/g, '"<secret>"')
      .replaceAll(/(?<=[:[])-?\d+\.\d+(e-?\d+)?/g, '"<score>"')
      .replaceAll(/"regime":"[A-Z]+"/g, '"regime":"<score>"')
      .replaceAll(/\d+\.\d\d to the/g, '<score> to the'),
  ) as unknown;

/** An agent's life, good and bad calls; every answer in order. */
const life = async (call: Call): Promise<unknown[]> => {
  const answers: Json[] = [];
  const say = async (name: string, args: Json): Promise<Json> => {
    const answer = await call(name, args);
    answers.push({ name, answer });
    return answer;
  };
  const born = await say('onboard', { name: 'Twin', purpose: 'comparison', force_new: true });
  const client_session_id = born['client_session_id'];
  const update = await say('process_agent_update', { client_session_id, response_text: 'Piece one.', confidence: 0.8 });
  const bound = { client_session_id, prediction_id: update['prediction_id'] };
  await say('outcome_event', { ...bound, outcome_type: 'test_passed', detail: { exit_code: 0, command: 'npm test' } });
  await say('outcome_event', { ...bound, outcome_type: 'test_failed' });
  await say('sync_state', {
    client_session_id,
    response_text: 'Piece two.',
    complexity: 'high',
    response_mode: 'full',
  });
  await say('simulate_update', { client_session_id, response_text: 'Piece three.', confidence: 0.6 });
  await say('check_working_state', { client_session_id });
  await say('identity', { client_session_id, name: 'Other twin' });
  await say('describe_tool', { tool_name: 'sync_state' });
  await say('process_agent_update', { client_session_id, confidence: 7, complexity: 'very' });
  await say('record_result', { client_session_id });
  await say('sync_state', { client_session_id: 'a'.repeat(43) });
  await say('no_such_tool', {});
  return answers.map(plain);
};

test.each(GENERATIONS)(
  'a whole life over REST and over MCP of %s gives the same result objects',
  async (generation) => {
    verifies('BW-dispatch.01');
    const overRest = await life(async (name, args) => (await callTool(url, name, args)).result);
    const client = await connectMcp(url, generation);
    try {
      const overMcp = await life(async (name, args) => {
        const { result, isError } = await client.call(name, args);
        expect(isError, `${name}: what refuses is an error to MCP`).toBe(result['success'] !== true);
        return result;
      });
      expect(overMcp).toEqual(overRest);
    } finally {
      await client.close();
    }
  },
);
