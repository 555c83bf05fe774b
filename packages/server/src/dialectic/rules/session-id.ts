import { hash } from 'node:crypto';

/** ISO 8601 as the published vectors write it: `+00:00`, and six digits for a fraction of a second that is not zero. */
const iso = (ms: number): string => new Date(ms).toISOString().replace('.000Z', '+00:00').replace('Z', '000+00:00');

/**
 * Names a session by who is reviewed, by whom and since when (spec dialectic A.2): 16 hex digits. The same opening at the
 * same instant, in ms since the epoch, gives the same name, so that one sent twice makes one session.
 */
export const sessionIdOf = (pausedAgentId: string, reviewerAgentId: string | null, createdAt: number): string =>
  hash('sha256', `${pausedAgentId}:${reviewerAgentId ?? 'open'}:${iso(createdAt)}`).slice(0, 16);
