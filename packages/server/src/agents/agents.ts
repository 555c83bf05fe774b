import { ok, AUDIT_EVENTS, refuse, type Result, type Refusal } from '@breakwater/contract';
import {
  classifyError,
  GroupCommit,
  refusalOf,
  type Database,
  type Notifier,
  type Queryable,
  type Statement,
} from '../postgres/index.ts';
import {
  columnsOf,
  createLiveTable,
  currentGrounds,
  faultPoint,
  Mailboxes,
  NO_GROUNDS,
  type Clock,
  type Ground,
  type Handled,
  type Ids,
  type LiveTable,
} from '../runtime/index.ts';
import {
  ancestorsOf,
  holdKey,
  holdOf,
  isHeld,
  lineOf,
  MOST_ANCESTORS,
  pauseHolds,
  type AgentHead,
  type Hold,
} from './agent.ts';
import { chain, type AuditDraft } from './audit-chain.ts';
import { headAfter, sessionAfter, type AgentChange, type AgentCommit } from './change.ts';
import { mayBeHeld } from './columns.ts';
import type { Idempotency } from './idempotency.ts';
import type { AgentMemory, MemoryCodec } from './memory.ts';
import { Names } from './names.ts';
import * as sql from './sql.ts';

/** An agent inside its mailbox: the head that PostgreSQL has, and the memory that follows from it. */
export interface AgentState {
  readonly head: AgentHead;
  readonly memory: AgentMemory;
}

/**
 * What a decision asks for: an answer, the memory after it, and the change that makes both durable (none: a read). The
 * answer is a reply, or a refusal that leaves a record.
 */
export type Decision<R> = Effects &
  ({ readonly reply: R; readonly refusal?: undefined } | { readonly refusal: Refusal; readonly reply?: undefined });

interface Effects {
  readonly memory?: AgentMemory;
  readonly change?: AgentChange;
  /** Called once the change is durable and before the caller is answered: publish what went with it. */
  readonly committed?: () => void;
  /** Called instead when it did not become durable. */
  readonly abandoned?: () => void;
}

export type Decide<R> = (state: AgentState) => Promise<Result<Decision<R>>>;

/**
 * Hears of a head that was published, and of the one before it; undefined: the agent is new to this node. `commit` is this
 * node's own; without one the change was made elsewhere (another node, or a transaction of somebody else's), and several
 * changes may show as one.
 */
export type Published = (after: AgentHead, before: AgentHead | undefined, commit: AgentCommit | undefined) => void;

export interface AgentsOptions {
  database: Database;
  codec: MemoryCodec;
  clock: Clock;
  ids: Ids;
  notifier: Notifier;
  onCrash: (agentId: string, error: unknown) => void;
  /**
   * Another node changed the agent: bring what is kept about it elsewhere up to date. Awaited before the newer head is
   * used or published, so that nothing older than the head is ever decided on: the compare-and-set guards the head only.
   */
  onForeignChange?: (agentId: string) => Promise<void>;
  /** PostgreSQL says that this credential (its hash) proves no longer what memory says: bring that up to date. */
  onCredentialLost?: (hash: string) => Promise<void>;
  onFlush?: (flush: { items: number; ms: number; ok: boolean }) => void;
  /** Hears of every head that is published after the start. Must not wait. */
  onPublished?: Published;
  /** Waiting messages per agent. */
  mailboxCapacity?: number;
  idleMs?: number;
  /** Changes that may wait for the next flush. */
  commitCapacity?: number;
}

const TABLE = 'agents';
/** At the stop, commits of unknown end may keep their callers waiting for PostgreSQL this long. */
const STOP_GRACE_MS = 3_000;
/** How often a change may lose its compare-and-set to other nodes before it takes the lock of the agent's row. */
const FREE_ATTEMPTS = 3;
/** Refusals for what an agent is. Memory that gives the reason for one may be a moment behind another node. */
const OF_STANDING: ReadonlySet<string> = new Set([
  'AGENT_PAUSED',
  'AGENT_ARCHIVED',
  'AGENT_ALREADY_ARCHIVED',
  'AGENT_NOT_RESUMABLE',
  'INVALID_STATUS_TRANSITION',
]);

const AWAY = 'away';
type Away = typeof AWAY;
const REFUSED_AWAY = refuse('STORAGE_UNAVAILABLE', 'PostgreSQL cannot be reached; nothing was written.', {
  retryAfterSeconds: 5,
});

/** What a decision answers once its change is durable. */
const answerTo = <R>(decision: Decision<R>): Result<R> =>
  decision.refusal === undefined ? ok(decision.reply) : { ok: false, refusal: decision.refusal };

