import { describe, expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { verifies } from '../../testing/verifies.ts';
import type { Database, Statement } from './database.ts';
import { readCatalogue } from './drift.ts';
import { migrate, migrations, planMigrations } from './migrate.ts';
import { ensurePartitions } from './partitions.ts';

/** A row in every table, so that no step down or up can rely on an empty one. */
const fill = async (db: Database): Promise<void> => {
  const statements = [
    `INSERT INTO core.threads (thread_id) VALUES ('t')`,
    `INSERT INTO core.agents (id, thread_id) VALUES ('a', 't')`,
    `INSERT INTO core.identities (agent_id) VALUES ('a')`,
    `INSERT INTO core.agent_state (identity_id, sequence, update_index) SELECT identity_id, 1, 1 FROM core.identities`,
    `INSERT INTO core.agent_baselines (agent_id) VALUES ('a')`,
    `INSERT INTO core.agent_behavioral_baselines (agent_id) VALUES ('a')`,
    `INSERT INTO core.predictions (prediction_id, agent_id, update_index, state_sequence, confidence, source, created_at, expires_at)
     VALUES (gen_random_uuid(), 'a', 1, 1, 0.5, 'reported', now(), now())`,
    `INSERT INTO core.idempotency_keys (agent_id, key, request_hash, reply, created_at) VALUES ('a', 'k', 'h', '{}', now())`,
    `INSERT INTO core.bindings (credential_hash, kind, agent_id, created_at, expires_at)
     VALUES (repeat('0', 64), 'session', 'a', now(), now())`,
    `INSERT INTO core.feature_flag_history (key, new_value, changed_by, reason) VALUES ('k', 'true', 'me', 'why')`,
    `INSERT INTO core.server_secrets (name, secret) VALUES ('s', decode(repeat('00', 32), 'hex'))`,
    `INSERT INTO core.agent_process_bindings (agent_id, host_id, pid, pid_start_time, onboard_ts, last_seen)
     VALUES ('a', 'h', 1, 1, now(), now())`,
    `INSERT INTO core.successors (paused_agent_id, successor_agent_id, actuation_id, evidence, linked_at)
     VALUES ('a', 'a', '', ARRAY['process'], now())`,
    `INSERT INTO core.notices (notice_id, kind, key, at, payload) VALUES (gen_random_uuid(), 'finding', 'k', now(), '{}')`,
    `INSERT INTO core.metric_points (name, at, value) VALUES ('m', now(), 1)`,
    `INSERT INTO core.agent_places (agent_id, place, first_seen) VALUES ('a', repeat('0', 64), now())`,
    `INSERT INTO core.substrate_claims (agent_id, expected_executable_path) VALUES ('a', '/usr/bin/true')`,
    `INSERT INTO audit.r1_score_audit (score_id, parent_id, successor_id, recorded_at, plausibility, observations, parent_mature)
     VALUES (gen_random_uuid(), 'a', 'b', now(), 'inconclusive', 0, false)`,
    `INSERT INTO core.dialectic_sessions (session_id, paused_agent_id) VALUES ('s', 'a')`,
    `INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp") VALUES ('s', 'a', 'thesis', now())`,
    `INSERT INTO coordination.session_resolution_sagas (saga_id, session_id, paused_agent_id, state, outcome,
       resolution_payload_json, resolution_payload_hash)
     VALUES ('00000000-0000-4000-8000-000000000000', 's', 'a', 'reserved', 'resolved', '{}', 'h')`,
    `INSERT INTO coordination.saga_reservations (agent_id, saga_id) VALUES ('a', '00000000-0000-4000-8000-000000000000')`,
    `INSERT INTO coordination.saga_stages (saga_id, agent_id, epoch, before_image, after_image)
     VALUES ('00000000-0000-4000-8000-000000000000', 'a', 1, '{}', '{}')`,
    `INSERT INTO coordination.outbox (saga_id, effect, payload) VALUES ('00000000-0000-4000-8000-000000000000', 'e', '{}')`,
    `INSERT INTO audit.events (ts, event_id, event_type) VALUES (now(), gen_random_uuid(), 'x')`,
    `INSERT INTO audit.tool_usage (ts, tool_name) VALUES (now(), 'x')`,
    `INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, outcome_type, is_bad, prediction_source,
       corroboration_grade, evidence_weight, graded)
     VALUES (now(), gen_random_uuid(), 'a', 'x', false, 'no_binding', 'x', 1, false)`,
    `INSERT INTO audit.coordination_events (ts, event_id, service, event_type)
     VALUES (now(), gen_random_uuid(), 'governance_mcp', 'coordination_failure.x')`,
    `INSERT INTO audit.coordination_measurements (ts, event_id, service, event_type)
     VALUES (now(), gen_random_uuid(), 'governance_mcp', 'measurement.x')`,
    `INSERT INTO knowledge.discoveries (id, agent_id, type, summary) VALUES ('d', 'a', 'note', 's')`,
    `INSERT INTO knowledge.discovery_edges (src_id, dst_id, edge_type) VALUES ('d', 'd', 'RELATED_TO')`,
    `INSERT INTO knowledge.rate_limits (agent_id, "timestamp") VALUES ('a', now())`,
    `INSERT INTO audit.chain_anchors (agent_id, chain_index, raw_hash, dropped_rows, anchored_at)
     VALUES ('a', 1, 'h', 1, now())`,
    `INSERT INTO audit.dropped_partitions (partition_name, dropped_at, table_name, range_to, bytes)
     VALUES ('p', now(), 't', now(), 0)`,
  ];
  for (const text of statements) await db.query({ text });
};

const emptyTables = async (db: Database): Promise<string[]> => {
  const empty: string[] = [];
  for (const table of Object.keys(await readCatalogue(db))) {
    if ((await db.query({ text: `SELECT 1 FROM ${table} LIMIT 1` })).length === 0) empty.push(table);
  }
  return empty;
};

describe('migrations', async () => {
  const { database, open } = await testDatabase({ empty: true });
  const newest = migrations().at(-1)?.version ?? 0;
  const sql = (text: string) => database.query({ text });

  it('go up, down and up on a filled database to the same catalogue, and each has a down', async () => {
    verifies('W3-3.18');
    expect(migrations().length).toBeGreaterThan(1);
    expect(migrations().map(({ version }) => version)).toEqual(migrations().map((_, i) => i + 1));
    expect((await migrate(database)).steps.map(({ direction }) => direction)).toEqual(migrations().map(() => 'up'));
    await ensurePartitions(database, Date.now());
    const first = await readCatalogue(database);
    await fill(database);
    expect(await emptyTables(database)).toEqual([]);

    const down = await migrate(database, 0);
    expect(down.steps.map(({ version }) => version)).toEqual(
      migrations()
        .map(({ version }) => version)
        .reverse(),
    );
    expect(await readCatalogue(database)).toEqual({});
    const left = await sql(`SELECT nspname FROM pg_namespace WHERE nspname IN ('core', 'audit')`);
    expect(left).toEqual([]);

    await migrate(database);
    expect(await readCatalogue(database)).toEqual(first);
  });

  it('change nothing when nothing is pending, with one query after it was asked whether the database takes writes', async () => {
    await migrate(database);
    let queries = 0;
    const counting: Database = {
      ...database,
      query: (statement) => {
        queries += 1;
        return database.query(statement);
      },
    };
    expect(await migrate(counting)).toEqual({ current: newest, target: newest, steps: [] });
    expect(queries).toBe(2);
  });

  it('run once when several nodes start at once', async () => {
    await migrate(database, 0);
    const nodes = [database, open(), open(), open()];
    await Promise.all(nodes.map((node) => migrate(node)));
    expect((await planMigrations(database)).steps).toEqual([]);
    expect(await sql('SELECT version FROM breakwater.schema_migrations')).toHaveLength(migrations().length);
  });

  it('are not taken for a stranger’s when another node makes them between two looks', async () => {
    verifies('BW-nodes.05');
    await migrate(database, 0);
    await sql('DROP SCHEMA IF EXISTS breakwater CASCADE');
    const other = open();
    let looks = 0;
    const slow: Database = {
      ...database,
      query: async <R>(statement: Statement) => {
        looks += 1;
        // The second, after whether it can be written, finds no history; before the third, another node has done it all.
        if (looks === 3) await migrate(other);
        return database.query<R>(statement);
      },
    };
    expect((await migrate(slow)).steps).toEqual([]);
    expect(looks).toBe(4);
  });

  it('are made by one of three nodes that start at once on an empty database, fifty times', async () => {
    const nodes = [database, open(), open()];
    for (let round = 0; round < 50; round += 1) {
      await migrate(database, 0);
      await sql('DROP SCHEMA IF EXISTS breakwater CASCADE');
      await Promise.all(nodes.map((node) => migrate(node, 1)));
      expect(await sql('SELECT version FROM breakwater.schema_migrations')).toEqual([{ version: 1 }]);
    }
    await migrate(database);
  });

  it('leave no trace of a step that fails', async () => {
    await migrate(database, 1);
    await sql('CREATE SCHEMA audit');
    await expect(migrate(database)).rejects.toThrow('already exists');
    expect((await planMigrations(database)).current).toBe(1);
    await sql('DROP SCHEMA audit');
    await migrate(database);
  });

  it('are refused after an applied file was changed', async () => {
    verifies('W3-3.18');
    await migrate(database);
    await sql(`UPDATE breakwater.schema_migrations SET checksum = repeat('0', 64) WHERE version = 1`);
    await expect(migrate(database)).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining('other contents') as string,
      wayOut: expect.stringContaining('release that applied it') as string,
    });
    await sql(
      `UPDATE breakwater.schema_migrations SET checksum = '${migrations()[0]?.checksum ?? ''}' WHERE version = 1`,
    );
    expect((await migrate(database)).steps).toEqual([]);
  });

  it('are refused on a newer schema', async () => {
    verifies('BW-postgres.02');
    await migrate(database);
    await sql(
      `INSERT INTO breakwater.schema_migrations (version, name, checksum) VALUES (${newest + 1}, 'later', 'x')`,
    );
    await expect(migrate(database)).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining(`migration ${newest + 1} (later)`) as string,
      wayOut: expect.stringContaining('upgrade') as string,
    });
    await sql(`DELETE FROM breakwater.schema_migrations WHERE version = ${newest + 1}`);
  });

  it.each(['core', 'audit'])('are refused where somebody else has a schema %s', async (schema) => {
    verifies('BW-postgres.02');
    await migrate(database, 0);
    await sql('DROP SCHEMA IF EXISTS breakwater CASCADE');
    await sql(`CREATE SCHEMA ${schema}`);
    await expect(migrate(database)).rejects.toMatchObject({
      name: 'StartupError',
      message: expect.stringContaining(`schema "${schema}"`) as string,
      wayOut: expect.stringContaining('DATABASE_URL') as string,
    });
    await sql(`DROP SCHEMA ${schema}`);
  });
});
