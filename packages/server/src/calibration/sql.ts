import type { Statement } from '../postgres/index.ts';
import { GATE } from './rules/assess.ts';
import { BINS, type Cell } from './rules/tally.ts';

interface CellRow {
  readonly day: number;
  readonly channel: string;
  readonly claim_class: string | null;
  readonly bin: number;
  readonly claims: number;
  readonly sum_claim: number;
  readonly least_claim: number;
  readonly most_claim: number;
  readonly judged: number;
  readonly sum_judged_claim: number;
  readonly healthy: number;
  readonly graded: number;
  readonly sum_graded_claim: number;
  readonly sum_result: number;
  readonly sum_squared_result: number;
  readonly sum_squared_error: number;
  readonly newest_graded: number | null;
  readonly complexities: number;
  readonly complexity_far: number;
}

const SUMS = `date_bin('1 day', ts, timestamptz 'epoch') AS day, channel, claim_class,
  least(${BINS - 1}, floor(confidence * ${BINS}))::int AS bin,
  count(*) AS claims, sum(confidence) AS sum_claim, min(confidence) AS least_claim, max(confidence) AS most_claim,
  count(ended_healthy) AS judged,
  coalesce(sum(confidence) FILTER (WHERE ended_healthy IS NOT NULL), 0) AS sum_judged_claim,
  count(*) FILTER (WHERE ended_healthy) AS healthy,
  count(*) FILTER (WHERE graded) AS graded,
  coalesce(sum(confidence) FILTER (WHERE graded), 0) AS sum_graded_claim,
  coalesce(sum(outcome_score) FILTER (WHERE graded), 0) AS sum_result,
  coalesce(sum(outcome_score * outcome_score) FILTER (WHERE graded), 0) AS sum_squared_result,
  coalesce(sum((confidence - outcome_score) * (confidence - outcome_score)) FILTER (WHERE graded), 0) AS sum_squared_error,
  max(ts) FILTER (WHERE graded) AS newest_graded,
  count(complexity_gap) AS complexities,
  count(*) FILTER (WHERE complexity_gap > ${GATE.complexityGap}) AS complexity_far`;

/** Counts the claims and results from a time on, of the fleet or of one agent, by day, channel, class and bin. */
export const selectCells = (since: number, agentId: string | undefined): Statement => ({
  name: agentId === undefined ? 'calibration.fleet' : 'calibration.agent',
  text: `SELECT ${SUMS} FROM audit.outcome_events
         WHERE ts >= $1::timestamptz AND channel IS NOT NULL AND confidence IS NOT NULL
           ${agentId === undefined ? '' : 'AND agent_id = $2'}
         GROUP BY 1, 2, 3, 4`,
  values: [new Date(since).toISOString(), ...(agentId === undefined ? [] : [agentId])],
});

export const cellFromRow = (row: CellRow): Cell => ({
  day: row.day,
  channel: row.channel,
  claimClass: row.claim_class,
  bin: row.bin,
  claims: row.claims,
  sumClaim: row.sum_claim,
  leastClaim: row.least_claim,
  mostClaim: row.most_claim,
  judged: row.judged,
  sumJudgedClaim: row.sum_judged_claim,
  healthy: row.healthy,
  graded: row.graded,
  sumGradedClaim: row.sum_graded_claim,
  sumResult: row.sum_result,
  sumSquaredResult: row.sum_squared_result,
  sumSquaredError: row.sum_squared_error,
  newestGraded: row.newest_graded,
  complexities: row.complexities,
  complexityFar: row.complexity_far,
});
export type { CellRow };

/** Agents by id, or by name; several may bear a name. */
export const selectAgents = (idOrName: string): Statement => ({
  text: `SELECT id FROM core.agents WHERE id = lower($1) OR label = $1 ORDER BY (id = lower($1)) DESC LIMIT 2`,
  values: [idOrName],
});