/** The answer to a call whose key was used before: the one that was kept, if the call is the same. */
const answerOf = <R>(kept: Omit<Kept, 'kind'>, { key, requestHash }: Idempotency): Result<R> =>
  kept.requestHash === requestHash
    ? ok(kept.reply as R)
    : refuse('IDEMPOTENCY_CONFLICT', `idempotency_key "${key}" was used for a different request.`);

/** As {@link answerOf}: a commit is a repeat only of a call with a key. */
const repeatedAnswer = <R>(kept: Kept, idempotency: Idempotency | undefined): Result<R> => {
  if (idempotency === undefined) throw new Error('a call without a key was found to be a repeat');
  return answerOf<R>(kept, idempotency);
};

const keptOf = ({ key, reply }: sql.CommittedRow): Kept => ({
  kind: 'kept',
  requestHash: key ?? '',
  reply: reply ?? {},
});

/** Takes a transaction back: a call in it turned out to be a repeat after something else of it was written. */
class Repeated<R> extends Error {
  readonly outcome: Result<R>;

  constructor(outcome: Result<R>) {
    super('the call is a repeat');
    this.outcome = outcome;
  }
}

/** Takes a mint back: its credential belongs to somebody already. */
class GuardHeld extends Error {}

/** Whether the commit of this decision writes the call's key, and so finds out whether it was used before. */
const commitsKey = <R>(decided: Result<Decision<R>>): boolean =>
  decided.ok && decided.value.change !== undefined && decided.value.refusal === undefined;

/** Rolls a transaction back: what its writer stands on is lost. {@link Agents.afterLoss} says what follows. */
export class GroundLost extends Error {
  readonly ground: Ground;

  constructor(ground: Ground) {
    super(`the ${ground.kind} that a write stands on is lost`);
    this.ground = ground;
  }
}

/** The answer that was kept under the key of a call, which is a repeat: nothing of it was written. */
interface Kept {
  readonly kind: 'kept';
  readonly requestHash: string;
  readonly reply: Readonly<Record<string, unknown>>;
}

/** How a commit ended: written, late (its compare-and-set was lost), a repeat, or not written since this ground is lost. */
type Ending = 'written' | 'late' | Kept | Ground;

/** What is asked of an agent's mailbox. */
interface Ask<R> {
  readonly decide: Decide<R>;
  readonly idempotency: Idempotency | undefined;
  /** What lets the caller ask. */
  readonly grounds: readonly Ground[];
}

const endingsOf = (commits: readonly AgentCommit[], rows: readonly sql.CommittedRow[]): Ending[] =>
  commits.map(({ after, grounds }) => {
    const own = rows.filter(({ agent_id: agentId }) => agentId === after.agentId);
    if (own.some(({ lost }) => lost === null)) return 'written';
    const kept = own.find(({ lost }) => lost === 'repeated');
    return lostOf(grounds, own) ?? (kept === undefined ? 'late' : keptOf(kept));
  });

/** The first ground that is lost; a credential before a hold, since what follows from it is final. */
const lostOf = (grounds: readonly Ground[], rows: readonly sql.CommittedRow[]): Ground | undefined =>
  grounds.find(({ kind, key }) => rows.some((row) => row.lost === kind && row.key === key));

/** PostgreSQL being away is no crash of the call that met it: every caller would get an incident of its own. */
const unlessAway = async <T>(work: Promise<T>): Promise<T | Away> => {
  try {
    return await work;
  } catch (error) {
    if (classifyError(error) === 'connection') return AWAY;
    throw error;
  }
};

/**
 * Agents: the only writer of core.agents and core.identities, and the one way to change an agent.
 *
 * Every change goes through {@link act}: in the agent's mailbox, a feature's decision is made on state that PostgreSQL
 * had, committed by compare-and-set on the agent's sequence together with all rows that belong to it, published to the
 * live table, and only then answered. A decision that loses the compare-and-set (another node was first) is made again
 * on reloaded state, within the call's deadline (W3-4.02). A decision that never becomes durable leaves no trace.
 */
export class Agents {
  readonly #options: AgentsOptions;
  readonly #mailboxes: Mailboxes<AgentState | undefined | Away>;
  readonly #commits: GroupCommit<AgentCommit, Ending>;
  readonly #live = createLiveTable<AgentHead>(TABLE);
  readonly #names = new Names();
  readonly #mayBeHeld = new Set<string>();
  /** Every agent's head, for lists: by what they ask of each. */
  readonly fleet = columnsOf(this.table);
  /** The end of the last change that took its agent's lock. */
  #locking: Promise<unknown> = Promise.resolve();

