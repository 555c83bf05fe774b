import type { Database, Notifier } from '../postgres/index.ts';
import { reviewersMove } from './rules/actionability.ts';
import type { Session } from './session.ts';
import { selectOpenSessions, selectSessionsOf, sessionFromRow } from './sql.ts';

type Row = Parameters<typeof sessionFromRow>[0];

const TABLE = 'review_duties';

/** A review that waits for its reviewer, and the move that it waits for. */
export interface Duty {
  readonly sessionId: string;
  readonly move: 'antithesis' | 'synthesis';
}

/**
 * Which agent has which review to answer, in memory, so that a check-in can tell a reviewer without asking PostgreSQL. Loaded
 * at the start; followed by what this node stores and by what other nodes announce; compared with PostgreSQL at times.
 */
export class ReviewDuties {
  readonly #options: { readonly database: Database; readonly notifier: Notifier };
  readonly #byReviewer = new Map<string, Map<string, Duty>>();
  readonly #reviewerOf = new Map<string, string>();

  constructor(options: { readonly database: Database; readonly notifier: Notifier }) {
    this.#options = options;
    options.notifier.onChange(TABLE, (sessionIds) => this.#refresh(sessionIds));
    options.notifier.onGap(() => this.load());
  }

  /** Reviews that wait for somebody. */
  get size(): number {
    return this.#reviewerOf.size;
  }

  /** The oldest known review that waits for this agent's answer; undefined: none does. */
  of(agentId: string): Duty | undefined {
    return this.#byReviewer.get(agentId)?.values().next().value;
  }

  /** What an agent is told of it: the one call to make. A few bytes, since a check-in's answer carries it. */
  viewFor(agentId: string): { readonly session_id: string; readonly next_call: string } | undefined {
    const duty = this.of(agentId);
    if (duty === undefined) return undefined;
    return { session_id: duty.sessionId, next_call: `dialectic(action=${duty.move}, session_id=${duty.sessionId})` };
  }

  /** Takes PostgreSQL's word on every review; at the start, after a gap, and now and then. */
  async load(): Promise<void> {
    const rows = await this.#options.database.query<Row>(selectOpenSessions());
    const open = new Map(rows.map((row) => [row.session_id, sessionFromRow(row)]));
    for (const sessionId of this.#reviewerOf.keys()) if (!open.has(sessionId)) this.#forget(sessionId);
    for (const session of open.values()) this.#take(session);
  }

  /** Hears of a session that this node has stored, and tells the other nodes. */
  stored(session: Session): void {
    this.#take(session);
    this.#options.notifier.announce(TABLE, session.sessionId);
  }

  async #refresh(sessionIds: readonly string[]): Promise<void> {
    const rows = await this.#options.database.query<Row>(selectSessionsOf(sessionIds));
    const found = new Set(rows.map((row) => row.session_id));
    for (const row of rows) this.#take(sessionFromRow(row));
    for (const sessionId of sessionIds) if (!found.has(sessionId)) this.#forget(sessionId);
  }

  #take(session: Session): void {
    const { sessionId, reviewerAgentId } = session;
    const move = reviewersMove(session);
    if (move === null || reviewerAgentId === null) {
      this.#forget(sessionId);
      return;
    }
    if (this.#reviewerOf.get(sessionId) !== reviewerAgentId) this.#forget(sessionId);
    const own = this.#byReviewer.get(reviewerAgentId) ?? new Map<string, Duty>();
    own.set(sessionId, { sessionId, move });
    this.#byReviewer.set(reviewerAgentId, own);
    this.#reviewerOf.set(sessionId, reviewerAgentId);
  }

  #forget(sessionId: string): void {
    const reviewer = this.#reviewerOf.get(sessionId);
    if (reviewer === undefined) return;
    this.#reviewerOf.delete(sessionId);
    const own = this.#byReviewer.get(reviewer);
    own?.delete(sessionId);
    if (own?.size === 0) this.#byReviewer.delete(reviewer);
  }
}
