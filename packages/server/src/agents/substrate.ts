import { ok, AUDIT_EVENTS, refusal, refuse, type Result, type Refusal } from '@breakwater/contract';
import { announcements, type Database, type Queryable, type Statement } from '../postgres/index.ts';
import { iso, type Ids } from '../runtime/index.ts';
import type { AgentStatus, SubstrateClaim } from './agent.ts';
import { chain, type AuditDraft, type AuditRow, type ChainEnd } from './audit-chain.ts';
import { refuseEnded } from './lifecycle.ts';

/** An enrolled agent, and what its process must look like. */
export interface Enrolment extends SubstrateClaim {
  readonly agentId: string;
  readonly label: string | null;
  readonly status: AgentStatus;
  /** ms since the epoch, UTC. */
  readonly enrolledAt: number;
  readonly notes: string | null;
}

/** Who enrols an agent or ends that, and when; `ids` gives the audit row its id. */
interface Act {
  readonly agentId: string;
  readonly by: string;
  /** Why, for the audit trail. */
  readonly reason: string;
  /** ms since the epoch, UTC. */
  readonly now: number;
  readonly ids: Pick<Ids, 'rowId'>;
}

const MAX_PATH = 4096;
const MAX_NOTES = 1000;
const UNIT = /^[\w:.@\\-]{1,240}\.(service|scope)$/;

const wrong = (field: string, rule: string, action: string): Refusal =>
  refusal('PARAMETER_ERROR', `${field} ${rule}.`, { details: { field }, recovery: { action } });

/** Why no process could ever match such a claim, or undefined when one can. */
const refusalOfClaim = ({ executable, unit }: SubstrateClaim, notes: string | null): Refusal | undefined => {
  if (!executable.startsWith('/') || executable.length > MAX_PATH || /\p{Cc}/u.test(executable)) {
    return wrong('executable', 'must be an absolute path', 'Give the path that /proc/<pid>/exe of the agent shows.');
  }
  if (unit !== null && !UNIT.test(unit)) {
    return wrong('unit', 'must be the whole name of a systemd unit', 'Give it with its ending, such as agent.service.');
  }
  if (notes !== null && notes.length > MAX_NOTES) {
    return wrong('notes', `must have at most ${MAX_NOTES} characters`, 'Shorten them.');
  }
  return undefined;
};

/**
 * Enrols an agent: from now on it is reached over the unix socket only, by a process that looks like the claim (W3-3.09).
 * An earlier claim is replaced. The claim, its row in the agent's audit chain and a new sequence of the agent are one
 * transaction; running nodes take the agent over when it is committed, since its sequence is newer than theirs.
 *
 * Refusals: PARAMETER_ERROR, AGENT_NOT_FOUND, AGENT_ARCHIVED.
 */
export const enrolSubstrate = async (
  database: Database,
  { executable, unit, notes, ...act }: Act & SubstrateClaim & { readonly notes: string | null },
): Promise<Result<{ readonly replaced: boolean }>> => {
  const refusal = refusalOfClaim({ executable, unit }, notes);
  if (refusal !== undefined) return { ok: false, refusal };
  return database.transaction(async (tx) => {
    const agent = await lock(tx, act.agentId);
    if (agent === undefined) return unknownAgent(act.agentId);
    const ended = refuseEnded(agent);
    if (ended !== undefined) return ended;
    const before = await tx.query(deleteClaim(act.agentId));
    await tx.query(insertClaim(act.agentId, { executable, unit }, notes, act.now));
    const payload = { executable, unit, notes, by: act.by, reason: act.reason };
    await record(tx, agent, act, { type: AUDIT_EVENTS.substrateEnrolled, payload });
    return ok({ replaced: before.length > 0 });
  });
};

/**
 * Ends the enrolment of an agent, in the way of {@link enrolSubstrate}. Refusals: AGENT_NOT_FOUND, and PARAMETER_ERROR when
 * the agent is not enrolled.
 */
