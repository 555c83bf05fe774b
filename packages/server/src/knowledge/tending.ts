import { ok, AUDIT_EVENTS, type Result } from '@breakwater/contract';
import type { AuditDraft } from '../agents/index.ts';
import type { Database, Queryable } from '../postgres/index.ts';
import { DAY_MS, type Clock, type Job } from '../runtime/index.ts';
import type { Journal, Step, WriteCall } from './journal.ts';
import { addTallies, fateOf, NOTHING_DONE, type Fate, type Tally } from './rules/lifecycle.ts';
import * as sql from './tending-sql.ts';

/** What a run of the lifecycle came to. `complete`: there was nothing left to look at. */
export interface Tended {
  readonly tally: Tally;
  readonly complete: boolean;
}

/** One batch: what was done in it, and where the next one begins. */
interface Batch {
  readonly tally: Tally;
  readonly last: string;
  readonly full: boolean;
}

const BATCH = 200;
const EVERY_MS = 300_000;

/** The lifecycle of findings, carried out in batches: each is durable, with its audit row, before the next begins. */
export class Tending {
  readonly #options: { database: Database; journal: Journal; clock: Clock };
  #stopping = false;

  constructor(options: { database: Database; journal: Journal; clock: Clock }) {
    this.#options = options;
  }

  /** Ends a run after the batch that it is at. */
  stop(): void {
    this.#stopping = true;
  }

  /** What a run of the lifecycle would do now. */
  async look(deadline: number): Promise<Tended> {
    const { database, clock } = this.#options;
    return this.#eachBatch(deadline, async (after) => {
      const now = clock.now();
      const rows = await database.query<sql.AgedRow>(sql.selectAged(now, after, BATCH, false));
      return ok(fatesOf(rows, now));
    });
  }

  /** Runs the lifecycle for a caller, batch by batch; each is durable, with its audit row, before the next begins. */
  async run(call: Omit<WriteCall, 'idempotency'>): Promise<Result<Tended>> {
    const { journal } = this.#options;
    let refusal: Result<never> | undefined;
    const tended = await this.#eachBatch(call.deadline, async (after) => {
      const done = await journal.write({ ...call, idempotency: undefined }, (tx, _head, now) =>
        tendBatch(tx, after, now),
      );
      if (!done.ok) refusal = done;
      return done;
    });
    if (refusal !== undefined) return refusal;
    const event: AuditDraft = { type: AUDIT_EVENTS.knowledgeTended, payload: { by: 'call', ...tended.tally } };
    return journal.write({ ...call, idempotency: undefined }, async () => ok({ reply: tended, events: [event] }));
  }

  /**
   * The run that nobody asks for: once a day, whichever server comes first and however often servers start
   * (BW-knowledge.04). Undefined: there was one in the last 24 hours.
   */
  async runWhenDue(): Promise<Tended | undefined> {
    const { database, journal, clock } = this.#options;
    const since = clock.now() - DAY_MS;
    if ((await database.query(sql.selectTended(since))).length > 0) return undefined;
    const tended = await this.#eachBatch(Number.POSITIVE_INFINITY, (after) =>
      database.transaction(async (tx) => {
        const done = await tendBatch(tx, after, clock.now());
        if (!done.ok) return done;
        await journal.note(tx, done.value.events, null);
        return ok(done.value.reply);
      }),
    );
    // One that was cut short is begun again at the next turn.
    if (!tended.complete) return tended;
    await database.query(sql.pruneBudgets(since));
    const payload = { by: 'schedule', ...tended.tally };
    await journal.note(database, [{ type: AUDIT_EVENTS.knowledgeTended, payload }], null);
    return tended;
  }

  async #eachBatch(deadline: number, work: (after: string) => Promise<Result<Batch>>): Promise<Tended> {
    let tally = NOTHING_DONE;
    let after = '';
    for (;;) {
      if (this.#stopping || this.#options.clock.now() > deadline) return { tally, complete: false };
      const done = await work(after);
      if (!done.ok) return { tally, complete: false };
      tally = addTallies(tally, done.value.tally);
      if (!done.value.full) return { tally, complete: true };
      after = done.value.last;
    }
  }
}

const fatesOf = (
  rows: readonly sql.AgedRow[],
  now: number,
): Batch & { readonly fates: readonly (Fate & { readonly id: string })[] } => {
  const fates = rows.map((row) => ({
    id: row.id,
    ...fateOf({ ...row, createdAt: row.created_at, resolvedAt: row.resolved_at, archivedAt: row.archived_at }, now),
  }));
  return {
    fates,
    tally: fates.reduce((sum, fate) => addTallies(sum, fate.tally), NOTHING_DONE),
    last: rows.at(-1)?.id ?? '',
    full: rows.length === BATCH,
  };
};

/** One batch of the lifecycle, in a transaction of somebody. */
const tendBatch = async (tx: Queryable, after: string, now: number): Promise<Result<Step<Batch>>> => {
  const { fates, ...reply } = fatesOf(await tx.query<sql.AgedRow>(sql.selectAged(now, after, BATCH, true)), now);
  const sentences = fates.flatMap(({ id, status, tags }): sql.Sentence[] =>
    status === undefined && tags === undefined ? [] : [{ id, status: status ?? null, tags: tags ?? null }],
  );
  if (sentences.length === 0) return ok({ reply, events: [] });
  await tx.query(sql.carryOut(sentences, now));
  const moved = (to: string) => sentences.filter(({ status }) => status === to).map(({ id }) => id);
  const event: AuditDraft = {
    type: AUDIT_EVENTS.knowledgeWritten,
    payload: {
      action: 'cleanup',
      archived: moved('archived'),
      cold: moved('cold'),
      retagged: sentences.filter(({ tags }) => tags !== null).map(({ id }) => id),
    },
  };
  return ok({ reply, events: [event] });
};

/** Looks every five minutes whether the daily run is due; so it comes soon after a start, too, and moves with its server. */
export const lifecycleJob = (tending: Tending): Job => ({
  name: 'knowledge.lifecycle',
  everyMs: EVERY_MS,
  singleton: true,
  run: async () => void (await tending.runWhenDue()),
});