  constructor(options: AgentsOptions) {
    this.#options = options;
    const { database, clock } = options;
    this.#mailboxes = new Mailboxes({
      clock,
      capacity: options.mailboxCapacity ?? 64,
      idleMs: options.idleMs ?? 600_000,
      load: (agentId) => unlessAway(this.#load(agentId)),
      refusalOf,
      onCrash: options.onCrash,
    });
    this.#commits = new GroupCommit<AgentCommit, Ending>({
      database,
      clock,
      statement: sql.commitChanges,
      receipts: (items, rows) => endingsOf(items, rows as readonly sql.CommittedRow[]),
      resolve: (tx, items) => resolveCommits(tx, items),
      capacity: options.commitCapacity ?? 4096,
      ...(options.onFlush && { onFlush: options.onFlush }),
    });
    options.notifier.onChange(TABLE, (agentIds) => this.refresh(agentIds));
    options.notifier.onGap(() => this.#catchUp());
  }

  /** Every agent's head, from memory. */
  get table(): LiveTable<AgentHead> {
    return this.#live.table;
  }

  /** The agents in memory that bear exactly this name. Names are stored composed (Unicode NFC); those of earlier days may not be. */
  named(label: string): AgentHead[] {
    const spellings = new Set([label.normalize('NFC'), label]);
    return [...spellings].flatMap((name) => this.#names.of(name)).flatMap((agentId) => this.#known(agentId) ?? []);
  }

  /** The agents in memory that are under a pause of their own now. */
  held(): AgentHead[] {
    const now = this.#options.clock.now();
    return [...this.#mayBeHeld].flatMap((agentId) => this.#known(agentId) ?? []).filter((head) => isHeld(head, now));
  }

  /** For how long the lane of commits has got nothing through while something waits for it, ms. */
  get stalledMs(): number {
    return this.#commits.stalledMs;
  }

  get sizes(): { keys: number; waiting: number; uncommitted: number } {
    return { ...this.#mailboxes.sizes, uncommitted: this.#commits.waiting };
  }

  /** Loads all heads with one query, at the start. What `onForeignChange` refreshes is to be loaded after it. */
  async load(): Promise<void> {
    for (const row of await this.#options.database.query<sql.HeadRow>(sql.selectHeads())) {
      const head = sql.headFromRow(row);
      if (this.#isNewer(head)) this.#put(head);
    }
  }

  /** Takes PostgreSQL's word on these agents, after another node changed them. */
  async refresh(agentIds: readonly string[]): Promise<void> {
    const known = agentIds.filter((agentId) => this.table.read(agentId).ok);
    const rows = await this.#options.database.query<sql.HeadRow>(sql.selectHeadsOf(agentIds));
    await this.#take(rows, known);
  }

  /** The agent's head: from memory, or, when memory does not know it, from PostgreSQL. */
  async find(agentId: string): Promise<AgentHead | undefined> {
    const reading = this.table.read(agentId);
    if (reading.ok) return reading.value;
    await this.refresh([agentId]);
    const found = this.table.read(agentId);
    return found.ok ? found.value : undefined;
  }

  /**
   * What holds an agent now: its own pause or an ancestor's. From memory alone when that knows the ancestors, which is the
   * rule; one that it lacks (born on another node a moment ago) is read from PostgreSQL, since a guess could free its child.
   */
  async holdOf(head: AgentHead): Promise<Hold | undefined> {
    const read = new Map<string, AgentHead | undefined>();
    for (;;) {
      let lacking: string | undefined;
      const known = (agentId: string): AgentHead | undefined => {
        const found = this.#known(agentId) ?? read.get(agentId);
        if (found === undefined && !read.has(agentId)) lacking = agentId;
        return found;
      };
      const hold = holdOf(head, known, this.#options.clock.now());
      if (hold !== undefined || lacking === undefined) return hold;
      read.set(lacking, await this.find(lacking));
    }
  }

  /** What holds an agent now, as far as memory knows its ancestors. */
  heldInMemory(head: AgentHead): Hold | undefined {
    return holdOf(head, this.#known, this.#options.clock.now());
  }

  /** Whether an agent may not be a parent, because its own line is as long as any may be. */
  endsLine(head: AgentHead): boolean {
    return ancestorsOf(head, this.#known) >= MOST_ANCESTORS;
  }

  readonly #known = (agentId: string): AgentHead | undefined => {
    const reading = this.table.read(agentId);
    return reading.ok ? reading.value : undefined;
  };

  /**
   * The agent's head as {@link find} gives it, for a decision inside somebody's transaction: what memory lacks is read
   * through that. The pool may have nothing left for whoever holds a connection of it already, and both would wait for ever.
   */
  async findIn(tx: Queryable, agentId: string): Promise<AgentHead | undefined> {
    const reading = this.table.read(agentId);
    if (reading.ok) return reading.value;
    const [row] = await tx.query<sql.HeadRow>(sql.selectHeadsOf([agentId]));
    return row && sql.headFromRow(row);
  }

  /**
   * Mints an agent: its rows, its place in its thread, its first audit rows, and whatever `alongside` writes (its
   * credentials), at once (W3-3.04). A guard is a statement that follows in the same transaction; one that returns no row
   * takes all of it back: then nothing was minted, and the answer is undefined.
   */
  async create(
    birth: sql.Birth,
    besides: (agentId: string) => { readonly alongside: readonly Statement[]; readonly guards: readonly Statement[] },
  ): Promise<AgentHead | undefined> {
    const { clock, ids, database } = this.#options;
    const agentId = ids.uuid();
    const at = clock.now();
    const payload = { label: birth.label, parent_agent_id: birth.parentAgentId, spawn_reason: birth.spawnReason };
    const draft: AuditDraft = { type: AUDIT_EVENTS.agentCreated, payload };
    const drafts = [draft, ...birth.events];
    const trail = chain(agentId, { auditHead: '', auditCount: 0 }, drafts, at, () => ids.rowId(at)).rows;
    faultPoint('onboard.before');
    const { alongside, guards } = besides(agentId);
    const write = async (through: Queryable): Promise<AgentHead> => {
      const [row] = await through.query<sql.HeadRow>(sql.insertAgent({ agentId, ...birth, at, trail }, alongside));
      if (row === undefined) throw new Error('the new agent was not returned');
      for (const guard of guards) if ((await through.query(guard)).length === 0) throw new GuardHeld();
      return sql.headFromRow(row);
    };
    // One statement is a transaction by itself.
    const written = guards.length === 0 ? write(database) : database.transaction(write);
    const head = await written.catch((error: unknown) => {
      if (error instanceof GuardHeld) return undefined;
      throw error;
    });
    if (head === undefined) return undefined;
    faultPoint('onboard.durable');
    this.#put(head);
    this.#options.notifier.announce(TABLE, agentId);
    this.#tell(head, undefined, undefined);
    return head;
  }

  /**
   * Decides and makes durable one change of one agent; see the class. `decide` may be called more than once and must not
   * act on anything but what it is given. With `idempotency`, a repeat of the same request gets the stored answer and
   * changes nothing; the same key for another request is refused.
   *
   * What lets the caller ask, and what holds the agent's ancestors, is looked at again in the commit (BW-nodes.01): what
   * another node has revoked, paused or resumed, and answered, counts here although this node has not heard of it.
   *
   * Refusals: those of `decide`, of the mailbox, AGENT_NOT_FOUND, IDEMPOTENCY_CONFLICT, SEQUENCE_CONFLICT, SESSION_UNKNOWN
   * and UNAUTHORIZED (the caller's credential has ended), and those of the commit (STORAGE_UNAVAILABLE, OVERLOADED,
   * INTERNAL_ERROR).
   */
  async act<R>(agentId: string, deadline: number, decide: Decide<R>, idempotency?: Idempotency): Promise<Result<R>> {
    const ask: Ask<R> = { decide, idempotency, grounds: currentGrounds() };
    const outcome = await this.#mailboxes.send(agentId, deadline, async (state) => {
      const handled = state === AWAY ? AWAY : await unlessAway(this.#decideAndCommit(agentId, deadline, state, ask));
      return handled === AWAY ? { reply: REFUSED_AWAY, forget: true } : handled;
    });
    return outcome.ok ? outcome.value : outcome;
  }

  /**
   * Decides and writes one change of one agent inside a transaction of somebody else, who locks agents in the order of
   * their ids. Nothing is published: mailboxes go on with what they hold, lose their compare-and-set to this change, and
   * reload. {@link announce} tells them after the commit.
   *
   * `grounds` are what lets the writer write; absent, it is the server, which needs none. Refusals: those of `decide`,
   * AGENT_NOT_FOUND. Throws {@link GroundLost}, so that the transaction is rolled back.
   */
  async applyIn<R>(tx: Queryable, agentId: string, decide: Decide<R>, grounds?: readonly Ground[]): Promise<Result<R>> {
    const applied = await this.#applyIn(tx, agentId, decide, undefined, grounds);
    return applied.outcome;
  }

  /**
   * Decides and makes durable one change of one agent together with what `decide` writes through the transaction that it is
   * given: the way of changes that are rows of other tables as well. With `idempotency`, as {@link act}.
   *
   * Refusals: those of `decide`, AGENT_NOT_FOUND, IDEMPOTENCY_CONFLICT. Throws {@link GroundLost}, and what PostgreSQL throws.
   */
  async actWith<R>(
    agentId: string,
    decide: (state: AgentState, tx: Queryable) => ReturnType<Decide<R>>,
    idempotency: Idempotency | undefined,
    grounds: readonly Ground[] | undefined,
  ): Promise<Result<R>> {
    try {
      const { outcome, written } = await this.#options.database.transaction((tx) =>
        this.#applyIn<R>(tx, agentId, (state) => decide(state, tx), idempotency, grounds),
      );
      // It is durable by now; should this server not hear of it, its next write about the agent finds out.
      if (written) await this.announce([agentId]).catch(() => undefined);
      return outcome;
    } catch (error) {
      if (error instanceof Repeated) return error.outcome;
      throw error;
    }
  }

  async #applyIn<R>(
    tx: Queryable,
    agentId: string,
    decide: Decide<R>,
    idempotency: Idempotency | undefined,
    grounds: readonly Ground[] | undefined,
  ): Promise<{ readonly outcome: Result<R>; readonly written: boolean }> {
    const row = await this.#locked(tx, agentId);
    if (row === undefined) return { outcome: refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`), written: false };
    const { head, memory } = this.#stateOf(row);
    const decided = await decide({ head, memory });
    if (!decided.ok || decided.value.change === undefined) {
      const kept = idempotency && (await this.#repeated<R>(tx, agentId, idempotency));
      return { outcome: kept ?? (decided.ok ? answerTo(decided.value) : decided), written: false };
    }
    const ending = await this.#writeLocked(tx, this.#prepare(head, decided.value, idempotency, grounds));
    if (ending === 'written') return { outcome: answerTo(decided.value), written: true };
    throw ending.kind === 'kept' ? new Repeated(repeatedAnswer<R>(ending, idempotency)) : new GroundLost(ending);
  }

  /** Writes a change through the transaction that has locked the agent's row, so that nobody can have been first. */
  async #writeLocked(tx: Queryable, commit: AgentCommit): Promise<Exclude<Ending, 'late'>> {
    const [ending] = endingsOf([commit], await tx.query<sql.CommittedRow>(sql.commitChanges([commit])));
    if (ending === undefined || ending === 'late') {
      throw new Error(`agent ${commit.after.agentId} changed while its row was locked`);
    }
    return ending;
  }

  /** Looks at the grounds of a write in whose transaction no agent is changed. Throws {@link GroundLost}. */
  async confirmIn(tx: Queryable, grounds: readonly Ground[]): Promise<void> {
    if (grounds.length === 0) return;
    const lost = lostOf(grounds, await tx.query<sql.CommittedRow>(sql.selectBroken(grounds)));
    if (lost !== undefined) throw new GroundLost(lost);
  }

  /**
   * Brings memory up to date after a ground was lost, and gives the refusal that follows; undefined: decide again, now that
   * memory is right. Refusals: SESSION_UNKNOWN for an agent's credential, UNAUTHORIZED for an operator's.
   */
  async afterLoss({ kind, key, is }: Ground): Promise<{ readonly ok: false; readonly refusal: Refusal } | undefined> {
    if (kind === 'hold') {
      await this.refresh([key]);
      return undefined;
    }
    await this.#options.onCredentialLost?.(key);
    return is === null
      ? refuse('UNAUTHORIZED', 'The operator credential is unknown, expired or revoked.')
      : refuse('SESSION_UNKNOWN', 'The credential of this call is unknown, expired or revoked.');
  }

  /**
   * Takes PostgreSQL's word on what holds the agent's ancestors, before a refusal for an inherited pause is given; true when
   * memory was behind.
   */
  async refreshAncestors(head: AgentHead, through: Queryable = this.#options.database): Promise<boolean> {
    const before = this.#holdsAbove(head);
    if (before.length === 0) return false;
    const rows = await through.query<sql.HeadRow>(sql.selectHeadsOf(before.map(({ key }) => key)));
    await this.#take(rows, []);
    const after = this.#holdsAbove(head);
    return (
      after.length !== before.length || after.some(({ key, is }, i) => before[i]?.key !== key || before[i].is !== is)
    );
  }

  /** Takes over, and tells the other nodes, what a transaction of {@link applyIn} made of these agents. */
  async announce(agentIds: readonly string[]): Promise<void> {
    await this.refresh(agentIds);
    for (const agentId of agentIds) this.#options.notifier.announce(TABLE, agentId);
  }

  /** Answers what is accepted, commits what is decided, then stops. */
  async stop(): Promise<void> {
    const quiet = this.#mailboxes.stop();
    // While PostgreSQL is away, only the end of the commits lets the mailboxes end.
    await Promise.race([quiet, new Promise<void>((resolve) => this.#options.clock.after(STOP_GRACE_MS, resolve))]);
    await this.#commits.stop();
    await quiet;
  }

  /** Takes PostgreSQL's word on every agent, after announcements may have been missed. */
  async #catchUp(): Promise<void> {
    const known = [...this.table.entries()].map(([agentId]) => agentId);
    await this.#take(await this.#options.database.query<sql.HeadRow>(sql.selectHeads()), known);
  }

  /** Publishes what is newer among `rows`, and forgets those of `known` that PostgreSQL has no longer. */
  async #take(rows: readonly sql.HeadRow[], known: readonly string[]): Promise<void> {
    const stored = new Set(rows.map((row) => row.agent_id));
    for (const agentId of known) if (!stored.has(agentId)) this.#remove(agentId);
    for (const head of rows.map(sql.headFromRow)) {
      // A mailbox that holds the older state would only lose its compare-and-set; reloading now saves it the round.
      if (await this.#takeNewer(head)) this.#mailboxes.forget(head.agentId);
    }
  }

  async #decideAndCommit<R>(
    agentId: string,
    deadline: number,
    loaded: AgentState | undefined,
    ask: Ask<R>,
  ): Promise<Handled<AgentState | undefined, Result<R>>> {
    const { decide, idempotency } = ask;
    let state = loaded;
    for (let attempt = 1; ; attempt += 1) {
      if (state === undefined) {
        return { reply: refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`), forget: true };
      }
      if (attempt > FREE_ATTEMPTS) {
        const turn = this.#locking.then(() => this.#underLock(agentId, ask));
        this.#locking = turn.catch(() => undefined);
        return turn;
      }
      const decided = await decide(state);
      // The commit finds out whether a call is a repeat, and so does a look before an answer that commits nothing under its key.
      if (idempotency !== undefined && !commitsKey(decided)) {
        const kept = await this.#repeated<R>(this.#options.database, agentId, idempotency);
        if (kept !== undefined) {
          if (decided.ok) decided.value.abandoned?.();
          return { reply: kept, state };
        }
      }
      if (!decided.ok) {
        if (attempt > 1 || !OF_STANDING.has(decided.refusal.code)) return { reply: decided, state };
        // Another node may have changed the standing a moment ago, and answered: its word holds here too (BW-nodes.01).
        const stored = await this.#load(agentId);
        const isSame = stored?.head.sequence === state.head.sequence;
        if (isSame && !(await this.refreshAncestors(state.head))) return { reply: decided, state };
        if (!isSame) state = stored;
        continue;
      }
      const { memory = state.memory } = decided.value;
      const answer = answerTo(decided.value);
      if (decided.value.change === undefined) return { reply: answer, state: { head: state.head, memory } };

      const { commit, committed } = await this.#commit(state.head, decided.value, ask);
      if (committed.ok && committed.value === 'written') {
        this.#publish(state.head, commit, decided.value);
        return { reply: answer, state: { head: commit.after, memory } };
      }
      decided.value.abandoned?.();
      // Whether the commit was refused or lost its compare-and-set, what this mailbox holds may be behind PostgreSQL.
      if (!committed.ok) return { reply: committed, forget: true };
      const { value: ending } = committed;
      if (typeof ending === 'object') {
        if (ending.kind === 'kept') return { reply: repeatedAnswer<R>(ending, idempotency), forget: true };
        const refused = await this.afterLoss(ending);
        if (refused !== undefined) return { reply: refused, state };
      }
      if (this.#options.clock.now() > deadline) {
        return { reply: refuse('SEQUENCE_CONFLICT', `Other writers changed agent ${agentId} first.`), forget: true };
      }
      state = await this.#load(agentId);
    }
  }

  /**
   * Decides and commits with the agent's row locked, so that nobody can be first: the way of a change that has lost its
   * compare-and-set to other nodes a few times, which would else be refused as long as they are busy (BW-nodes.03). The commit
   * goes past the lane, which must not wait for the lock. One at a time on a node: while one holds a connection and the lock,
   * its decision may need another connection, and many of them could take each other the last.
   */
  async #underLock<R>(
    agentId: string,
    { decide, idempotency, grounds }: Ask<R>,
  ): Promise<Handled<AgentState | undefined, Result<R>>> {
    const { database } = this.#options;
    let done: { before: AgentHead; decision: Decision<R>; commit: AgentCommit; memory: AgentMemory } | undefined;
    let lost: Ground | undefined;
    let reply: Result<R> | undefined;
    try {
      reply = await database.transaction(async (tx) => {
        const row = await this.#locked(tx, agentId);
        if (row === undefined) return refuse('AGENT_NOT_FOUND', `No agent ${agentId}.`);
        const state = this.#stateOf(row);
        await this.#takeNewer(state.head);
        await this.refreshAncestors(state.head, tx);
        const decided = await decide(state);
        if (idempotency !== undefined && !commitsKey(decided)) {
          const kept = await this.#repeated<R>(tx, agentId, idempotency);
          if (kept !== undefined) return kept;
        }
        if (!decided.ok) return decided;
        const { value: decision } = decided;
        const answer = answerTo(decision);
        if (decision.change === undefined) return answer;
        const commit = this.#prepare(state.head, decision, idempotency, grounds);
        done = { before: state.head, decision, commit, memory: decision.memory ?? state.memory };
        const ending = await this.#writeLocked(tx, commit);
        if (ending === 'written') return answer;
        if (ending.kind !== 'kept') throw new GroundLost((lost = ending));
        done = undefined;
        decision.abandoned?.();
        return repeatedAnswer<R>(ending, idempotency);
      }, 'one at a time');
    } catch (error) {
      if (lost !== undefined) {
        done?.decision.abandoned?.();
        const refused = await this.afterLoss(lost);
        const held = refuse('SEQUENCE_CONFLICT', `What holds the ancestors of agent ${agentId} changes all the time.`);
        return { reply: refused ?? held, forget: true };
      }
      // Its own commit may have been what was lost with the connection.
      const [durable] =
        done !== undefined && classifyError(error) === 'connection'
          ? await database.transaction((tx) => resolveCommits(tx, done === undefined ? [] : [done.commit]))
          : [];
      if (done === undefined || durable !== 'written') {
        done?.decision.abandoned?.();
        throw error;
      }
      reply = answerTo(done.decision);
    }
    if (done === undefined) return { reply, forget: true };
    this.#publish(done.before, done.commit, done.decision);
    return { reply, state: { head: done.commit.after, memory: done.memory } };
  }

  /** Makes a durable change readable, here and, soon, on the other nodes. */
  #publish<R>(before: AgentHead, commit: AgentCommit, decision: Decision<R>): void {
    const { after } = commit;
    faultPoint('checkin.committed');
    this.#put(after);
    decision.committed?.();
    this.#options.notifier.announce(TABLE, after.agentId);
    this.#tell(after, before, commit);
    faultPoint('checkin.published');
  }

  /** What holds the agent's ancestors as memory has it: the agent would inherit it. */
  #holdsAbove(head: AgentHead): readonly Ground[] {
    const holds: Ground[] = [];
    for (const [key, ancestor] of lineOf(head, this.#known)) {
      if (ancestor === undefined || holds.length >= MOST_ANCESTORS) break;
      holds.push({ kind: 'hold', key, is: holdKey(ancestor) });
    }
    return holds;
  }

  async #commit<R>(
    before: AgentHead,
    decision: Decision<R>,
    { idempotency, grounds }: Ask<R>,
  ): Promise<{ commit: AgentCommit; committed: Result<Ending> }> {
    try {
      const commit = this.#prepare(before, decision, idempotency, grounds);
      return { commit, committed: await this.#commits.submit(commit) };
    } catch (error) {
      // What was staged beside the change would otherwise wait for its end for ever.
      decision.abandoned?.();
      throw error;
    }
  }

  #prepare<R>(
    before: AgentHead,
    { change: decided, reply, refusal }: Decision<R>,
    idempotency: Idempotency | undefined,
    /** What lets the caller ask; absent, it is the server, which stands on nothing. */
    caller: readonly Ground[] | undefined,
  ): AgentCommit {
    const { ids } = this.#options;
    if (decided === undefined) throw new Error('a decision without a change is not committed');
    const change =
      idempotency === undefined || refusal !== undefined
        ? decided
        : { ...decided, idempotency: { ...idempotency, reply: reply as Readonly<Record<string, unknown>> } };
    const nextId = () => ids.rowId(change.at);
    const session = sessionAfter(before, change);
    const grounds = caller === undefined ? NO_GROUNDS : [...caller, ...this.#holdsAbove(before)];
    const { rows, end } = chain(before.agentId, before, change.events, change.at, nextId, session);
    return { before, after: headAfter(before, change, end), change, audit: rows, grounds };
  }

  async #repeated<R>(source: Queryable, agentId: string, idempotency: Idempotency): Promise<Result<R> | undefined> {
    const [row] = await source.query<{ request_hash: string; reply: Readonly<Record<string, unknown>> }>(
      sql.selectIdempotent(agentId, idempotency.key),
    );
    return row && answerOf<R>({ requestHash: row.request_hash, reply: row.reply }, idempotency);
  }

  /**
   * The agent as it is stored, under the lock of its row. First the lock, then the look: one statement for both would see the
   * locked row as it is after the wait, and the other tables as they were before it.
   */
  async #locked(tx: Queryable, agentId: string): Promise<sql.StoredAgentRow | undefined> {
    await tx.query(sql.lockAgents([agentId]));
    const [row] = await tx.query<sql.StoredAgentRow>(sql.selectStored(agentId));
    return row;
  }

  async #load(agentId: string): Promise<AgentState | undefined> {
    const rows = await this.#options.database.query<sql.StoredAgentRow>(sql.selectStored(agentId));
    const row = rows[0];
    if (row === undefined) {
      this.#remove(agentId);
      return undefined;
    }
    const state = this.#stateOf(row);
    await this.#takeNewer(state.head);
    return state;
  }

  #stateOf(row: sql.StoredAgentRow): AgentState {
    const { state_json: state, drift, evidence } = row;
    return { head: sql.headFromRow(row), memory: this.#options.codec.restore({ state, drift, evidence }) };
  }

  /** Publishes a head that another node made, after everything that goes with it was brought up to date. */
  async #takeNewer(head: AgentHead): Promise<boolean> {
    if (!this.#isNewer(head)) return false;
    await this.#options.onForeignChange?.(head.agentId);
    return this.#publishNewer(head);
  }

  /** Publishes a head unless memory already has a newer one; a query may be older than a commit of this node. */
  #publishNewer(head: AgentHead): boolean {
    if (!this.#isNewer(head)) return false;
    const before = this.table.read(head.agentId);
    this.#put(head);
    this.#tell(head, before.ok ? before.value : undefined, undefined);
    return true;
  }

  /** What was committed is answered, whatever becomes of whoever only listens. */
  #tell(...published: Parameters<Published>): void {
    try {
      this.#options.onPublished?.(...published);
    } catch (error) {
      this.#options.onCrash(published[0].agentId, error);
    }
  }

  #isNewer({ agentId, sequence }: AgentHead): boolean {
    const reading = this.#live.table.read(agentId);
    return !reading.ok || reading.value.sequence < sequence;
  }

  #put(head: AgentHead): void {
    this.#names.changed(head.agentId, this.#known(head.agentId)?.label ?? null, head.label);
    this.#live.writer.publish(head.agentId, head);
    if (mayBeHeld(head)) this.#mayBeHeld.add(head.agentId);
    else this.#mayBeHeld.delete(head.agentId);
  }

  #remove(agentId: string): void {
    this.#names.changed(agentId, this.#known(agentId)?.label ?? null, null);
    this.#live.writer.remove(agentId);
    this.#mayBeHeld.delete(agentId);
    this.#mailboxes.forget(agentId);
  }
}

