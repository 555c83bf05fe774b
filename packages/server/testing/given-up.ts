import type { Database } from '../src/postgres/index.ts';
import { until } from './server.ts';

/**
 * Has the resolution of a review be given up, and takes away what made it fail; gives its id. `agree` says the last word, and
 * may be refused.
 */
export const giveUp = async (database: Database, reviewId: string, agree: () => Promise<unknown>): Promise<string> => {
  await database.query({
    text: `CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'never'; END $$;
           CREATE TRIGGER never BEFORE INSERT ON coordination.outbox FOR EACH ROW EXECUTE FUNCTION never()`,
  });
  await agree().catch(() => undefined);
  // As if four attempts had failed some time ago: waiting for them would take most of a minute.
  await database.query({
    text: `UPDATE coordination.session_resolution_sagas
           SET attempt_count = 4, last_attempt_at = last_attempt_at - interval '1 minute' WHERE session_id = $1`,
    values: [reviewId],
  });
  const { saga_id } = await until(async () => {
    const [row] = await database.query<{ saga_id: string }>({
      text: `SELECT saga_id FROM coordination.session_resolution_sagas
             WHERE session_id = $1 AND dead_letter_at IS NOT NULL`,
      values: [reviewId],
    });
    return row;
  }, 'the server gives the resolution up');
  await database.query({ text: 'DROP FUNCTION never() CASCADE' });
  return saga_id;
};
