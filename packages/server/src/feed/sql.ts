import { AUDIT_EVENTS } from '@breakwater/contract';
import type { Statement } from '../postgres/index.ts';
import { TOLD_TYPES } from './rules/recall.ts';
import { iso } from '../runtime/index.ts';

const COLUMNS = 'ts, agent_id, event_type, coalesce(chain_index, 0) AS chain_index, payload';

/** The newest rows of the trail between two instants that are events by themselves. */
export const selectTold = (from: number, to: number, limit: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM audit.events
         WHERE ts >= $1::timestamptz AND ts < $2::timestamptz AND event_type = ANY($3::text[]) AND agent_id IS NOT NULL
         ORDER BY ts DESC LIMIT $4`,
  values: [iso(from), iso(to), TOLD_TYPES, limit],
});

/** The newest check-ins between two instants. */
export const selectCheckIns = (from: number, to: number, limit: number): Statement => ({
  text: `SELECT ${COLUMNS} FROM audit.events
         WHERE event_type = $3 AND ts >= $1::timestamptz AND ts < $2::timestamptz AND agent_id IS NOT NULL
         ORDER BY ts DESC LIMIT $4`,
  values: [iso(from), iso(to), AUDIT_EVENTS.checkInRecorded, limit],
});
