import { refuse, type Result } from '@breakwater/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { Clock } from '../runtime/index.ts';
import { createGate } from '../runtime/testing/gate.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { settle } from '../runtime/testing/settle.ts';
import type { Connection, Database } from './database.ts';
import { GroupCommit } from './group-commit.ts';

interface Item {
  readonly id: number;
  readonly poisoned: boolean;
}

/** How PostgreSQL treats the next statement of the lane. `late` is applied after its connection was found lost. */
type Fate = 'works' | 'deadlock' | 'lost before' | 'lost after' | 'late' | 'disk full';
/** How the next question about a flush ends. */
type Answer = 'works' | 'away' | 'rolled back' | 'lost after';

const FATES: readonly Fate[] = ['works', 'deadlock', 'lost before', 'lost after', 'late', 'disk full'];
const ANSWERS: readonly Answer[] = ['works', 'away', 'rolled back', 'lost after'];

const sqlError = (code: string) => Object.assign(new Error(code), { code });
const lost = () => Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' });

/** A table in memory that keeps PostgreSQL's promises: a statement applies wholly or not at all; a fenced id never. */
class FakePostgres implements Database {
  readonly durable = new Map<number, number>();
  readonly #fenced = new Set<number>();
  readonly #fates: Fate[];
  readonly #answers: Answer[];
  readonly #connects: boolean[];
  readonly #step: (name: string) => Promise<unknown>;
  inFlight = 0;
  overlaps = 0;
  largest = 0;

  constructor(options: {
    fates: readonly Fate[];
    answers: readonly Answer[];
    connects: readonly boolean[];
    step: (name: string) => Promise<unknown>;
  }) {
    this.#fates = [...options.fates];
    this.#answers = [...options.answers];
    this.#connects = [...options.connects];
    this.#step = options.step;
  }

