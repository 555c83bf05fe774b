import { afterAll, beforeAll, expect, test } from 'vitest';
import { callTool, onboard, postJson, type Json } from '../testing/rest.ts';
import {
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  type ServerProcess,
} from '../testing/server.ts';
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

const report = (...args: string[]) => runCommand(['calibration', 'report', '--data-dir', folder, ...args]);
const claimed = async (client_session_id: string, confidence: number, i: number) =>
  (await callTool(url, 'process_agent_update', { client_session_id, response_text: `Piece ${i} done.`, confidence }))
    .result['prediction_id'];

test('--help has examples', async () => {
  const { code, stdout } = await report('--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(/\nExamples:\n {2}breakwater calibration report/);
});

test('before any result it says no_data', async () => {
  verifies('BW-outcomes.03');
  const { code, stdout, stderr } = await report();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(': no_data');
});

test('outcomes by tool and by route stand in the report, the tool and the diagram, and outlive a restart', async () => {
  verifies('BW-outcomes.03', 'BW-outcomes.04');
  const { agentId, secret } = await onboard(url, 'Ada');
  for (let i = 0; i < 8; i += 1) {
    const { result } = await callTool(url, 'record_result', {
      client_session_id: secret,
      outcome_type: i < 4 ? 'test_passed' : 'test_failed',
      prediction_id: await claimed(secret, 0.85, i),
      detail: { command: 'npm test', exit_code: i < 4 ? 0 : 1 },
    });
    expect(result['success'], JSON.stringify(result)).toBe(true);
  }
  const made = await runCommand(['operator', 'create', '--data-dir', folder, '--name', 'ci', '--json']);
  const operator = (JSON.parse(made.stdout) as { secret: string }).secret;
  for (let i = 8; i < 10; i += 1) {
    const recorded = await postJson(
      url,
      '/v1/harness/outcome',
      {
        agent_uuid: agentId,
        outcome_type: 'test_failed',
        prediction_id: await claimed(secret, 0.85, i),
        detail: { ci: i },
      },
      { 'x-breakwater-operator': operator },
    );
    expect([recorded.status, recorded.body]).toMatchObject([200, { evidence_weight: 1, graded: true }]);
  }

  const { code, stdout, stderr } = await report('--agent', 'Ada', '--since', '24h');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^Calibration of Ada, .*: miscalibrated\n/);
  expect(stdout).toContain('  0.8–0.9     10  0.85   0.40    0.17–0.69  ████████████·············|····\n');
  expect(stdout).toContain('Claims of 0.8 to 0.9 said 0.85 and came true in 40 % of 10 graded outcomes');

  const json = JSON.parse((await report('--json')).stdout) as Json;
  expect(json).toMatchObject({ scope: 'fleet', calibration_status: 'miscalibrated', accuracy: 0.4, total_samples: 10 });
  const told = async () => (await callTool(url, 'calibration', { agent_id: 'Ada' })).result;
  const before = await told();
  expect(before).toMatchObject({ calibration_status: 'miscalibrated', accuracy: 0.4, tactical_evidence: { n: 10 } });
  const drawn = await fetch(`${url}/v1/calibration/diagram.svg`);
  expect(await drawn.text()).toContain('Calibration of the fleet (n = 10)');

  await server.stop();
  // Without a server, too: the outcomes are the database's.
  expect((await report('--agent', agentId)).stdout).toContain('miscalibrated');
  server = spawnServer(folder, { env: NO_LIMITS });
  url = await server.ready();
  const { window: _, timestamp: __, server_time: ___, ...after } = await told();
  expect(before).toMatchObject(after);
});

test.each([
  [['--since', 'yesterday'], 64, '--since is neither a duration nor a date'],
  [['--since', '2999-01-01'], 64, '--since must be earlier than now'],
  [['--agent', 'nobody'], 1, 'No agent has this id or name.'],
])('%j ends with %d and says what is wrong', async (args, expected, said) => {
  const { code, stdout, stderr } = await report(...args);
  expect({ code, stdout }).toEqual({ code: expected, stdout: '' });
  expect(stderr).toContain(said);
  expect(stderr).not.toMatch(/\n\s+at /);
});
