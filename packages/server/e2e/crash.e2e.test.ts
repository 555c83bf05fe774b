import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FAULT_POINTS } from '../src/runtime/index.ts';
import { verifies } from '../testing/verifies.ts';

const PROGRAM = fileURLToPath(new URL('../crash/main.ts', import.meta.url));

interface Report {
  readonly results: readonly {
    readonly point: string;
    readonly acknowledged: number;
    readonly violations: readonly string[];
  }[];
}

test.each([11])(
  'seed %i: no acknowledged call is lost and every record is whole, whichever fault point kills the server',
  { timeout: 180_000 },
  async (seed) => {
    verifies('BW-checkin.02');
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-crash-'));
    try {
      const json = join(folder, 'report.json');
      const args = ['--seed', String(seed), '--rounds', '1', '--clients', '16', '--json', json];
      const program = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      let said = '';
      program.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
      const [code] = (await once(program, 'close')) as [number | null];
      expect(code, said).toBe(0);
      const { results } = JSON.parse(readFileSync(json, 'utf8')) as Report;
      expect(results.map(({ point }) => point)).toEqual(FAULT_POINTS);
      expect(results.flatMap(({ violations }) => violations)).toEqual([]);
      // A server that dies before it acknowledged anything loses nothing, and proves nothing.
      expect(results.reduce((sum, { acknowledged }) => sum + acknowledged, 0)).toBeGreaterThan(100);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
