import { randomUUID } from 'node:crypto';
import { ok, AUDIT_EVENTS, refuse, type Result, type Refusal } from '@breakwater/contract';
import { announcements, type Database, type Statement } from '../postgres/index.ts';
import { credentialHash } from './binding.ts';
import { iso } from '../runtime/index.ts';

/** What an operator may do: see every agent, and with `act` also act on it. */
export type OperatorScope = 'operator:read' | 'operator:act';

/** An operator credential as everybody may know it. Times in ms since the epoch, UTC. */
export interface OperatorCredential {
  readonly name: string;
  readonly scopes: readonly OperatorScope[];
  readonly createdAt: number;
  readonly expiresAt: number;
  /** When it last proved a call; null: never. */
  readonly lastSeenAt: number | null;
  readonly revokedAt: number | null;
}

/** The secret of an operator, made of a random one: its beginning tells people and programs what it is. */
export const operatorSecret = (random: string): string => `bwo_${random}`;

/** Whether a credential proves anything at `now`, and else why not. It holds up to and including its last instant. */
export const operatorState = (
  { expiresAt, revokedAt }: OperatorCredential,
  now: number,
): 'in force' | 'expired' | 'revoked' => {
  if (revokedAt !== null && revokedAt < expiresAt) return 'revoked';
  return now > expiresAt ? 'expired' : 'in force';
};

const TABLE = 'bindings';
const MAX_NAME = 100;

const wrongName = (message: string, action: string): { readonly ok: false; readonly refusal: Refusal } =>
  refuse('PARAMETER_ERROR', message, { details: { field: 'name' }, recovery: { action } });

/**
 * Makes an operator credential: a row of core.bindings, known by the hash of `secret` alone. Acting needs to see, so that
 * `operator:act` brings `operator:read` with it. Running nodes hear of it when it is committed.
 *
 * Refusal: PARAMETER_ERROR for a name that is no name, or that an operator in force bears; two of one name could not be
 * told apart in the audit trail. An expired one is no obstacle.
 */
export const createOperator = async (
  database: Database,
  operator: {
    name: string;
    scopes: readonly OperatorScope[];
    expiresAt: number;
    now: number;
    secret: string;
    /** Who makes it, for the audit trail. */
    by: string;
  },
): Promise<Result<OperatorCredential>> => {
  const name = operator.name.trim();
  if (name === '' || name.length > MAX_NAME || /\p{Cc}/u.test(name)) {
    return wrongName(
      `name must have 1 to ${MAX_NAME} characters on one line.`,
      'Choose a name by which the audit trail shall know the operator.',
    );
  }
  const scopes: readonly OperatorScope[] = operator.scopes.includes('operator:act')
    ? ['operator:read', 'operator:act']
    : ['operator:read'];
  const hash = credentialHash(operator.secret);
  return database.transaction(async (tx) => {
    await tx.query(endExpired(name, operator.now));
    const [row] = await tx.query<OperatorCredential>(insertOperator(hash, { ...operator, name, scopes }));
    if (row === undefined) {
      return wrongName(
        `An operator "${name}" is in force already.`,
        `Choose another name, or end that one first: breakwater operator revoke "${name}" --reason <text>`,
      );
    }
    const payload = { name, scopes, expires_at: iso(operator.expiresAt), by: operator.by };
    await tx.query(insertEvent(AUDIT_EVENTS.operatorCreated, payload, operator.now));
    for (const statement of announcements(TABLE, [hash])) await tx.query(statement);
    return ok(row);
  });
};

/** Every operator credential that is still on record, the newest first. */
export const listOperators = (database: Database): Promise<OperatorCredential[]> =>
  database.query<OperatorCredential>({
    text: `SELECT ${COLUMNS} FROM core.bindings WHERE kind = 'operator' ORDER BY created_at DESC, name`,
  });

/**
 * Ends an operator credential for good. Running nodes hear of it when it is committed. Refusal: PARAMETER_ERROR when no
 * operator of this name is in force.
 */
export const revokeOperator = async (
  database: Database,
  name: string,
  now: number,
  by: string,
  reason?: string,
): Promise<Result<OperatorCredential>> =>
  database.transaction(async (tx) => {
    const [row] = await tx.query<OperatorCredential & { hash: string }>(revoke(name.trim(), now));
    if (row === undefined) {
      return wrongName(`No operator "${name}" is in force.`, '"breakwater operator list" shows who is.');
    }
    const { hash, ...operator } = row;
    await tx.query(
      insertEvent(
        AUDIT_EVENTS.operatorRevoked,
        { name: operator.name, by, ...(reason !== undefined && { reason }) },
        now,
      ),
    );
    for (const statement of announcements(TABLE, [hash])) await tx.query(statement);
    return ok(operator);
  });

/**
 * Ends an operator credential that was made for one piece of work, and takes its row away: lists of operators are of people
 * and programs that last. The audit trail keeps both ends. Running nodes hear of it when it is committed.
 */
export const dissolveOperator = async (database: Database, secret: string, now: number, by: string): Promise<void> =>
  database.transaction(async (tx) => {
    const hash = credentialHash(secret);
    const [row] = await tx.query<{ name: string }>({
      text: `DELETE FROM core.bindings WHERE credential_hash = $1 AND kind = 'operator' RETURNING name`,
      values: [hash],
    });
    if (row !== undefined) await tx.query(insertEvent(AUDIT_EVENTS.operatorRevoked, { name: row.name, by }, now));
    for (const statement of announcements(TABLE, [hash])) await tx.query(statement);
  });

const COLUMNS = `name, scopes, created_at AS "createdAt", expires_at AS "expiresAt", last_seen_at AS "lastSeenAt",
  revoked_at AS "revokedAt"`;

/** Gives the name of an expired operator free. It ended when it expired, not now. */
const endExpired = (name: string, now: number): Statement => ({
  text: `UPDATE core.bindings SET revoked_at = expires_at
         WHERE kind = 'operator' AND name = $1 AND revoked_at IS NULL AND expires_at < $2::timestamptz`,
  values: [name, iso(now)],
});

/** Returns no row when an operator of this name has not ended. */
const insertOperator = (
  hash: string,
  operator: { name: string; scopes: readonly OperatorScope[]; expiresAt: number; now: number },
): Statement => ({
  text: `INSERT INTO core.bindings (credential_hash, kind, name, scopes, created_at, expires_at)
         VALUES ($1, 'operator', $2, $3::text[], $4::timestamptz, $5::timestamptz)
         ON CONFLICT (name) WHERE kind = 'operator' AND revoked_at IS NULL DO NOTHING
         RETURNING ${COLUMNS}`,
  values: [hash, operator.name, operator.scopes, iso(operator.now), iso(operator.expiresAt)],
});

/** A row of the audit trail that belongs to no agent, and so to no chain. */
const insertEvent = (type: string, payload: Readonly<Record<string, unknown>>, now: number): Statement => ({
  text: `INSERT INTO audit.events (ts, event_id, event_type, payload) VALUES ($1::timestamptz, $2, $3, $4::jsonb)`,
  values: [iso(now), randomUUID(), type, JSON.stringify(payload)],
});

const revoke = (name: string, now: number): Statement => ({
  text: `UPDATE core.bindings SET revoked_at = $2::timestamptz
         WHERE kind = 'operator' AND name = $1 AND revoked_at IS NULL AND expires_at >= $2::timestamptz
         RETURNING credential_hash AS hash, ${COLUMNS}`,
  values: [name, iso(now)],
});
