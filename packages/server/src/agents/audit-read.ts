import type { Database, Queryable, Statement } from '../postgres/index.ts';
import { iso, type Clock } from '../runtime/index.ts';
import { ChainCheck, type ChainRow, type Fault } from './audit-verify.ts';

/** What to verify. */
export interface AuditScope {
  /** Of one agent; all of them when not given. */
  readonly agentId?: string | undefined;
  /** From this time on, ms since the epoch: the row before it is taken as it is. The whole trail when not given. */
  readonly since?: number | undefined;
}

/** How far a verification has come. */
export interface AuditProgress {
  readonly agents: number;
  readonly ofAgents: number;
  readonly rows: number;
}

/** What a verification found. */
export interface AuditReport {
  readonly agents: number;
  /** Rows of chains that were read. */
  readonly rows: number;
  readonly seconds: number;
  /** Agents whose chain has a fault. */
  readonly faulty: number;
  /** The first fault of each of them; of the first {@link MAX_FAULTS}. */
  readonly faults: readonly Fault[];
  /** Rows outside of every chain, by type: nothing proves them. */
  readonly outside: readonly { readonly type: string; readonly rows: number; readonly alsoInChains: boolean }[];
  /** What retention took: it cannot be verified any more. */
  readonly dropped: { readonly agents: number; readonly rows: number };
}

/** A list of faults is not longer than somebody may want to read. */
export const MAX_FAULTS = 1_000;

/** One transaction reads this many agents, or rows, and so holds the tables no longer than a moment. */
const GROUP_AGENTS = 200;
const GROUP_ROWS = 20_000;
const PAGE_AGENTS = 2_000;
const FETCH_ROWS = 2_000;
/** Nodes' clocks differ by less than this: rows may stand this much out of the order of their times. */
const SKEW_MS = 3_600_000;

/** A time finer than the milliseconds that we write was not written by us, and must not look like one that was. */
const timeText = (micros: string): string => `${micros.endsWith('000') ? micros.slice(0, -3) : micros}Z`;

const ROW = `e.agent_id, e.event_id, to_char(e.ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') AS at, e.event_type,
  e.payload, e.session_id, e.confidence, e.payload_tsv::text AS search_text, e.chain_index, e.prev_hash, e.raw_hash`;

interface StoredRow {
  readonly agent_id: string;
  readonly event_id: string;
  readonly at: string;
  readonly event_type: string;
  readonly payload: unknown;
  readonly session_id: string | null;
  readonly confidence: number;
  readonly search_text: string | null;
  readonly chain_index: number;
  readonly prev_hash: string | null;
  readonly raw_hash: string | null;
}

const rowFrom = (row: StoredRow): ChainRow => ({
  agentId: row.agent_id,
  eventId: row.event_id,
  ts: timeText(row.at),
  type: row.event_type,
  payload: row.payload,
  sessionId: row.session_id,
  confidence: row.confidence,
  searchText: row.search_text,
  chainIndex: row.chain_index,
  prevHash: row.prev_hash,
  hash: row.raw_hash,
});

interface FactsRow {
  readonly agent_id: string;
  readonly audit_head: string | null;
  readonly audit_count: number | null;
  readonly anchor_index: number | null;
  readonly anchor_hash: string | null;
  readonly dropped_rows: number | null;
  readonly first: number | null;
}

/** With `since`, `first` is the row before the first one of that time, or the newest row when there is none. */
const selectFacts = (agentIds: readonly string[], since: number | undefined): Statement => ({
  text: `SELECT a.agent_id, i.audit_head, i.audit_count, c.chain_index AS anchor_index, c.raw_hash AS anchor_hash,
           c.dropped_rows, ${
             since === undefined
               ? 'NULL::bigint'
               : `coalesce(
             (SELECT greatest(min(e.chain_index) - 1, 1) FROM audit.events e
              WHERE e.agent_id = a.agent_id AND e.chain_index IS NOT NULL AND e.ts >= $2::timestamptz HAVING count(*) > 0),
             (SELECT e.chain_index FROM audit.events e WHERE e.agent_id = a.agent_id AND e.chain_index IS NOT NULL
              ORDER BY e.ts DESC, e.chain_index DESC LIMIT 1))`
           } AS first
         FROM unnest($1::text[]) AS a (agent_id)
         LEFT JOIN core.identities i ON i.agent_id = a.agent_id
         LEFT JOIN audit.chain_anchors c ON c.agent_id = a.agent_id`,
  values: [agentIds, ...(since === undefined ? [] : [iso(since)])],
});

