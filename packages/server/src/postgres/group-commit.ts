import { ok, refuse, type Result } from '@breakwater/contract';
import { faultPoint, traced, type Clock } from '../runtime/index.ts';
import type { Connection, Database, Queryable, Statement } from './database.ts';
import { classifyError, refusedValue, sqlState } from './errors.ts';

interface GroupCommitOptions<Item, Receipt> {
  database: Database;
  /** One statement that writes all items: one statement is one transaction. */
  statement(items: readonly Item[]): Statement;
  /** The receipt of each item, in order, from the statement's rows. */
  receipts(items: readonly Item[], rows: readonly unknown[]): readonly Receipt[];
  /**
   * After a lost connection, in a transaction on a new one: the receipt of each item that is durable, undefined for one
   * that is not. Must see to it that an item reported as not durable cannot become so later, even if its statement is
   * still on its way; and must bear being called again, since its own commit may be lost too.
   */
  resolve(tx: Queryable, items: readonly Item[]): Promise<readonly (Receipt | undefined)[]>;
  clock: Clock;
  /** Items that may wait; one more is refused. */
  capacity?: number;
  /** Items of one flush: more lengthens the tail and gains no throughput. */
  maxBatch?: number;
  /** Hears of every flush; `ok` is false when PostgreSQL could not be reached or was lost. */
  onFlush?: (flush: { items: number; ms: number; ok: boolean }) => void;
}

interface Entry<Item, Receipt> {
  readonly item: Item;
  settle(outcome: Result<Receipt>): void;
}

const AWAY = refuse('STORAGE_UNAVAILABLE', 'PostgreSQL cannot be reached; nothing was written.', {
  retryAfterSeconds: 5,
});
const STOPPING = refuse('NOT_READY', 'The server is stopping.', { retryAfterSeconds: 5 });
const FULL = refuse('OVERLOADED', 'Too many writes wait for PostgreSQL.', { retryAfterSeconds: 5 });
const UNKNOWN = refuse('TIMEOUT', 'It could not be learned whether this was written.');

/** From the hand-over of an item until its end is known, as a request's trace shows it. */
const WAIT = { name: 'group commit', kind: 'internal', attributes: { 'db.system.name': 'postgresql' } } as const;
/** How often a flush that lost a race (deadlock, serialization) is sent again as it is. */
const MAX_REPEATS = 5;
/** How often the question what became of a flush is asked: when it fails for other reasons than a lost connection. */
const MAX_QUESTIONS = 5;
/** Waits before the first, second, … attempt to reach PostgreSQL again. */
const RECONNECT_MS = [50, 100, 250, 500, 1_000] as const;
/** Running out of time once is enough: the same flush would wait for the same lock. */
const TIMEOUTS = new Set(['57014', '55P03']);

/**
 * The batcher of hot writes: one lane, one connection, no timer. A flush starts as soon as the last one ended, with
 * whatever has come meanwhile; a write alone waits for nobody, and many share one fsync. Measured rejections: a 2 ms linger
 * cut the rate to a third, two lanes were slower than one.
 *
 *     idle ──submit──▶ flushing ──▶ idle            every item acknowledged: its transaction is durable
 *                        │ data error ──▶ halves, down to the poisoned item, which fails alone
 *                        │ conflict ───▶ the same flush again, a bounded number of times
 *                        └ connection lost ──▶ away: new items are refused at once; those that were sent wait until
 *                                              PostgreSQL is back and tells which of them are durable
 *
 * Every item ends once: acknowledged and durable, or refused and not (BW-postgres.03, .05). While an item's end is
 * unknown its caller waits; nobody is told something that may turn out false.
 */
