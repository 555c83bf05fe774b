import { expect, test } from 'vitest';
import { runSeed } from '../nodes/run.ts';
import { verifies } from '../testing/verifies.ts';

// The short form of `npm run nodes`. Its seeds are fixed: a failure is one that can be repeated.
test.each([
  { seed: 1, nodes: 2, faults: ['kill', 'absent_standby', 'unlisten'] },
  { seed: 2, nodes: 3, faults: ['freeze', 'half_open', 'failover'] },
] as const)(
  '$nodes servers through $faults keep what they acknowledged and say when they cannot',
  { timeout: 240_000 },
  async ({ seed, nodes, faults }) => {
    verifies('BW-nodes.01', 'BW-nodes.02', 'BW-nodes.04', 'BW-nodes.05');
    const result = await runSeed({ seed, nodes, seconds: 12, faults, agents: 2, writers: 4 });
    expect(result.findings).toEqual([]);
    // All of it was tried.
    expect([result.faults >= faults.length, result.acknowledged > 50, result.shown > 0]).toEqual([true, true, true]);
  },
);
