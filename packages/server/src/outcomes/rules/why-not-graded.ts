import { PREDICTION_HOURS, type OutcomeType, type VerificationSource } from '@breakwater/contract';
import type { Binding } from './binding.ts';
import { gradeOutcome } from './grading.ts';

const OPEN = 'it says neither success nor failure; add exit_code or is_bad';

const WHY_UNBOUND: Readonly<Record<Binding['source'], string>> = {
  registry: 'its check-in reported no confidence of its own; send confidence with sync_state',
  argument_fallback: 'it settles no claim; add the prediction_id of the check-in that made it',
  no_binding: 'it settles no claim; add the prediction_id of the check-in that made it',
  missing_prediction: 'its prediction_id is unknown, used, or of another agent',
  ttl_expired_fallback: `its prediction_id is older than ${PREDICTION_HOURS} hours`,
};

type Graded = Pick<ReturnType<typeof gradeOutcome>, 'contradiction' | 'fixture' | 'missing' | 'isOpen'>;

/** Why an outcome does not count, and what would make it count the next time. */
export const whyNotGraded = (
  { contradiction, fixture, missing, isOpen }: Graded,
  source: Binding['source'],
): string => {
  if (contradiction !== undefined) return contradiction.message;
  if (fixture) return 'it is marked as test data';
  if (missing !== undefined) return missing;
  if (isOpen) return OPEN;
  return WHY_UNBOUND[source];
};

/** An outcome that is not graded, as it is stored. */
export interface StoredOutcome {
  readonly outcome: string;
  readonly isBad: boolean;
  readonly score: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly source: string | null;
  readonly predictionSource: string | null;
}

/** The same, of a stored outcome: it is looked at once more, so that nothing has to be stored beside it. */
export const whyStoredNotGraded = ({
  outcome,
  isBad,
  score,
  detail,
  source,
  predictionSource,
}: StoredOutcome): string => {
  const graded = gradeOutcome(
    { type: outcome as OutcomeType, detail, isBad, ...(score !== null && { score }) },
    (source ?? undefined) as VerificationSource | undefined,
  );
  const isOpen = score === null && !isBad;
  return whyNotGraded({ ...graded, isOpen }, (predictionSource ?? 'no_binding') as Binding['source']);
};

const MOST = 120;

/** What ran, by name, in one line; null when the detail names nothing. */
export const ranOf = (detail: Readonly<Record<string, unknown>>): string | null => {
  const named = ['command', 'test', 'tests', 'tool']
    .map((key) => detail[key])
    .find((value) => typeof value === 'string');
  if (typeof named !== 'string' || named.trim() === '') return null;
  const line = named.trim().replaceAll(/\s+/g, ' ');
  return line.length > MOST ? `${line.slice(0, MOST - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : line;
};
