import { afterAll, expect, test } from 'vitest';
import { connectMcp, GENERATIONS } from '../testing/mcp.ts';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

/** Claims 0.95 again and again while the results fail, until the circuit breaker opens. */
const pauseAgent = async (url: string, secret: string): Promise<void> => {
  for (let i = 0; i < 12; i += 1) {
    const args = { client_session_id: secret, response_text: `Piece ${i}.`, confidence: 0.95 };
    const { result } = await callTool(url, 'sync_state', args);
    const outcome = await callTool(url, 'record_result', {
      client_session_id: secret,
      outcome_type: 'test_failed',
      prediction_id: result['prediction_id'],
      detail: { command: 'npm test', exit_code: 1 },
    });
    if (outcome.result['paused'] === true) return;
  }
  throw new Error('the agent was not paused');
};

/** The refusal over every transport, without the time of each answer. */
const refusals = async (url: string, secret: string): Promise<Json[]> => {
  const args = { client_session_id: secret, response_text: 'I go on all the same.' };
  const answers: Json[] = [];
  for (const name of ['sync_state', 'process_agent_update']) {
    const { status, result } = await callTool(url, name, args);
    expect(status, 'the call worked; the tool refused').toBe(200);
    answers.push(result);
  }
  for (const generation of GENERATIONS) {
    const client = await connectMcp(url, generation);
    const { result, isError } = await client.call('sync_state', args);
    expect(isError).toBe(true);
    answers.push(result);
    await client.close();
  }
  return answers.map(({ server_time: _, ...answer }) => answer);
};

test('a paused agent is refused with evidence and the way out on every transport, also after a restart', async () => {
  verifies('BW-checkin.05', 'BW-dispatch.01');
  const first = spawnServer(folder, { env: NO_LIMITS });
  const url = await first.ready();
  const { agentId, secret } = await onboard(url, 'Max');
  await pauseAgent(url, secret);
  const [refusal, ...others] = await refusals(url, secret);
  expect(refusal).toMatchObject({
    success: false,
    error_code: 'AGENT_PAUSED',
    error_category: 'state_error',
    agent_id: agentId,
    recovery: { action: expect.stringMatching(/\S/) as string },
  });
  expect(JSON.stringify(refusal), 'it shows what is held against the agent').toMatch(/accuracy|mean_claim|claim/);
  expect(refusal?.['evidence']).toMatchObject(expect.any(Object) as object);
  expect(others).toEqual([refusal, refusal, refusal]);
  await first.kill();

  const second = spawnServer(folder, { env: NO_LIMITS });
  expect(await refusals(await second.ready(), secret)).toEqual([refusal, ...others]);
  await second.stop();
});