/**
 * Finds out which commits of a lost connection are durable, and makes sure that the others never will be.
 *
 * The rows are locked first: a backend that is still committing holds those locks, so the answer comes after its end.
 * Each commit is known by its first audit row. One that left no row is fenced by using up the sequence it expects: should
 * its statement still arrive, its compare-and-set matches nothing.
 */
const resolveCommits = async (tx: Queryable, items: readonly AgentCommit[]): Promise<('written' | undefined)[]> => {
  await tx.query(sql.lockAgents(items.map((item) => item.after.agentId)));
  const witnesses = items.flatMap((item) => item.audit.slice(0, 1));
  const found = new Set(
    (await tx.query<{ event_id: string }>(sql.selectWitnesses(witnesses))).map((row) => row.event_id),
  );
  const durable = items.map((item) => found.has(item.audit[0]?.eventId ?? ''));
  const absent = items.filter((_, i) => durable[i] !== true).map((item) => item.after.agentId);
  if (absent.length > 0) await tx.query(sql.fenceAgents(absent));
  return durable.map((is) => (is ? 'written' : undefined));
};

/** Agents whose pause has passed its end at `now`, from memory. */
export const expiredPauses = (table: LiveTable<AgentHead>, now: number): string[] => {
  const expired: string[] = [];
  for (const [agentId, head] of table.entries()) {
    if (head.pause !== null && !pauseHolds(head.pause, now)) expired.push(agentId);
  }
  return expired;
};