export const removeSubstrate = (database: Database, act: Act): Promise<Result<SubstrateClaim>> =>
  database.transaction(async (tx) => {
    const agent = await lock(tx, act.agentId);
    if (agent === undefined) return unknownAgent(act.agentId);
    const [claim] = await tx.query<SubstrateClaim>(deleteClaim(act.agentId));
    if (claim === undefined) {
      return refuse('PARAMETER_ERROR', `Agent ${act.agentId} is not enrolled.`, {
        details: { field: 'agent' },
        recovery: { action: '"breakwater substrate list" shows which are.' },
      });
    }
    await record(tx, agent, act, {
      type: AUDIT_EVENTS.substrateRemoved,
      payload: { ...claim, by: act.by, reason: act.reason },
    });
    return ok(claim);
  });

/** Every enrolled agent, the newest enrolment first. */
export const listSubstrates = (database: Database): Promise<Enrolment[]> =>
  database.query<Enrolment>({
    text: `SELECT c.agent_id AS "agentId", a.label, i.status, c.expected_executable_path AS executable,
             c.expected_launchd_label AS unit, c.enrolled_at AS "enrolledAt", c.notes
           FROM core.substrate_claims c
           JOIN core.agents a ON a.id = c.agent_id JOIN core.identities i ON i.agent_id = c.agent_id
           ORDER BY c.enrolled_at DESC, c.agent_id`,
  });

const unknownAgent = (agentId: string) =>
  refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`, {
    recovery: { action: 'Give the uuid that start_session answered to the agent.' },
  });

/** The agent's row as far as it is needed here. */
interface Locked extends ChainEnd {
  readonly status: AgentStatus;
}

const lock = async (tx: Queryable, agentId: string): Promise<Locked | undefined> =>
  (await tx.query<Locked>(lockAgent(agentId)))[0];

/** Adds to the agent's chain, moves its sequence, and tells the nodes. */
const record = async (tx: Queryable, end: ChainEnd, act: Act, draft: AuditDraft): Promise<void> => {
  const { rows } = chain(act.agentId, end, [draft], act.now, () => act.ids.rowId(act.now));
  for (const row of rows) await tx.query(advance(act.agentId, row));
  for (const statement of announcements('agents', [act.agentId])) await tx.query(statement);
};

/** Waits for a commit in flight; one that comes later finds that the sequence has moved on. */
const lockAgent = (agentId: string): Statement => ({
  text: `SELECT status, audit_head AS "auditHead", audit_count AS "auditCount"
         FROM core.identities WHERE agent_id = $1 FOR NO KEY UPDATE`,
  values: [agentId],
});

const insertClaim = (agentId: string, claim: SubstrateClaim, notes: string | null, now: number): Statement => ({
  text: `INSERT INTO core.substrate_claims
           (agent_id, expected_executable_path, expected_launchd_label, notes, enrolled_at)
         VALUES ($1, $2, $3, $4, $5::timestamptz)`,
  values: [agentId, claim.executable, claim.unit, notes, iso(now)],
});

/** Returns what was claimed, if anything was. */
const deleteClaim = (agentId: string): Statement => ({
  text: `DELETE FROM core.substrate_claims WHERE agent_id = $1
         RETURNING expected_executable_path AS executable, expected_launchd_label AS unit`,
  values: [agentId],
});

/** One more row in the agent's audit chain, and its new end together with a new sequence. */
const advance = (agentId: string, row: AuditRow): Statement => ({
  text: `WITH trail AS (
           INSERT INTO audit.events (ts, event_id, agent_id, event_type, payload, raw_hash, chain_index, prev_hash)
           VALUES ($2::timestamptz, $3::uuid, $1, $4, $5::jsonb, $6, $7, $8)
         )
         UPDATE core.identities
         SET sequence = sequence + 1, updated_at = $2::timestamptz, audit_head = $6, audit_count = $7
         WHERE agent_id = $1`,
  values: [agentId, row.ts, row.eventId, row.type, JSON.stringify(row.payload), row.hash, row.chainIndex, row.prevHash],
});
