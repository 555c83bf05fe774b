import { createHmac } from 'node:crypto';
import { ok, AUDIT_EVENTS, refuse, type Result } from '@breakwater/contract';
import { GroundLost, type AgentHead, type Agents, type AuditDraft } from '../agents/index.ts';
import { refusedAct } from '../lifecycle/index.ts';
import { classifyError, refusalOf, type Database, type Queryable } from '../postgres/index.ts';
import {
  currentGrounds,
  Mailboxes,
  type Caller,
  type Clock,
  type Evidence,
  type Ground,
  type Ids,
} from '../runtime/index.ts';
import type { Writer } from './rules/writer.ts';
import * as sql from './sql.ts';

type Payload = Readonly<Record<string, unknown>>;
type Idempotency = { readonly key: string; readonly requestHash: string } | undefined;

/** What a call that writes brings with it. */
export interface WriteCall {
  readonly writer: Writer;
  /** Clock time in ms after which nothing of it may start. */
  readonly deadline: number;
  readonly idempotency: Idempotency;
}

/** A write that was decided: what its writer is told, and what the audit trail keeps of it. None: nothing was written. */
export interface Step<R> {
  readonly reply: R;
  readonly events: readonly AuditDraft[];
}
type Decide<R> = (tx: Queryable, head: AgentHead | undefined, now: number) => Promise<Result<Step<R>>>;

interface JournalOptions {
  readonly database: Database;
  readonly agents: Agents;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Under which writers without identity are named. */
  readonly secret: () => Uint8Array;
  readonly onCrash: (writerId: string, error: unknown) => void;
}

/** How often a write is decided again since what holds its writer's ancestors has changed meanwhile. */
const ATTEMPTS = 3;
const CAPACITY = 64;
const IDLE_MS = 600_000;

const UNAVAILABLE = refuse(
  'STORAGE_UNAVAILABLE',
  'PostgreSQL cannot be reached; it is not known whether the call took effect.',
  {
    retryAfterSeconds: 5,
    recovery: { action: 'Wait for Retry-After, then repeat; with the same idempotency_key that is harmless.' },
  },
);

/**
 * The one way to write knowledge. A write, its audit row and, for a proven agent, the next link of its chain are one
 * transaction; calls of one writer wait for each other in its mailbox, and not in PostgreSQL's pool.
 */
export class Journal {
  readonly #options: JournalOptions;
  readonly #mailboxes: Mailboxes<null>;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#mailboxes = new Mailboxes<null>({
      clock: options.clock,
      capacity: CAPACITY,
      idleMs: IDLE_MS,
      load: () => Promise.resolve(null),
      refusalOf,
      onCrash: options.onCrash,
    });
  }

  stop(): Promise<void> {
    return this.#mailboxes.stop();
  }

  /**
   * Who a caller writes as. One without identity gets a keyed hash of its address alone: whatever else it sends, it could
   * send anew for every call, and with it get a new budget.
   */
  writerOf(caller: Caller, evidence: Evidence, sessionKey: string | null): Writer {
    const { agentId, operator } = caller;
    if (agentId !== undefined) return { id: agentId, agentId, caller, sessionKey };
    if (operator !== undefined) return { id: `operator:${operator.name}`, agentId, caller, sessionKey: null };
    const hash = createHmac('sha256', this.#options.secret())
      .update(`writer:${evidence.address ?? 'local'}`)
      .digest('hex');
    return { id: `anon-${hash.slice(0, 16)}`, agentId, caller, sessionKey: null };
  }

  /**
   * Decides and writes in one transaction. Refusals: those of `decide`, AGENT_PAUSED, AGENT_ARCHIVED, IDEMPOTENCY_CONFLICT,
   * those of the mailbox, SESSION_UNKNOWN and UNAUTHORIZED when the writer's credential has ended by the time that it would
   * commit (BW-nodes.01), and STORAGE_UNAVAILABLE. A repeat of an idempotent call gets the answer that was kept.
   */
  async write<R>({ writer, deadline, idempotency }: WriteCall, decide: Decide<R>): Promise<Result<R>> {
    const grounds = currentGrounds();
    const sent = await this.#mailboxes.send(writer.id, deadline, async () => {
      try {
        return { reply: await this.#commitOn(grounds, writer, idempotency, decide), state: null };
      } catch (error) {
        if (classifyError(error) === 'connection') return { reply: UNAVAILABLE, state: null };
        throw error;
      }
    });
    return sent.ok ? sent.value : sent;
  }

  async #commitOn<R>(
    grounds: readonly Ground[],
    writer: Writer,
    idempotency: Idempotency,
    decide: Decide<R>,
  ): Promise<Result<R>> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#commit(grounds, writer, idempotency, decide);
      } catch (error) {
        if (!(error instanceof GroundLost) || attempt >= ATTEMPTS) throw error;
        const refused = await this.#options.agents.afterLoss(error.ground);
        if (refused !== undefined) return refused;
      }
    }
  }

  async #commit<R>(
    grounds: readonly Ground[],
    writer: Writer,
    idempotency: Idempotency,
    decide: Decide<R>,
  ): Promise<Result<R>> {
    const { database, agents, clock } = this.#options;
    const { agentId } = writer;
    if (agentId === undefined) {
      return database.transaction(async (tx) => {
        await tx.query(sql.lockWriter(writer.id));
        const now = clock.now();
        const decided = await decide(tx, undefined, now);
        if (!decided.ok) return decided;
        await this.note(tx, decided.value.events, writer.id);
        await agents.confirmIn(tx, grounds);
        return ok(decided.value.reply);
      });
    }
    const did: { held?: AgentHead } = {};
    const outcome = await agents.actWith<R>(
      agentId,
      async ({ head }, tx) => {
        const now = clock.now();
        // What an agent says while it is held stays out of everybody's knowledge (BW-knowledge.03).
        const hold = agents.heldInMemory(head);
        const refused = refusedAct('write_knowledge', 'owner', head, hold);
        if (refused !== undefined) {
          if (hold?.inherited === true) did.held = head;
          return refused;
        }
        const decided = await decide(tx, head, now);
        if (!decided.ok) return decided;
        const { reply, events } = decided.value;
        const [first, ...others] = events;
        return ok(first === undefined ? { reply } : { reply, change: { at: now, events: [first, ...others] } });
      },
      idempotency,
      grounds,
    );
    // Another node may have lifted the ancestor's pause a moment ago. Its word is asked for with no connection held.
    if (did.held !== undefined && (await agents.refreshAncestors(did.held))) {
      return this.#commit(grounds, writer, idempotency, decide);
    }
    return outcome;
  }

  /** Adds audit rows outside of every chain. */
  async note(tx: Queryable, events: readonly AuditDraft[], agentId: string | null): Promise<void> {
    const { clock, ids } = this.#options;
    for (const { type, payload } of events) {
      const at = clock.now();
      await tx.query(sql.insertAuditRow({ eventId: ids.rowId(at), at, agentId, type, payload }));
    }
  }

  /** Keeps in the audit trail that somebody read, outside of every chain: a reader changes nothing. */
  async noteRead(readerId: string | null, payload: Payload): Promise<void> {
    await this.note(this.#options.database, [{ type: AUDIT_EVENTS.knowledgeRead, payload }], readerId);
  }
}
