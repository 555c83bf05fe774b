import { ok, refuse } from '@breakwater/contract';
import { calibration as calibrationSpec } from '@breakwater/contract/tools';
import { defineActions, type Tool } from '../runtime/index.ts';
import { calibrationReply } from './rules/reply.ts';
import type { Calibration } from './service.ts';

const MOST_DIFFERENCES = 20;

/** Ground truth is what was recorded with evidence; a word given afterwards would rewrite it (spec storage_and_ops 2.2). */
const byOutcomesOnly = (message: string) => refuse('CALIBRATION_BY_OUTCOMES_ONLY', message);

/** The tools of calibration. */
export const calibrationTools = (calibration: Calibration): Tool[] => [
  defineActions(calibrationSpec, {
    async check({ args }) {
      const asked = args.agent_id?.trim();
      const looked = await calibration.look(asked === '' ? undefined : asked);
      if (!looked.ok) return looked;
      const { assessment, reading, freshness } = looked.value;
      return ok(calibrationReply(assessment, reading, freshness));
    },
    async rebuild({ args }) {
      const dryRun = args.dry_run === true;
      const { days, claims, graded, differences } = await calibration.rebuild({ dryRun });
      return ok({
        dry_run: dryRun,
        days,
        claims,
        graded,
        days_that_differed: differences.length,
        differences: differences
          .slice(0, MOST_DIFFERENCES)
          .map(({ day, ...counts }) => ({ day: new Date(day).toISOString().slice(0, 10), ...counts })),
        note: 'Counted from the stored outcomes, of which none is ever rewritten; other servers count for themselves.',
      });
    },
    update: async () =>
      byOutcomesOnly('Whether a claim was right is what its recorded outcome says; it cannot be set by hand.'),
    backfill: async () =>
      byOutcomesOnly('What agents agree on in a review is no evidence of a result, and is not counted as one.'),
  }),
];
