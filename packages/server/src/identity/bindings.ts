import type { Database, Notifier, Statement } from '../postgres/index.ts';
import { createLiveTable, type Clock, type Reading, type Timer } from '../runtime/index.ts';
import { bindingHolds, expiryOf, isRenewalDue, type Binding } from './binding.ts';
import * as sql from './sql.ts';

const TABLE = 'bindings';
/** Renewals of this long travel together. */
const RENEW_MS = 1_000;
/** The use of an operator's credential is noted once in this time. */
const SEEN_MS = 60_000;
/** Revocations are asked for again over this span, should an announcement have been missed. */
const REVOKED_SPAN_MS = 600_000;

/**
 * The credentials: core.bindings by hash, with a live table in front. It alone writes them. Nothing lives only in memory,
 * so what was handed out outlives a restart (W3-3.02, W3-3.03, BW-serve.05); PostgreSQL decides what memory does not know.
 */
export class Bindings {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #notifier: Notifier;
  readonly #live = createLiveTable<Binding>(TABLE);
  readonly #renewals = new Map<string, number>();
  /** When the use of an operator's credential was noted last. */
  readonly #seen = new Map<string, number>();
  #timer: Timer | undefined;

  constructor(options: { database: Database; clock: Clock; notifier: Notifier }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#notifier = options.notifier;
    this.#notifier.onChange(TABLE, (hashes) => this.refresh(hashes));
    this.#notifier.onGap(() => this.load());
  }

  /** Loads every binding that still holds, with one query. */
  async load(): Promise<void> {
    const rows = await this.#database.query<sql.BindingRow>(sql.selectBindings(this.#clock.now()));
    const stored = new Map(rows.map(sql.bindingFromRow));
    for (const [hash] of this.#live.table.entries()) if (!stored.has(hash)) this.#live.writer.remove(hash);
    for (const [hash, binding] of stored) this.#live.writer.publish(hash, binding);
  }

  /** A binding from memory; cold also when memory holds one that is over, since another node may have renewed it. */
  read(hash: string): Reading<Binding> {
    const reading = this.#live.table.read(hash);
    if (!reading.ok || bindingHolds(reading.value, this.#clock.now())) return reading;
    return { ok: false, cold: true };
  }

  /** A binding as PostgreSQL has it, however it stands with it. */
  async find(hash: string): Promise<Binding | undefined> {
    const known = this.read(hash);
    if (known.ok) return known.value;
    await this.refresh([hash]);
    const reading = this.#live.table.read(hash);
    return reading.ok ? reading.value : undefined;
  }

  /** Takes PostgreSQL's word on these credentials. */
  async refresh(hashes: readonly string[]): Promise<void> {
    const rows = await this.#database.query<sql.BindingRow>(sql.selectBindingsOf(hashes));
    const found = new Set(this.#take(rows));
    for (const hash of hashes) if (!found.has(hash)) this.#live.writer.remove(hash);
  }

  /** Inserts a credential, durable before this resolves. */
  async issue(hash: string, binding: Pick<Binding, 'kind' | 'agentId' | 'assurance'>): Promise<void> {
    const now = this.#clock.now();
    const whole = { ...binding, expiresAt: expiryOf(binding.kind, now) };
    // One that was there already is not returned, and is taken as it stands.
    if ((await this.change(sql.insertBindings([[hash, whole]], now))) === 0) await this.refresh([hash]);
  }

  /** Runs a statement that changes bindings and returns them; gives how many it changed. */
  async change(statement: Statement): Promise<number> {
    const hashes = this.#take(await this.#database.query<sql.BindingRow>(statement));
    for (const hash of hashes) this.#notifier.announce(TABLE, hash);
    return hashes.length;
  }

  /** Publishes credentials that a transaction of somebody else has written. */
  async published(hashes: readonly string[]): Promise<void> {
    await this.refresh(hashes);
    for (const hash of hashes) this.#notifier.announce(TABLE, hash);
  }

  /** As {@link published}, without asking PostgreSQL: the new ones are known, and others are looked up when they are used. */
  written(fresh: readonly (readonly [hash: string, Binding])[], others: readonly string[]): void {
    for (const [hash, binding] of fresh) this.#live.writer.publish(hash, binding);
    for (const hash of others) this.#live.writer.remove(hash);
    for (const hash of [...fresh.map(([hash]) => hash), ...others]) this.#notifier.announce(TABLE, hash);
  }

  /**
   * A credential was used. Its life begins anew when that is due, and of an operator's it is noted when; some time later,
   * and without anybody waiting for it.
   */
  used(hash: string, binding: Binding): void {
    if (this.#renewals.has(hash)) return;
    const now = this.#clock.now();
    if (isRenewalDue(binding, now)) this.#renewals.set(hash, expiryOf(binding.kind, now));
    else if (binding.operator !== null && now - (this.#seen.get(hash) ?? -Infinity) >= SEEN_MS) {
      this.#seen.set(hash, now);
      this.#renewals.set(hash, binding.expiresAt);
    } else return;
    this.#timer ??= this.#clock.after(RENEW_MS, () => void this.renew().catch(() => undefined));
  }

  /** Makes the renewals that wait durable. What PostgreSQL does not take is due again at the next use. */
  async renew(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    const due = [...this.#renewals];
    this.#renewals.clear();
    if (due.length > 0) await this.change(sql.renewBindings(due, this.#clock.now()));
  }

  /** Takes over revocations of other nodes whose announcement may have been missed. */
  async reconcile(): Promise<void> {
    const since = this.#clock.now() - REVOKED_SPAN_MS;
    this.#take(await this.#database.query<sql.BindingRow>(sql.selectRevokedSince(since)));
  }

  /** Deletes what stopped proving anything long ago, and forgets what no longer holds. */
  async prune(): Promise<void> {
    const now = this.#clock.now();
    await this.#database.query(sql.pruneBindings(now));
    for (const [hash, binding] of this.#live.table.entries()) {
      if (!bindingHolds(binding, now)) this.#live.writer.remove(hash);
    }
  }

  get size(): number {
    return this.#live.table.size;
  }

  #take(rows: readonly sql.BindingRow[]): string[] {
    return rows.map((row) => {
      const [hash, binding] = sql.bindingFromRow(row);
      this.#live.writer.publish(hash, binding);
      return hash;
    });
  }
}
