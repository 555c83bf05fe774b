import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { Mailboxes, type Handled } from './mailbox.ts';
import { createGate, type Gate } from './testing/gate.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { settle } from './testing/settle.ts';

const IDLE_MS = 1000;
const CAPACITY = 3;
const KEYS = ['a', 'b', 'c'] as const;
type Key = (typeof KEYS)[number];
type End = 'keep' | 'crash' | 'crash after commit' | 'forget';

/** The ids committed for a key: PostgreSQL's part is played by a map of these. */
type State = readonly number[];

const createWorld = (capacity = CAPACITY) => {
  const clock = new ManualClock();
  const stored = new Map<string, State>();
  const loads: string[] = [];
  const started: { key: string; id: number; state: State }[] = [];
  const running = new Map<string, { id: number; gate: Gate; end: End }>();
  const answers = new Map<number, string>();
  const crashes: string[] = [];
  const boxes = new Mailboxes<State>({
    clock,
    capacity,
    idleMs: IDLE_MS,
    load: async (key) => {
      loads.push(key);
      return stored.get(key) ?? [];
    },
    onCrash: (key) => {
      crashes.push(key);
      throw new Error('the log is full');
    },
  });
  const handler =
    (key: string, id: number) =>
    async (state: State): Promise<Handled<State, number>> => {
      started.push({ key, id, state });
      const turn = { id, gate: createGate(), end: 'keep' as End };
      expect(running.has(key), 'two messages of one key at once').toBe(false);
      running.set(key, turn);
      await turn.gate.passed;
      running.delete(key);
      if (turn.end === 'crash') throw new Error('crash');
      const next = [...(stored.get(key) ?? []), id];
      stored.set(key, next);
      if (turn.end === 'crash after commit') throw new Error('crash after commit');
      return turn.end === 'forget' ? { reply: id, forget: true } : { reply: id, state: next };
    };
  return {
    clock,
    boxes,
    stored,
    loads,
    started,
    running,
    answers,
    crashes,
    send(key: string, id: number, ttl: number) {
      const answered = boxes.send(key, clock.now() + ttl, handler(key, id));
      void answered.then((outcome) => answers.set(id, outcome.ok ? 'ok' : outcome.refusal.code));
      return answered;
    },
    finish(key: string, end: End) {
      const turn = running.get(key);
      if (turn === undefined) return;
      turn.end = end;
      turn.gate.open();
    },
  };
};
type World = ReturnType<typeof createWorld>;

interface ModelKey {
  queue: { id: number; deadline: number }[];
  running: number | undefined;
  loaded: boolean;
  /** Forgotten from outside while a message ran: what that message leaves is not kept. */
  stale: boolean;
  /** When its last message arrived, and when its last message ended. */
  arrived: number;
  ended: number;
  /** Whether the state may have been dropped as idle. */
  doubtful: boolean;
  stored: number[];
}

/** What the mailboxes promise, without any concurrency. */
interface Model {
  nextId: number;
  keys: Record<Key, ModelKey>;
  started: { key: string; id: number; state: number[] }[];
  answers: Map<number, string>;
  loads: Record<Key, number>;
}

const freshKey = (): ModelKey => ({
  queue: [],
  running: undefined,
  loaded: false,
  stale: false,
  arrived: 0,
  ended: 0,
  doubtful: false,
  stored: [],
});

const createModel = (): Model => ({
  nextId: 1,
  keys: { a: freshKey(), b: freshKey(), c: freshKey() },
  started: [],
  answers: new Map(),
  loads: { a: 0, b: 0, c: 0 },
});

/** Starts the key's next message that is still alive. */
const pump = (model: Model, name: Key, now: number): void => {
  const key = model.keys[name];
  for (let message = key.queue.shift(); message !== undefined; message = key.queue.shift()) {
    if (now > message.deadline) {
      model.answers.set(message.id, 'TIMEOUT');
      continue;
    }
    if (!key.loaded) model.loads[name] += 1;
    key.loaded = true;
    key.stale = false;
    key.running = message.id;
    model.started.push({ key: name, id: message.id, state: [...key.stored] });
    return;
  }
};

const check = async (model: Model, world: World): Promise<void> => {
  await settle();
  expect(world.started).toEqual(model.started);
  expect([...world.answers].sort((a, b) => a[0] - b[0])).toEqual([...model.answers].sort((a, b) => a[0] - b[0]));
  for (const name of KEYS) {
    expect(world.loads.filter((key) => key === name)).toHaveLength(model.loads[name]);
    expect(world.running.get(name)?.id).toBe(model.keys[name].running);
  }
  expect(world.boxes.sizes.waiting).toBe(KEYS.reduce((sum, name) => sum + model.keys[name].queue.length, 0));
};

