import { bindPrediction } from '../../src/outcomes/rules/binding.ts';
import { freshEvidence, recordOutcome } from '../../src/outcomes/rules/evidence.ts';
import { GRADE_WEIGHT } from '../../src/outcomes/rules/grading.ts';
import type { Random } from '../../src/runtime/index.ts';
import { bernoulli, delay } from '../agents.ts';
import { share, type Row } from '../figure.ts';

const MINUTE = 60_000;
const AGENT = 'agent';
/** Between two check-ins. */
const EVERY = 10 * MINUTE;

/** Whether an honest agent is paused within its check-ins, when passes and failures take their time and claims expire. */
const isPaused = (
  claim: number,
  passes: number,
  failures: number,
  lifeMs: number,
  random: Random,
  checkIns: number,
) => {
  const arrivals = Array.from({ length: checkIns }, (_, i) => {
    const passed = bernoulli(random, claim) === 1;
    const madeAt = i * EVERY;
    return { madeAt, passed, at: madeAt + MINUTE * delay(random, passed ? passes : failures) };
  }).sort((a, b) => a.at - b.at);
  let evidence = freshEvidence;
  for (const { madeAt, passed, at } of arrivals) {
    const binding = bindPrediction({
      predictionId: 'prediction',
      stored: {
        predictionId: 'prediction',
        agentId: AGENT,
        updateIndex: 1,
        confidence: claim,
        source: 'reported',
        expiresAt: madeAt + lifeMs,
        consumedAt: null,
        claimClass: null,
        complexityGap: null,
        vitals: null,
      },
      agentId: AGENT,
      argument: undefined,
      now: at,
    });
    const settled = recordOutcome(
      evidence,
      { isBad: !passed, score: passed ? 1 : 0, weight: GRADE_WEIGHT.tool_observed, fixture: false, binding },
      at,
    );
    if (settled.pause !== undefined) return true;
    evidence = settled.evidence;
  }
  return false;
};

const HOUR = 60 * MINUTE;

const row = (claim: number, passes: number, failures: number, hours: number, study: string, most?: number): Row => {
  const id = `late/${claim}-${passes}-${failures}-${hours}h`;
  const about = `claims ${claim}, calibrated; passes take ${passes} min and failures ${failures} (medians), predictions live ${hours} h`;
  return {
    name: id,
    about,
    run: (random, effort) => {
      const agents = effort.of(1_000);
      let paused = 0;
      for (let i = 0; i < agents; i += 1) {
        if (isPaused(claim, passes, failures, hours * HOUR, random, 1_000)) paused += 1;
      }
      return [
        {
          ...share(paused, agents),
          id,
          says: `${about}: paused within 1,000 check-ins`,
          unit: 'share',
          study,
          ...(most !== undefined && { aim: { most } }),
        },
      ];
    },
  };
};

/** What becomes of honest agents whose passes take longer than their failures. */
export const lateRows: readonly Row[] = [
  row(0.9, 40, 5, 24, '0.004', 0.01),
  row(0.9, 60, 10, 24, '0.004', 0.01),
  row(0.9, 120, 10, 24, '0.007', 0.01),
  row(0.8, 60, 10, 24, '0.004', 0.01),
  row(0.9, 120, 10, 1, '1 (what one hour did)'),
];