export class GroupCommit<Item, Receipt> {
  readonly #options: GroupCommitOptions<Item, Receipt>;
  readonly #capacity: number;
  readonly #maxBatch: number;
  #waiting: Entry<Item, Receipt>[] = [];
  #connection: Connection | undefined;
  #lane: Promise<void> | undefined;
  /** PostgreSQL is known to be out of reach. */
  #away = false;
  /** When the flush under way began, or the one after which PostgreSQL was out of reach. */
  #since: number | undefined;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(options: GroupCommitOptions<Item, Receipt>) {
    this.#options = options;
    this.#capacity = options.capacity ?? 4096;
    this.#maxBatch = options.maxBatch ?? 256;
  }

  /** For how long the flush under way has not ended, or PostgreSQL has been out of reach for the lane; ms, 0: neither. */
  get stalledMs(): number {
    return this.#since === undefined ? 0 : this.#options.clock.monotonic() - this.#since;
  }

  /** Items that are not yet part of a flush. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when the item's end is known. Refusals: OVERLOADED (too many wait), STORAGE_UNAVAILABLE (not written),
   * SEQUENCE_CONFLICT (lost every race for its rows), PARAMETER_ERROR (a value of it cannot be held), INTERNAL_ERROR (PostgreSQL rejects this item; details carry its
   * SQLSTATE), NOT_READY (stopping), TIMEOUT (stopped before its end was known).
   */
  submit(item: Item): Promise<Result<Receipt>> {
    if (this.#stopped) return Promise.resolve(STOPPING);
    if (this.#away) return Promise.resolve(AWAY);
    if (this.#waiting.length >= this.#capacity) return Promise.resolve(FULL);
    return traced(
      WAIT,
      () =>
        new Promise((settle) => {
          this.#waiting.push({ item, settle });
          this.#lane ??= this.#run();
        }),
      failureOf,
    );
  }

  /** Ends what was accepted, then closes the lane. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#lane;
    await this.#connection?.close().catch(() => undefined);
    this.#connection = undefined;
  }

  async #run(): Promise<void> {
    // A turn of the loop lets everything that arrived in one tick share the first flush.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, this.#maxBatch);
      const started = this.#options.clock.monotonic();
      this.#since = started;
      const ok = await this.#flush(batch, 0);
      this.#report({ items: batch.length, ms: this.#options.clock.monotonic() - started, ok });
      if (this.#away) await this.#comeBack();
      this.#since = undefined;
    }
    this.#lane = undefined;
  }

  #report(flush: { items: number; ms: number; ok: boolean }): void {
    try {
      this.#options.onFlush?.(flush);
    } catch {
      // A measurement that fails must not stop the lane.
    }
  }

  /** False: PostgreSQL was away. */
  async #flush(batch: readonly Entry<Item, Receipt>[], repeats: number): Promise<boolean> {
    const connection = await this.#connect();
    if (connection === undefined) {
      // Nothing of these was sent, so refusing is true; callers learn it now instead of at their deadline.
      settleAll(batch, AWAY);
      this.#goAway();
      return false;
    }
    const items = batch.map((entry) => entry.item);
    faultPoint('commit.before');
    let rows: unknown[];
    try {
      const sent = connection.query<unknown>(this.#options.statement(items));
      faultPoint('commit.sent');
      rows = await sent;
    } catch (error) {
      return this.#recover(batch, repeats, error);
    }
    faultPoint('commit.durable');
    return this.#acknowledge(batch, rows);
  }

  async #acknowledge(batch: readonly Entry<Item, Receipt>[], rows: readonly unknown[]): Promise<boolean> {
    let receipts: readonly Receipt[];
    try {
      receipts = this.#options.receipts(
        batch.map((entry) => entry.item),
        rows,
      );
      if (receipts.length !== batch.length) throw new Error('one receipt for each item');
    } catch {
      // The items are durable but their receipts cannot be read from the rows; the table knows them too.
      return this.#resolve(batch);
    }
    batch.forEach((entry, i) => entry.settle(ok(receipts[i] as Receipt)));
    return true;
  }

  async #recover(batch: readonly Entry<Item, Receipt>[], repeats: number, error: unknown): Promise<boolean> {
    const kind = classifyError(error);
    const state = sqlState(error);
    if (kind === 'connection') return this.#resolve(batch);
    if (kind === 'conflict' && repeats < MAX_REPEATS && !TIMEOUTS.has(state ?? '')) {
      return this.#flush(batch, repeats + 1);
    }
    if (batch.length > 1) {
      const middle = batch.length >> 1;
      const first = await this.#flush(batch.slice(0, middle), 0);
      return (await this.#flush(batch.slice(middle), 0)) && first;
    }
    const details = { ...(state !== undefined && { sqlstate: state }) };
    settleAll(
      batch,
      kind === 'conflict'
        ? refuse('SEQUENCE_CONFLICT', 'Other writers held the same rows all the time; nothing was written.', {
            details,
          })
        : state?.startsWith('22') === true
          ? { ok: false, refusal: refusedValue(state) }
          : refuse('INTERNAL_ERROR', 'PostgreSQL rejected this write; nothing was written.', { details }),
    );
    return true;
  }

  /**
   * Finds out how a flush ended whose connection was lost. Waits for PostgreSQL as long as it takes, or, once the lane is
   * to stop, for a few attempts more. Always false: PostgreSQL was away.
   */
  async #resolve(batch: readonly Entry<Item, Receipt>[]): Promise<false> {
    this.#drop();
    this.#goAway();
    const items = batch.map((entry) => entry.item);
    let failures = 0;
    for (let attempt = 0; ; attempt += 1) {
      try {
        const receipts = await this.#options.database.transaction((tx) => this.#options.resolve(tx, items));
        this.#away = false;
        batch.forEach((entry, i) => {
          const receipt = receipts[i];
          entry.settle(receipt === undefined ? AWAY : ok(receipt));
        });
        return false;
      } catch (error) {
        if (this.#stopped || classifyError(error) !== 'connection') failures += 1;
        if (failures >= MAX_QUESTIONS) {
          settleAll(batch, UNKNOWN);
          return false;
        }
        await this.#pause(this.#stopped ? failures : attempt);
      }
    }
  }

  /** Refuses what was never sent, now and until {@link #comeBack}; it need not wait for PostgreSQL to return. */
  #goAway(): void {
    this.#away = true;
    settleAll(this.#waiting.splice(0), AWAY);
  }

  async #comeBack(): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      if ((await this.#connect()) !== undefined) break;
      await this.#pause(attempt);
    }
    this.#away = false;
  }

  async #connect(): Promise<Connection | undefined> {
    if (this.#connection !== undefined) return this.#connection;
    try {
      const connection = await this.#options.database.connect();
      connection.onClosed(() => {
        if (this.#connection === connection) this.#connection = undefined;
      });
      this.#connection = connection;
      return connection;
    } catch {
      return undefined;
    }
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    void connection?.close().catch(() => undefined);
  }

  #pause(attempt: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(RECONNECT_MS[Math.min(attempt, RECONNECT_MS.length - 1)] ?? 0, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }
}

const failureOf = (outcome: Result<unknown>): string | undefined => (outcome.ok ? undefined : outcome.refusal.code);

const settleAll = <Receipt>(
  entries: readonly { settle(outcome: Result<Receipt>): void }[],
  outcome: Result<Receipt>,
): void => {
  for (const entry of entries) entry.settle(outcome);
};