class Send implements fc.AsyncCommand<Model, World> {
  readonly key: Key;
  readonly ttl: number;
  constructor(key: Key, ttl: number) {
    this.key = key;
    this.ttl = ttl;
  }
  check = () => true;
  async run(model: Model, world: World) {
    const id = model.nextId++;
    const key = model.keys[this.key];
    const now = world.clock.now();
    if (key.running === undefined) {
      // The state is surely there within one idle time of its last use, surely gone after two; what happens between is
      // the mailbox's affair, and the model takes it over.
      if (now - Math.max(key.arrived, key.ended) >= 2 * IDLE_MS) key.loaded = false;
      key.doubtful = key.loaded && (key.doubtful || now - key.arrived >= IDLE_MS);
      // A late message does not tell, because it never asks for the state.
      if (key.doubtful && this.ttl >= 0) {
        const before = world.loads.length;
        void world.send(this.key, id, this.ttl);
        await settle();
        key.loaded = world.loads.length === before;
        key.doubtful = false;
      }
    }
    if (!world.started.some((one) => one.id === id)) void world.send(this.key, id, this.ttl);
    if (key.queue.length >= CAPACITY) model.answers.set(id, 'OVERLOADED');
    else {
      key.queue.push({ id, deadline: now + this.ttl });
      key.arrived = now;
      if (key.running === undefined) pump(model, this.key, now);
    }
    await check(model, world);
  }
  toString = () => `send(${this.key}, ttl ${this.ttl})`;
}

class Finish implements fc.AsyncCommand<Model, World> {
  readonly key: Key;
  readonly end: End;
  constructor(key: Key, end: End) {
    this.key = key;
    this.end = end;
  }
  check = (model: Readonly<Model>) => model.keys[this.key].running !== undefined;
  async run(model: Model, world: World) {
    const key = model.keys[this.key];
    const id = key.running!;
    world.finish(this.key, this.end);
    if (this.end !== 'crash') key.stored.push(id);
    model.answers.set(id, this.end.startsWith('crash') ? 'INTERNAL_ERROR' : 'ok');
    key.loaded = this.end === 'keep' && !key.stale;
    key.running = undefined;
    key.ended = world.clock.now();
    pump(model, this.key, world.clock.now());
    await check(model, world);
  }
  toString = () => `finish(${this.key}, ${this.end})`;
}

class Forget implements fc.AsyncCommand<Model, World> {
  readonly key: Key;
  constructor(key: Key) {
    this.key = key;
  }
  check = () => true;
  async run(model: Model, world: World) {
    world.boxes.forget(this.key);
    model.keys[this.key].loaded = false;
    model.keys[this.key].stale = true;
    await check(model, world);
  }
  toString = () => `forget(${this.key})`;
}

class Advance implements fc.AsyncCommand<Model, World> {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check = () => true;
  async run(model: Model, world: World) {
    world.clock.advance(this.ms);
    await check(model, world);
  }
  toString = () => `advance(${this.ms})`;
}

const key = fc.constantFrom(...KEYS);
const commands = fc.commands(
  [
    fc.tuple(key, fc.constantFrom(-1, 0, 50, 400, 100_000)).map(([k, ttl]) => new Send(k, ttl)),
    fc
      .tuple(key, fc.constantFrom<End>('keep', 'keep', 'keep', 'crash', 'crash after commit', 'forget'))
      .map(([k, end]) => new Finish(k, end)),
    key.map((k) => new Forget(k)),
    fc.constantFrom(1, 49, 51, 500, IDLE_MS, 2 * IDLE_MS).map((ms) => new Advance(ms)),
  ],
  { maxCommands: 60, size: 'max' },
);

