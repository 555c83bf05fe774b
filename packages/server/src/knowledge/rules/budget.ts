import { refuse } from '@breakwater/contract';

/** New findings that one writer may store in an hour; updates are free. */
export const NEW_FINDINGS = 20;
/** The hour of the budget, in ms. */
export const BUDGET_MS = 3_600_000;

/** How many more findings may be stored, given when those of the last hour were (ms). */
export const budgetLeft = (spent: readonly number[]): number => Math.max(0, NEW_FINDINGS - spent.length);

/** The refusal of a writer that has used its budget up; `spent` oldest first. */
export const refuseBudget = (spent: readonly number[], now: number): ReturnType<typeof refuse> => {
  // The room for one comes when all but nineteen have left the hour.
  const leaving = spent[Math.max(0, spent.length - NEW_FINDINGS)] ?? now;
  return refuse('RATE_LIMIT_EXCEEDED', `More than ${NEW_FINDINGS} new findings in an hour.`, {
    details: { limit: NEW_FINDINGS, window: 'hour', budget: 'new_findings', used: spent.length },
    retryAfterSeconds: Math.max(1, Math.ceil((leaving + BUDGET_MS - now) / 1000)),
    recovery: {
      action: 'Wait for retry_after_seconds, or add to what is stored: updates are free.',
      related_tools: ['knowledge'],
    },
  });
};
