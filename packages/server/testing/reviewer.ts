import { announcements, ensurePartitions, type Database } from '../src/postgres/index.ts';
import { runCommand } from './server.ts';

const HOUR = 3_600_000;
/** How old the agent is made, and how long ago its results came: both before whatever is paused from now on. */
const AGE = 48 * HOUR;
const RESULTS_AGO = 24 * HOUR;

/** Has an operator name the reviewer by the command line, as one has to where no agent has a record yet. */
export const assignReviewer = async (
  server: { readonly url: string; readonly dataDir: string },
  reviewId: string,
  reviewerId: string,
): Promise<void> => {
  const { code, stderr } = await runCommand(
    ['reviews', 'assign', reviewId, '--reviewer', reviewerId, '--reason', 'it knows the code'],
    { env: { BREAKWATER_URL: server.url, BREAKWATER_DATA_DIR: server.dataDir } },
  );
  if (code !== 0) throw new Error(`reviews assign: ${stderr}`);
};

/**
 * Gives agents the record that a reviewer needs (docs/agents.md): two days of age, and twenty graded results of a day ago.
 * The rows are those that time and work would have left; what a reviewer must not be, this does not touch. Nodes that
 * listen take the new birthday over; others refresh the agents.
 */
export const giveRecord = async (database: Database, agentIds: readonly string[], now = Date.now()): Promise<void> => {
  const [born, at] = [new Date(now - AGE).toISOString(), new Date(now - RESULTS_AGO).toISOString()];
  await ensurePartitions(database, now - RESULTS_AGO);
  await database.transaction(async (tx) => {
    await tx.query({
      text: `UPDATE core.identities SET created_at = $2::timestamptz, sequence = sequence + 1 WHERE agent_id = ANY ($1::text[])`,
      values: [agentIds, born],
    });
    await tx.query({
      text: `INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, outcome_type, outcome_score, is_bad, prediction_source,
               confidence, corroboration_grade, evidence_weight, graded, verification_source)
             SELECT $2::timestamptz + n * interval '1 second', gen_random_uuid(), id, 'test_passed', 1, false, 'registry', 0.8,
               'tool_observed', 0.65, true, 'agent_reported_tool_result'
             FROM unnest($1::text[]) AS id, generate_series(1, 20) AS n`,
      values: [agentIds, at],
    });
    for (const statement of announcements('agents', agentIds)) await tx.query(statement);
  });
};
