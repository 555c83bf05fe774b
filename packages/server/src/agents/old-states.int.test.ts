import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { countOldStates, deleteOldStates, readStates } from './old-states.ts';
import { DAY_MS } from '../runtime/index.ts';

const NOW = Date.UTC(2026, 5, 1);
const CUT = NOW - 90 * DAY_MS;

describe('old states of agents', async () => {
  const { database } = await testDatabase();
  const sql = (text: string, ...values: unknown[]) => database.query<Record<string, number>>({ text, values });

  /** An agent with rows of these times, the last ones synthetic; gives its identity. */
  const agent = async (name: string, times: readonly number[], synthetic = 0): Promise<number> => {
    await sql('INSERT INTO core.agents (id) VALUES ($1)', name);
    const [row] = await sql('INSERT INTO core.identities (agent_id) VALUES ($1) RETURNING identity_id', name);
    for (const [i, at] of times.entries()) {
      await sql(
        `INSERT INTO core.agent_state (identity_id, sequence, update_index, recorded_at, synthetic)
         VALUES ($1, $2, $2, $3::timestamptz, $4)`,
        row?.['identity_id'],
        i + 1,
        new Date(at).toISOString(),
        i >= times.length - synthetic,
      );
    }
    return row?.['identity_id'] ?? 0;
  };
  const left = async (identity: number) =>
    (await sql('SELECT sequence FROM core.agent_state WHERE identity_id = $1 ORDER BY 1', identity)).map(
      (row) => row['sequence'],
    );

  it('are deleted, but for the newest of each agent and the one that a restart restores it from', async () => {
    const busy = await agent('busy', [CUT - 3 * DAY_MS, CUT - 1, CUT, NOW]);
    const idle = await agent('idle', [CUT - 30 * DAY_MS, CUT - 20 * DAY_MS, CUT - 10 * DAY_MS]);
    const once = await agent('once', [CUT - 400 * DAY_MS]);
    const dreaming = await agent(
      'dreaming',
      [CUT - 9 * DAY_MS, CUT - 8 * DAY_MS, CUT - 7 * DAY_MS, CUT - 6 * DAY_MS],
      2,
    );
    const fresh = await agent('fresh', [NOW, NOW]);
    expect(await countOldStates(database, NOW)).toBe(2 + 2 + 0 + 2);
    expect(await deleteOldStates(database, NOW, { pageRows: 3 })).toBe(6);
    expect(await Promise.all([busy, idle, once, dreaming, fresh].map(left))).toEqual([
      [3, 4],
      [3],
      [1],
      [2, 4],
      [1, 2],
    ]);
    expect(await countOldStates(database, NOW)).toBe(0);
    expect(await deleteOldStates(database, NOW)).toBe(0);
    expect(await readStates(database)).toMatchObject({ oldest: CUT });
  });

  it('are deleted page by page: a run ends at the first page without an old one, and when the server stops', async () => {
    const pages: unknown[] = [];
    const counting = {
      ...database,
      query: <R>(statement: { text: string; values?: readonly unknown[] }) => {
        pages.push(statement.values?.[0]);
        return database.query<R>(statement);
      },
    };
    await agent(
      'late',
      Array.from({ length: 20 }, () => NOW),
    );
    await sql('DELETE FROM core.agent_state WHERE recorded_at < $1::timestamptz', new Date(CUT).toISOString());
    await deleteOldStates(counting, NOW, { pageRows: 2 });
    expect(pages).toEqual([0]);
    await agent(
      'old',
      Array.from({ length: 9 }, () => CUT - DAY_MS),
    );
    const stopping = AbortSignal.abort();
    expect(await deleteOldStates(counting, NOW + 91 * DAY_MS, { stopping })).toBe(0);
    expect(pages).toEqual([0]);
    // Every row but the newest of its agent is old by then.
    const [rows] = await sql('SELECT count(*) AS rows, count(DISTINCT identity_id) AS agents FROM core.agent_state');
    expect(await deleteOldStates(counting, NOW + 91 * DAY_MS, { pageRows: 5 })).toBe(rows!['rows']! - rows!['agents']!);
    expect(await sql('SELECT 1 FROM core.agent_state')).toHaveLength(rows!['agents']!);
  });
});
