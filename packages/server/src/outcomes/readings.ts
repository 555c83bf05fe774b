import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { Queryable } from '../postgres/index.ts';
import { decodeEvidence, freshEvidence, viewEvidence } from './rules/evidence.ts';
import * as sql from './sql.ts';

/** The claims detectors of the fleet: agents that live and have graded outcomes, and how many are at which limit. */
export const readDetectors = async (database: Queryable): Promise<sql.DetectorsRow> => {
  const [row] = await database.query<sql.DetectorsRow>(sql.selectDetectors(CLAIMS_LIMITS));
  return row ?? { agents: 0, guided: 0, paused: 0, highest: null };
};

/** What one agent's outcomes taught, as its next check-in at `now` reads it; of an unknown agent: nothing. */
export const readEvidence = async (
  database: Queryable,
  agentId: string,
  now: number,
): Promise<ReturnType<typeof viewEvidence>> => {
  const [row] = await database.query<{ evidence: Readonly<Record<string, unknown>> }>(sql.selectEvidence(agentId));
  const stored = row?.evidence ?? {};
  return viewEvidence(Object.keys(stored).length === 0 ? freshEvidence : decodeEvidence(stored), now);
};