  #apply(items: readonly Item[]): void {
    if (items.some((item) => item.poisoned)) throw sqlError('22P02');
    if (items.some((item) => this.#fenced.has(item.id))) throw sqlError('23505');
    for (const { id } of items) this.durable.set(id, (this.durable.get(id) ?? 0) + 1);
  }

  async #execute<R>(items: readonly Item[]): Promise<R[]> {
    this.largest = Math.max(this.largest, items.length);
    if (this.inFlight > 0) this.overlaps += 1;
    this.inFlight += 1;
    try {
      const fate = this.#fates.shift() ?? 'works';
      await this.#step(`statement ${items.map((item) => item.id).join(' ')}: ${fate}`);
      if (fate === 'deadlock') throw sqlError('40P01');
      if (fate === 'lost before') throw lost();
      if (fate === 'disk full') throw sqlError('53100');
      if (fate === 'late') {
        void this.#step('the late statement').then(() => {
          try {
            this.#apply(items);
          } catch {
            // Nobody hears how it ended.
          }
        });
        throw lost();
      }
      this.#apply(items);
      if (fate === 'lost after') throw lost();
      return items.map(({ id }) => ({ id })) as R[];
    } finally {
      this.inFlight -= 1;
    }
  }

  async connect(): Promise<Connection> {
    await this.#step('connect');
    if (this.#connects.shift() === false) throw lost();
    return {
      query: (statement) => this.#execute((statement.values ?? []) as Item[]),
      close: async () => undefined,
      onNotification: () => undefined,
      onClosed: () => undefined,
    };
  }

  async transaction<T>(work: (tx: FakePostgres) => Promise<T>): Promise<T> {
    const answer = this.#answers.shift() ?? 'works';
    await this.#step(`resolve: ${answer}`);
    if (answer === 'away') throw lost();
    const before = new Set(this.#fenced);
    const value = await work(this);
    if (answer === 'rolled back') {
      this.#fenced.clear();
      for (const id of before) this.#fenced.add(id);
    }
    if (answer !== 'works') throw lost();
    return value;
  }

  resolve(items: readonly Item[]): (number | undefined)[] {
    return items.map(({ id }) => {
      if (this.durable.has(id)) return id;
      this.#fenced.add(id);
      return undefined;
    });
  }

  query = () => Promise.reject(new Error('the lane uses its own connection'));
  close = async () => undefined;
}

const laneOn = (
  database: FakePostgres,
  clock: Clock,
  options: { capacity?: number; maxBatch?: number; onFlush?: () => void; receipts?: () => number[] } = {},
) =>
  new GroupCommit<Item, number>({
    database,
    clock,
    statement: (items) => ({ text: 'write', values: items }),
    receipts: (_, rows) => (rows as { id: number }[]).map(({ id }) => id),
    resolve: async (_, items) => database.resolve(items),
    ...options,
  });

const item = (id: number, poisoned = false): Item => ({ id, poisoned });
const codeOf = (outcome: Result<unknown>) => (outcome.ok ? 'accepted' : outcome.refusal.code);

describe('GroupCommit, under every interleaving', () => {
  it('ends each item once: acknowledged and durable exactly once, or refused and not durable', async () => {
    verifies('BW-postgres.03', 'BW-postgres.04', 'BW-postgres.05');
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
        fc.array(fc.constantFrom(...FATES), { maxLength: 10 }),
        fc.array(fc.constantFrom(...ANSWERS), { maxLength: 6 }),
        fc.array(fc.boolean(), { maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        async (scheduler, poisons, fates, answers, connects, maxBatch) => {
          const step = (name: string) => scheduler.schedule(Promise.resolve(), name);
          const database = new FakePostgres({ fates, answers, connects, step });
          const clock: Clock = {
            now: () => 0,
            monotonic: () => 0,
            after: (_, fn) => {
              void step('timer').then(fn);
              return { cancel: () => undefined };
            },
          };
          const lane = laneOn(database, clock, { maxBatch, capacity: 6 });
          const items = poisons.map((poisoned, id) => item(id, poisoned && id % 3 === 0));
          const outcomes = await scheduler.waitFor(
            Promise.all(items.map((each) => step(`submit ${each.id}`).then(() => lane.submit(each)))),
          );
          // Statements that were still on their way when the last caller was answered.
          await scheduler.waitIdle();
          const stopped = lane.stop();
          await scheduler.waitIdle();
          await stopped;

          outcomes.forEach((outcome, id) => {
            const seen = { id, end: codeOf(outcome), durable: database.durable.get(id) ?? 0 };
            if (outcome.ok) {
              expect(outcome.value).toBe(id);
              expect(seen).toEqual({ id, end: 'accepted', durable: 1 });
            } else {
              expect(seen).toEqual({ id, end: seen.end, durable: 0 });
              expect(['STORAGE_UNAVAILABLE', 'OVERLOADED', 'SEQUENCE_CONFLICT', 'PARAMETER_ERROR']).toContain(seen.end);
              // Only what PostgreSQL rejects is called rejected.
              if (seen.end === 'PARAMETER_ERROR') expect(items[id]?.poisoned).toBe(true);
            }
            if (items[id]?.poisoned === true) expect(outcome.ok).toBe(false);
          });
          expect(database.overlaps).toBe(0);
          expect(database.largest).toBeLessThanOrEqual(maxBatch);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('acknowledges every good item when PostgreSQL never fails, whatever is poisoned beside it', async () => {
    verifies('BW-postgres.04');
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        async (scheduler, poisons) => {
          const step = (name: string) => scheduler.schedule(Promise.resolve(), name);
          const database = new FakePostgres({ fates: [], answers: [], connects: [], step });
          const lane = laneOn(database, new ManualClock());
          const outcomes = await scheduler.waitFor(
            Promise.all(poisons.map((poisoned, id) => lane.submit(item(id, poisoned)))),
          );
          expect(outcomes.map(codeOf)).toEqual(poisons.map((poisoned) => (poisoned ? 'PARAMETER_ERROR' : 'accepted')));
          for (const outcome of outcomes) {
            if (!outcome.ok) expect(outcome.refusal.details).toEqual({ sqlstate: '22P02' });
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('GroupCommit', () => {
  const instant = (options: { fates?: Fate[]; answers?: Answer[]; connects?: boolean[] } = {}) =>
    new FakePostgres({ fates: [], answers: [], connects: [], ...options, step: () => Promise.resolve() });

  it('flushes what came during a flush together, as soon as it ended, at most maxBatch at once', async () => {
    const gates = [createGate(), createGate(), createGate()];
    const sent: string[] = [];
    let turn = 0;
    const database = new FakePostgres({
      fates: [],
      answers: [],
      connects: [],
      step: async (name) => {
        if (!name.startsWith('statement')) return;
        sent.push(name);
        await gates[turn++]?.passed;
      },
    });
    const lane = laneOn(database, new ManualClock(), { maxBatch: 3 });
    const first = lane.submit(item(0));
    await settle();
    const rest = [1, 2, 3, 4].map((id) => lane.submit(item(id)));
    await settle();
    expect(sent).toEqual(['statement 0: works']);
    gates[0]!.open();
    expect(await first).toEqual({ ok: true, value: 0 });
    await settle();
    expect(sent.slice(1)).toEqual(['statement 1 2 3: works']);
    gates[1]!.open();
    gates[2]!.open();
    await Promise.all(rest);
    expect(sent.slice(2)).toEqual(['statement 4: works']);
  });

  it('refuses at once what it has no room for', async () => {
    const gate = createGate();
    const database = new FakePostgres({ fates: [], answers: [], connects: [], step: () => gate.passed });
    const lane = laneOn(database, new ManualClock(), { capacity: 2 });
    const first = lane.submit(item(0));
    await settle();
    const waiting = [lane.submit(item(1)), lane.submit(item(2))];
    expect(lane.waiting).toBe(2);
    expect(codeOf(await lane.submit(item(3)))).toBe('OVERLOADED');
    gate.open();
    expect((await Promise.all([first, ...waiting])).map(codeOf)).toEqual(['accepted', 'accepted', 'accepted']);
  });

  it('refuses new items at once while PostgreSQL is away, and takes them again when it is back', async () => {
    verifies('BW-postgres.06');
    const clock = new ManualClock();
    const lane = laneOn(instant({ connects: [false, false, false] }), clock);
    const away = refuse('STORAGE_UNAVAILABLE', 'PostgreSQL cannot be reached; nothing was written.', {
      retryAfterSeconds: 5,
    });
    expect(await lane.submit(item(0))).toEqual(away);
    await settle();
    expect(await lane.submit(item(1))).toEqual(away);
    for (let i = 0; i < 5; i += 1) {
      clock.advance(1_000);
      await settle();
    }
    expect(await lane.submit(item(2))).toEqual({ ok: true, value: 2 });
    await lane.stop();
  });

  it('refuses at once what waited when the connection was lost, before PostgreSQL is back', async () => {
    verifies('BW-postgres.06');
    const clock = new ManualClock();
    const gate = createGate();
    const database = new FakePostgres({
      fates: ['lost before'],
      answers: ['away', 'away'],
      connects: [],
      step: (name) => (name.startsWith('statement') ? gate.passed : Promise.resolve()),
    });
    const lane = laneOn(database, clock, { maxBatch: 1 });
    const sent = lane.submit(item(0));
    await settle();
    let end: string | undefined;
    void lane.submit(item(1)).then((outcome) => (end = codeOf(outcome)));
    await settle();
    expect([lane.waiting, end]).toEqual([1, undefined]);
    gate.open();
    await settle();
    // The clock has not moved: nobody has connected again.
    expect(end).toBe('STORAGE_UNAVAILABLE');
    for (let i = 0; i < 5; i += 1) {
      clock.advance(1_000);
      await settle();
    }
    expect(codeOf(await sent)).toBe('STORAGE_UNAVAILABLE');
    await lane.stop();
  });

  it('holds what was sent until its end is known, while what was not sent is refused at once', async () => {
    verifies('BW-postgres.05');
    const clock = new ManualClock();
    const lane = laneOn(instant({ fates: ['lost after'], answers: ['away', 'away'] }), clock);
    let end: string | undefined;
    void lane.submit(item(0)).then((outcome) => (end = codeOf(outcome)));
    await settle();
    expect(codeOf(await lane.submit(item(1)))).toBe('STORAGE_UNAVAILABLE');
    expect(end).toBeUndefined();
    clock.advance(50);
    await settle();
    expect(end).toBeUndefined();
    clock.advance(100);
    await settle();
    expect(end).toBe('accepted');
  });

  it('gives up a flush that loses every race, and says so', async () => {
    const database = instant({ fates: new Array<Fate>(6).fill('deadlock') });
    const lane = laneOn(database, new ManualClock());
    expect(codeOf(await lane.submit(item(0)))).toBe('SEQUENCE_CONFLICT');
    expect(codeOf(await lane.submit(item(0)))).toBe('accepted');
  });

  it('ends what it has accepted before it stops, and takes nothing more', async () => {
    verifies('BW-postgres.03');
    const database = instant();
    const lane = laneOn(database, new ManualClock(), { maxBatch: 2 });
    const accepted = [0, 1, 2, 3, 4].map((id) => lane.submit(item(id)));
    const stopped = lane.stop();
    expect(codeOf(await lane.submit(item(5)))).toBe('NOT_READY');
    await stopped;
    expect((await Promise.all(accepted)).map(codeOf)).toEqual(new Array(5).fill('accepted'));
    expect([...database.durable.keys()]).toEqual([0, 1, 2, 3, 4]);
  });

  it('stops in bounded time while PostgreSQL is away, and calls an unknown end unknown', async () => {
    const clock = new ManualClock();
    const lane = laneOn(instant({ fates: ['lost after'], answers: new Array<Answer>(100).fill('away') }), clock);
    const outcome = lane.submit(item(0));
    await settle();
    clock.advance(10);
    await settle();
    let stopped = false;
    void lane.stop().then(() => (stopped = true));
    for (let waited = 0; waited < 2_000; waited += 10) {
      clock.advance(10);
      await settle();
    }
    expect(stopped).toBe(true);
    expect(codeOf(await outcome)).toBe('TIMEOUT');
  });

  it('asks the table when the rows of a flush do not tell every receipt', async () => {
    for (const receipts of [
      () => [],
      () => {
        throw new Error('a bug');
      },
    ]) {
      const database = instant();
      const lane = laneOn(database, new ManualClock(), { receipts });
      const outcomes = await Promise.all([lane.submit(item(0)), lane.submit(item(1))]);
      expect(outcomes).toEqual([
        { ok: true, value: 0 },
        { ok: true, value: 1 },
      ]);
      expect([...database.durable.values()]).toEqual([1, 1]);
    }
  });

  it('is not hurt by a measurement that throws', async () => {
    const lane = laneOn(instant(), new ManualClock(), {
      onFlush: () => {
        throw new Error('full');
      },
    });
    expect(codeOf(await lane.submit(item(0)))).toBe('accepted');
    expect(codeOf(await lane.submit(item(1)))).toBe('accepted');
  });
});