describe('Mailboxes', () => {
  it('behaves like one queue per key, whatever is sent, ended, forgotten or late', async () => {
    verifies('BW-runtime.01', 'BW-runtime.02', 'BW-runtime.03', 'BW-runtime.04', 'BW-runtime.05');
    await fc.assert(
      fc.asyncProperty(commands, async (program) => {
        await fc.asyncModelRun(() => ({ model: createModel(), real: createWorld() }), program);
      }),
      { numRuns: 300 },
    );
  });

  it('does not let one key wait for another', async () => {
    verifies('BW-runtime.01');
    const world = createWorld();
    void world.send('slow', 1, 1e6);
    void world.send('slow', 2, 1e6);
    void world.send('fast', 3, 1e6);
    await settle();
    world.finish('fast', 'keep');
    await settle();
    expect([...world.answers]).toEqual([[3, 'ok']]);
  });

  it('never runs a message whose deadline passed while its state was loading', async () => {
    verifies('BW-runtime.02');
    const clock = new ManualClock();
    const loading = createGate();
    let ran = false;
    const boxes = new Mailboxes<number>({
      clock,
      capacity: 1,
      idleMs: 1000,
      load: async () => {
        await loading.passed;
        return 1;
      },
      onCrash: () => undefined,
    });
    const answer = boxes.send('k', clock.now() + 10, async () => {
      ran = true;
      return { reply: 0 };
    });
    clock.advance(11);
    loading.open();
    expect(await answer).toMatchObject({ ok: false, refusal: { code: 'TIMEOUT' } });
    expect(ran).toBe(false);
  });

  it('refuses the message beyond capacity at once, with a time to come back', async () => {
    verifies('BW-runtime.03');
    const world = createWorld(2);
    for (const id of [1, 2, 3]) void world.send('k', id, 1e6);
    const refused = await world.send('k', 4, 1e6);
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'OVERLOADED', retryAfterSeconds: 5 } });
    expect(world.boxes.sizes.waiting).toBe(2);
  });

  it('answers the next callers when load throws and the log throws too', async () => {
    verifies('BW-runtime.04');
    const clock = new ManualClock();
    let loads = 0;
    const boxes = new Mailboxes<string>({
      clock,
      capacity: 9,
      idleMs: 1000,
      load: async () => {
        loads += 1;
        if (loads === 1) throw new Error('no connection');
        return 'loaded';
      },
      onCrash: () => {
        throw new Error('the log is full');
      },
    });
    const read = () => boxes.send('k', clock.now() + 1, async (state) => ({ reply: state }));
    expect(await Promise.all([read(), read()])).toMatchObject([
      { ok: false, refusal: { code: 'INTERNAL_ERROR' } },
      { ok: true, value: 'loaded' },
    ]);
  });

  it('does not keep a state that was declared stale while it was loading', async () => {
    const clock = new ManualClock();
    let truth = 'old';
    const gates = [createGate(), createGate()];
    let loads = 0;
    const boxes = new Mailboxes<string>({
      clock,
      capacity: 9,
      idleMs: 1000,
      load: async () => {
        const seen = truth;
        await gates[loads++]!.passed;
        return seen;
      },
      onCrash: () => undefined,
    });
    const read = () => boxes.send('k', clock.now() + 1, async (state) => ({ reply: state }));
    const first = read();
    await settle();
    truth = 'new';
    boxes.forget('k');
    for (const gate of gates) gate.open();
    expect(await first).toEqual({ ok: true, value: 'old' });
    expect(await read()).toEqual({ ok: true, value: 'new' });
  });

  it('keeps nothing of keys without state, and drops idle ones within twice the idle time', async () => {
    verifies('BW-runtime.05');
    const world = createWorld();
    for (let id = 0; id < 100; id += 1) void world.send(`ghost-${id}`, id, 1e6);
    await settle();
    for (let id = 0; id < 100; id += 1) world.finish(`ghost-${id}`, id < 90 ? 'forget' : 'keep');
    await settle();
    expect(world.boxes.sizes.keys).toBe(10);
    world.clock.advance(IDLE_MS - 1);
    expect(world.boxes.sizes.keys).toBe(10);
    world.clock.advance(IDLE_MS + 1);
    expect(world.boxes.sizes.keys).toBe(0);
  });

  it('keeps serving a message that outlives both generations, one at a time', async () => {
    verifies('BW-runtime.01', 'BW-runtime.05');
    const world = createWorld();
    void world.send('k', 1, 1e6);
    await settle();
    world.clock.advance(10 * IDLE_MS);
    void world.send('k', 2, 1e6);
    await settle();
    expect(world.started.map((one) => one.id)).toEqual([1]);
    world.finish('k', 'keep');
    await settle();
    expect(world.started.map((one) => one.state)).toEqual([[], [1]]);
    expect(world.loads).toEqual(['k']);
  });

  it('stop refuses what comes and resolves, for every caller, when all accepted messages are answered', async () => {
    const world = createWorld();
    void world.send('k', 1, 1e6);
    void world.send('k', 2, 1e6);
    await settle();
    let stopped = 0;
    for (let i = 0; i < 2; i += 1) void world.boxes.stop().then(() => (stopped += 1));
    expect(await world.send('k', 3, 1e6)).toMatchObject({ ok: false, refusal: { code: 'NOT_READY' } });
    world.finish('k', 'keep');
    await settle();
    expect(stopped).toBe(0);
    world.finish('k', 'keep');
    await settle();
    expect(stopped).toBe(2);
    expect([...world.answers]).toEqual([
      [3, 'NOT_READY'],
      [1, 'ok'],
      [2, 'ok'],
    ]);
    expect(world.clock.pending).toBe(0);
  });
});