const ORDER = 'ORDER BY e.agent_id, e.chain_index';

const declareRows = (facts: readonly FactsRow[], since: number | undefined): Statement =>
  since === undefined
    ? {
        text: `DECLARE chained NO SCROLL CURSOR FOR SELECT ${ROW} FROM audit.events e
               WHERE e.agent_id = ANY ($1::text[]) AND e.chain_index IS NOT NULL ${ORDER}`,
        values: [facts.map((row) => row.agent_id)],
      }
    : {
        // The row before the window may be old; the newest one before it is found by the index on agent and time.
        text: `DECLARE chained NO SCROLL CURSOR FOR SELECT ${ROW}
               FROM unnest($1::text[], $2::bigint[]) AS a (agent_id, first) CROSS JOIN LATERAL (
                 SELECT * FROM audit.events e WHERE e.agent_id = a.agent_id AND e.ts >= $3::timestamptz
                 UNION ALL
                 (SELECT * FROM audit.events e
                  WHERE e.agent_id = a.agent_id AND e.ts < $3::timestamptz AND e.chain_index IS NOT NULL
                  ORDER BY e.ts DESC, e.chain_index DESC LIMIT 1)
               ) e WHERE e.chain_index >= a.first ${ORDER}`,
        values: [facts.map((row) => row.agent_id), facts.map((row) => row.first), iso(since - SKEW_MS)],
      };

/** Reads one after the other in one moment of the database, so that a write or a drop meanwhile is no fault. */
const inOneMoment = <T>(database: Database, work: (tx: Queryable) => Promise<T>): Promise<T> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY' });
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    // Before the first read: a partition that is dropped after the moment but before its read would be missed.
    await tx.query({ text: 'LOCK TABLE ONLY audit.events IN ACCESS SHARE MODE' });
    return work(tx);
  });

const checkOf = (row: FactsRow): ChainCheck =>
  new ChainCheck({
    agentId: row.agent_id,
    end:
      row.audit_head === null || row.audit_count === null
        ? null
        : { auditHead: row.audit_head, auditCount: row.audit_count },
    anchor:
      row.anchor_index === null || row.anchor_hash === null || row.dropped_rows === null
        ? null
        : { index: row.anchor_index, hash: row.anchor_hash, droppedRows: row.dropped_rows },
    from: row.first,
  });

/** Verifies the chains of these agents; gives the first fault of each, and how many rows it read. */
const verifyGroup = (
  database: Database,
  agentIds: readonly string[],
  since: number | undefined,
): Promise<{ faults: Fault[]; rows: number; facts: readonly FactsRow[] }> =>
  inOneMoment(database, async (tx) => {
    const facts = await tx.query<FactsRow>(selectFacts(agentIds, since));
    const checks = new Map(facts.map((row) => [row.agent_id, checkOf(row)]));
    const faults: Fault[] = [];
    const take = (fault: Fault | undefined) => fault && void faults.push(fault);
    let rows = 0;
    await tx.query(declareRows(facts, since));
    for (;;) {
      const page = await tx.query<StoredRow>({ text: `FETCH ${FETCH_ROWS} FROM chained` });
      for (const row of page) take(checks.get(row.agent_id)?.add(rowFrom(row)));
      rows += page.length;
      if (page.length < FETCH_ROWS) break;
    }
    for (const check of checks.values()) take(check.end());
    return { faults, rows, facts };
  });

/** Agents after `cursor` in the order of their ids, with how many rows they should have. */
const agentsAfter = (database: Database, cursor: string) =>
  database.query<{ agent_id: string; rows: number }>({
    text: `SELECT i.agent_id, i.audit_count - coalesce(c.dropped_rows, 0) AS rows
           FROM core.identities i LEFT JOIN audit.chain_anchors c ON c.agent_id = i.agent_id
           WHERE i.agent_id > $1 ORDER BY i.agent_id LIMIT ${PAGE_AGENTS}`,
    values: [cursor],
  });

