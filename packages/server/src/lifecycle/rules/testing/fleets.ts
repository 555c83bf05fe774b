import fc from 'fast-check';
import type { AgentHead } from '../../../agents/index.ts';
import { head, HOUR, NOW, pauseUntil, vitals } from './head.ts';

const few = (most: number) => fc.integer({ min: 0, max: most });
const orNull = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: null });

/** Vitals whose figures are often equal, and often not known. */
const anyVitals = fc
  .record({ risk: few(3), graded: few(1), rate: orNull(few(2)), settled: few(3), open: few(6), verdict: few(1) })
  .map(({ risk, graded, rate, settled, open, verdict }) =>
    vitals({
      risk: risk / 4,
      claims: risk + 1,
      verdict: verdict === 0 ? 'proceed' : 'pause',
      calibration: { error: null, graded, pass_rate: rate === null ? null : rate / 2, mean_claim: 0.7 },
      coverage: {
        made: settled + open,
        settled,
        expired: 0,
        unclaimed: 0,
        ungraded: 0,
        silence: [1, 1, 1, 1],
        from: NOW / HOUR - 1,
        open: [open, 0, 1],
      },
    }),
  );

/** Fleets of agents that are often equal in what lists sort them by, and of which few are alike in everything. */
export const fleets: fc.Arbitrary<readonly AgentHead[]> = fc
  .array(
    fc.record({
      label: orNull(fc.constantFrom('Ada', 'ada', 'Bob', 'test_1', 'agent 2')),
      purpose: orNull(fc.constantFrom('Builds', 'keeps ADA')),
      status: fc.constantFrom('active', 'active', 'paused', 'waiting_input', 'archived', 'disabled', 'deleted'),
      tags: fc.constantFrom<string[]>([], ['test'], ['build', 'autonomous'], ['build']),
      created: few(3),
      active: orNull(few(3)),
      updateCount: few(3),
      vitals: orNull(anyVitals),
    }),
    { maxLength: 90 },
  )
  .map((agents) =>
    agents.map(({ created, active, ...rest }, i) =>
      head({
        ...rest,
        // In no order of theirs.
        agentId: `${((i * 37) % 97).toString(16).padStart(2, '0')}-${i}`,
        createdAt: NOW - created * 5 * 24 * HOUR,
        lastActivityAt: active === null ? null : NOW - active * HOUR,
        pause: rest.status === 'paused' ? pauseUntil(NOW + HOUR) : null,
      }),
    ),
  );
