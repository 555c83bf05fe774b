import { refuse, type Result } from '@breakwater/contract';
import { HOUR_MS } from '../../runtime/index.ts';

/** What a reviewer has at least. Times in ms. */
export const REVIEWER_NEEDS = {
  /** Results that count, recorded before the pause that it judges. */
  gradedResults: 20,
  /** Age at that pause. */
  age: 24 * HOUR_MS,
  /** How long it was not paused itself. */
  unpaused: 7 * 24 * HOUR_MS,
  /** Below this the claims detector's value of its account is sound. */
  claims: 20,
} as const;

/** What is asked about one who may review. Times in ms since the epoch, UTC. */
export interface ReviewerRecord {
  readonly agentId: string;
  readonly createdAt: number;
  /** The claims detector's value; null: no claim of it was ever held against a result. */
  readonly claims: number | null;
  /** Results that count, from before the pause; what is beyond the needed number need not be counted. */
  readonly gradedResults: number;
  /** When it was last under a pause, as far as the last seven days know; null: it was not. */
  readonly lastPausedAt: number | null;
  /** The eldest known ancestor; its own id without one. */
  readonly origin: string;
  /** It was met at a place where the paused agent was met. */
  readonly sharesPlace: boolean;
}

/** The agent that is reviewed. */
export interface Reviewed {
  readonly agentId: string;
  readonly origin: string;
  /** When the pause began; of an agent that is not paused, when its review was asked for. */
  readonly pausedAt: number;
}

/** A condition that a reviewer does not meet. `says` is for whoever is refused. */
export interface Shortfall {
  readonly condition:
    'graded_results' | 'age' | 'born_after_pause' | 'recently_paused' | 'claims' | 'relative' | 'same_place';
  readonly says: string;
  readonly has: number | string | null;
  readonly needs: number | string;
}

/**
 * The eldest known ancestor of an agent. Relatives of any degree, siblings among them, have the same one. A parent that
 * nobody knows is the eldest; a circle ends where it began.
 */
export const originOf = (agentId: string, parentOf: (agentId: string) => string | null): string => {
  const seen = new Set([agentId]);
  let eldest = agentId;
  for (let parent = parentOf(eldest); parent !== null && !seen.has(parent); parent = parentOf(eldest)) {
    seen.add(parent);
    eldest = parent;
  }
  return eldest;
};

const hours = (ms: number): number => Math.max(0, Math.floor(ms / HOUR_MS));

const ofKinship = (
  { agentId, origin }: Pick<ReviewerRecord, 'agentId' | 'origin'>,
  reviewed: Reviewed,
): readonly Shortfall[] =>
  agentId !== reviewed.agentId && origin !== reviewed.origin
    ? []
    : [
        {
          condition: 'relative',
          says: agentId === reviewed.agentId ? 'it is the paused agent itself' : 'it is a relative of the paused agent',
          has: 'relative',
          needs: 'no relative',
        },
      ];

type Known = Pick<ReviewerRecord, 'agentId' | 'createdAt' | 'claims' | 'origin'>;

/** What speaks against a reviewer that needs no look into its record: what memory has of every agent. */
export const shortfallsAtSight = (record: Known, reviewed: Reviewed): readonly Shortfall[] => {
  const { age, claims } = REVIEWER_NEEDS;
  const ageAtPause = reviewed.pausedAt - record.createdAt;
  const found: Shortfall[] = [];
  if (ageAtPause <= 0) {
    const says = 'it was born after the pause';
    found.push({ condition: 'born_after_pause', says, has: 'born after', needs: 'born before' });
  } else if (ageAtPause < age) {
    const says = `it was ${hours(ageAtPause)} h old at the pause, and ${hours(age)} h are needed`;
    found.push({ condition: 'age', says, has: hours(ageAtPause), needs: hours(age) });
  }
  if (record.claims !== null && !(record.claims < claims)) {
    const has = Math.round(record.claims * 100) / 100;
    const says = `the evidence against its own claims is ${has}, and must be below ${claims}`;
    found.push({ condition: 'claims', says, has, needs: claims });
  }
  return [...found, ...ofKinship(record, reviewed)];
};

/**
 * Every condition that a reviewer of this pause does not meet; empty: it qualifies. A reviewer that the paused agent could
 * have made, or paid with a word, would let the circuit breaker be lifted by whoever it stops: hence a record that cannot be
 * had at once, and no kinship.
 */
export const shortfallsOf = (record: ReviewerRecord, reviewed: Reviewed): readonly Shortfall[] => {
  const { gradedResults, unpaused } = REVIEWER_NEEDS;
  const found = [...shortfallsAtSight(record, reviewed)];
  if (record.gradedResults < gradedResults) {
    const says = `it has ${record.gradedResults} graded results from before the pause, and ${gradedResults} are needed`;
    found.push({ condition: 'graded_results', says, has: record.gradedResults, needs: gradedResults });
  }
  if (record.lastPausedAt !== null) {
    const at = new Date(record.lastPausedAt).toISOString();
    const says = `it was paused itself until ${at}, and must not have been for ${hours(unpaused) / 24} days`;
    found.push({ condition: 'recently_paused', says, has: at, needs: `${hours(unpaused) / 24} days` });
  }
  if (record.sharesPlace) {
    const says = 'it comes from the place of the paused agent (address and program, session or process)';
    found.push({ condition: 'same_place', says, has: 'same place', needs: 'another place' });
  }
  return found;
};

/** Refuses a reviewer that does not qualify, naming each condition, the numbers, and who can help. */
export const refuseUnqualified = (
  agentId: string,
  sessionId: string,
  shortfalls: readonly Shortfall[],
): Extract<Result<never>, { ok: false }> =>
  refuse(
    'REVIEWER_UNQUALIFIED',
    `Agent ${agentId} cannot review this pause: ${shortfalls.map(({ says }) => says).join('; ')}.`,
    {
      details: {
        reviewer_agent_id: agentId,
        conditions: shortfalls.map(({ condition, has, needs }) => ({ condition, has, needs })),
      },
      recovery: {
        action: shortfalls.some(({ condition }) => condition === 'relative')
          ? 'Leave the review to an agent that is no relative; an operator can name one.'
          : `Leave it to an agent that qualifies, or have an operator assign you: breakwater reviews assign ${sessionId} --reviewer ${agentId} --reason "…"`,
        related_tools: ['dialectic'],
      },
    },
  );