/** All agents in groups that are read at once. */
async function* groupsOf(database: Database): AsyncGenerator<string[]> {
  for (let cursor = ''; ;) {
    const page = await agentsAfter(database, cursor);
    let group: string[] = [];
    let rows = 0;
    for (const agent of page) {
      if (group.length === GROUP_AGENTS || (group.length > 0 && rows + agent.rows > GROUP_ROWS)) {
        yield group;
        group = [];
        rows = 0;
      }
      group.push(agent.agent_id);
      rows += agent.rows;
    }
    if (group.length > 0) yield group;
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE_AGENTS) return;
    cursor = last.agent_id;
  }
}

/** Chains that belong to no agent of core.identities; null for rows that name no agent at all. */
const strangers = (database: Database, since: number | undefined): Promise<(string | null)[]> =>
  inOneMoment(database, async (tx) => {
    const rows = await tx.query<{ agent_id: string | null }>({
      text: `SELECT e.agent_id FROM audit.events e
             WHERE e.chain_index IS NOT NULL ${since === undefined ? '' : 'AND e.ts >= $1::timestamptz'}
               AND NOT EXISTS (SELECT 1 FROM core.identities i WHERE i.agent_id = e.agent_id)
             UNION SELECT c.agent_id FROM audit.chain_anchors c
             WHERE NOT EXISTS (SELECT 1 FROM core.identities i WHERE i.agent_id = c.agent_id)`,
      values: since === undefined ? [] : [iso(since)],
    });
    return rows.map((row) => row.agent_id);
  });

const outsideOf = (database: Database, { agentId, since }: AuditScope): Promise<AuditReport['outside']> =>
  inOneMoment(database, (tx) =>
    tx.query({
      text: `SELECT event_type AS type, count(*) FILTER (WHERE chain_index IS NULL) AS rows,
               bool_or(chain_index IS NOT NULL) AS "alsoInChains"
             FROM audit.events
             WHERE ($1::text IS NULL OR agent_id = $1) AND ($2::timestamptz IS NULL OR ts >= $2)
             GROUP BY 1 HAVING bool_or(chain_index IS NULL) ORDER BY 2 DESC, 1`,
      values: [agentId ?? null, since === undefined ? null : iso(since)],
    }),
  );

const droppedOf = async (database: Database, agentId: string | undefined): Promise<AuditReport['dropped']> => {
  const [row] = await database.query<AuditReport['dropped']>({
    text: `SELECT count(*) AS agents, coalesce(sum(dropped_rows), 0)::bigint AS rows FROM audit.chain_anchors
           WHERE $1::text IS NULL OR agent_id = $1`,
    values: [agentId ?? null],
  });
  return row ?? { agents: 0, rows: 0 };
};

/**
 * Verifies the hash chains of audit.events (BW-channel.03), group by group, beside running servers. Undefined when the
 * scope names an agent of which there is neither a row nor a trace. `onProgress` hears of every group.
 */
export const verifyAudit = async (
  database: Database,
  scope: AuditScope,
  clock: Pick<Clock, 'monotonic'>,
  onProgress: (progress: AuditProgress) => void = () => undefined,
): Promise<AuditReport | undefined> => {
  const started = clock.monotonic();
  const { agentId, since } = scope;
  const faults: Fault[] = [];
  let agents = 0;
  let rows = 0;
  let faulty = 0;
  const blame = (found: readonly Fault[]) => {
    faulty += found.length;
    faults.push(...found.slice(0, MAX_FAULTS - faults.length));
  };

  const verify = async (group: readonly string[], ofAgents: number) => {
    const verified = await verifyGroup(database, group, since);
    agents += group.length;
    rows += verified.rows;
    blame(verified.faults);
    onProgress({ agents, ofAgents, rows });
    return verified;
  };

  if (agentId === undefined) {
    const [count] = await database.query<{ agents: number }>({
      text: 'SELECT count(*) AS agents FROM core.identities',
    });
    for await (const group of groupsOf(database)) await verify(group, count?.agents ?? 0);
    for (const stranger of await strangers(database, since)) {
      if (stranger !== null) await verify([stranger], agents + 1);
      else blame([{ agentId: '', kind: 'surplus', index: 0, eventId: null, what: 'rows of a chain name no agent' }]);
    }
  } else {
    const { facts, rows: read } = await verify([agentId], 1);
    const [known] = facts;
    if (read === 0 && known?.audit_count == null && known?.anchor_index == null) return undefined;
  }
  return {
    agents,
    rows,
    faulty,
    faults,
    outside: await outsideOf(database, scope),
    dropped: await droppedOf(database, agentId),
    seconds: (clock.monotonic() - started) / 1000,
  };
};
