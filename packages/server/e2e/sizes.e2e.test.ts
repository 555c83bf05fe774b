import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { callTool, onboard, type Json } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir, type ServerProcess } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const KB = 1_000;
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

/** One MCP request without a session, as bytes on the wire. */
const mcp = async (method: string, params: Json): Promise<Buffer> => {
  const response = await fetch(`${url}/mcp/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
};

test('the default tools/list takes less than 12 KB', async () => {
  verifies('BW-serve.08');
  const bytes = await mcp('tools/list', {});
  const { result } = JSON.parse(bytes.toString()) as { result: { tools: { name: string }[] } };
  const names = result.tools.map(({ name }) => name);
  expect(names).toEqual(
    expect.arrayContaining(['start_session', 'sync_state', 'record_result', 'check_working_state']),
  );
  expect(bytes.length).toBeLessThan(12 * KB);
});

describe('the default answer to a check-in takes less than 1 KB', () => {
  const NAMES = ['process_agent_update', 'sync_state'];
  const size = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

  test.each(NAMES)('%s: routine', async (name) => {
    verifies('BW-serve.08');
    const { secret } = await onboard(url, 'Ada');
    for (let i = 0; i < 30; i += 1) {
      const args = { client_session_id: secret, response_text: `Piece ${i}.`, confidence: 0.75, complexity: 0.4 };
      const { result } = await callTool(url, name, args);
      expect(result['success'], JSON.stringify(result)).toBe(true);
      expect(size(result), JSON.stringify(result)).toBeLessThan(KB);
    }
  });

  test.each(NAMES)('%s: warned', async (name) => {
    verifies('BW-serve.08');
    const { secret } = await onboard(url, 'Ada');
    let warnings = 0;
    for (let i = 0; i < 12; i += 1) {
      const { result } = await callTool(url, name, {
        client_session_id: secret,
        // Too long a text, a claim without an account of the difficulty, and a result for a claim that does not exist.
        response_text: `${i}${' word'.repeat(11_000)}`,
        confidence: i % 2 === 0 ? 1 : 0,
        complexity: i % 2,
        recent_tool_results: [
          {
            tool: 'vitest',
            summary: 'x'.repeat(500),
            exit_code: 1,
            prediction_id: '01a207b6-1151-7613-8fc7-be5e60f51d3c',
          },
        ],
      });
      warnings += Array.isArray(result['warnings']) ? result['warnings'].length : 0;
      expect(size(result), JSON.stringify(result)).toBeLessThan(KB);
    }
    expect(warnings, 'this agent is warned').toBeGreaterThan(0);
  });

  test.each(NAMES)('%s: pausing', async (name) => {
    verifies('BW-serve.08');
    const { secret } = await onboard(url, 'Max');
    let claim: unknown;
    for (let i = 0; i < 12; i += 1) {
      const { result } = await callTool(url, name, {
        client_session_id: secret,
        response_text: `Piece ${i}.`,
        confidence: 0.95,
        ...(claim !== undefined && {
          recent_tool_results: [
            { tool: 'vitest', summary: 'failed', kind: 'test', exit_code: 1, prediction_id: claim },
          ],
        }),
      });
      expect(size(result), JSON.stringify(result)).toBeLessThan(KB);
      if ((result['decision'] as Json)['action'] === 'pause') return;
      claim = result['prediction_id'];
    }
    expect.unreachable('an agent whose every claim fails is paused');
  });
});
