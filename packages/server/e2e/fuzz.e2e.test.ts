import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { problemOf, type Figures, type Finding } from '../fuzz/run.ts';
import { verifies } from '../testing/verifies.ts';

const PROGRAM = fileURLToPath(new URL('../fuzz/main.ts', import.meta.url));

test(
  'calls made by chance meet no bug, and leave the server, its record and a good agent whole',
  { timeout: 240_000 },
  async () => {
    verifies('BW-dispatch.09');
    const program = spawn(process.execPath, [PROGRAM, '--calls', '3000', '--seed', '14', '--json'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    program.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const [code] = (await once(program, 'close')) as [number | null];
    const { figures, findings } = JSON.parse(said) as { figures: Figures; findings: Finding[] };
    expect([code, findings]).toEqual([0, []]);
    // A server that refused everything at the door would show nothing of what stands behind it.
    expect(figures.accepted).toBeGreaterThan(400);
    expect(figures.sent).toBe(3000);
  },
);

test.each([
  [500, '{"success":false}', 'status 500'],
  [504, '{}', 'status 504'],
  [200, '{"result":{"success":false,"error_code":"INTERNAL_ERROR"}}', 'INTERNAL_ERROR'],
  [200, '{"result":{"content":[{"text":"{\\"error_code\\":\\"INTERNAL_ERROR\\"}"}]}}', 'INTERNAL_ERROR'],
  [200, '{"jsonrpc":"2.0","error":{"code":-32603,"message":"x"}}', 'an internal error of JSON-RPC'],
  [400, '{"error_code":"PARAMETER_ERROR","sqlstate":"22P05"}', 'PostgreSQL had to refuse it'],
  [400, '{"statusCode":400,"message":"Client Error"}', 'a refusal without a code'],
  [400, 'no JSON', 'a refusal without a code'],
  [503, '{"ok":false}', undefined],
  [404, '{"error_code":"ROUTE_NOT_FOUND"}', undefined],
  [200, '{"success":true}', undefined],
])('an answer of %i %s: %s', (status, text, problem) => {
  expect(problemOf({ path: '/v1/tools/call', method: 'POST' }, { status, type: 'application/json', text })).toBe(
    problem,
  );
});
