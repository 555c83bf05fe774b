import { ok, refuse, type Result, type Refusal } from '@breakwater/contract';
import type { Clock, Timer } from './clock.ts';
import { forThisRequest } from './crossings.ts';

/** What a handler gives back: the reply, and the key's next state. Without `state` the state stays; `forget` drops it. */
export type Handled<S, R> = { readonly reply: R; readonly state?: S; readonly forget?: boolean };
export type Handler<S, R> = (state: S) => Promise<Handled<S, R>>;

interface MailboxOptions<S> {
  /** Loads a key's state from PostgreSQL; called before the first message, and again after a crash or when idle. */
  load(key: string): Promise<S>;
  /**
   * How many messages of one key may wait; one more is refused at once (BW-runtime.03). The queue is an array: cheap up
   * to some ten thousand, not beyond.
   */
  capacity: number;
  /**
   * State is dropped when no message arrived for this long and none is running; it may live up to twice as long
   * (BW-runtime.05).
   */
  idleMs: number;
  clock: Clock;
  /** The refusal that an error stands for, which then is no crash; undefined, or left out: it is one. */
  refusalOf?(error: unknown): Refusal | undefined;
  /** Told of a handler or load that threw, for the log. */
  onCrash(key: string, error: unknown): void;
}

interface Message<S> {
  readonly deadline: number;
  run(state: S): Promise<Handled<S, unknown>>;
  settle(outcome: Result<unknown>): void;
}

interface Box<S> {
  /** Wrapped, so that a state that is itself undefined still counts as loaded. */
  state: { readonly value: S } | undefined;
  readonly waiting: Message<S>[];
  running: boolean;
  /** How often the state was declared stale from outside: what was loaded or begun before the last time is not kept. */
  forgotten: number;
}

const TIMED_OUT = refuse('TIMEOUT', 'The deadline passed before the call could start; nothing was done.', {
  details: { started: false },
});

/**
 * A serial executor per key: the GenServer of this house.
 *
 * One message of a key runs at a time, in order of arrival; keys do not wait for each other (BW-runtime.01). A box is
 *
 *     absent ──send──▶ loading ──▶ running ──▶ idle ──send──▶ running …
 *                         │           │          └─ idleMs ─▶ absent
 *                         └── throws ─┴─▶ state dropped, that one caller answered; the next message loads again
 *
 * A message whose deadline passed before its turn never runs (BW-runtime.02): its caller has been told, and an effect
 * that starts after the answer would be one nobody knows of. State here is a cache; losing it loses nothing.
 *
 * A handler must not wait for a message to its own key: that message's turn comes after the handler's end.
 */
export class Mailboxes<S> {
  readonly #options: MailboxOptions<S>;
  /**
   * Two generations instead of a timestamp per box: every `idleMs` the old one is dropped and the young one becomes
   * old; a message brings its box back to the young. Nothing is scanned but the boxes that are about to go.
   */
  #young = new Map<string, Box<S>>();
  #old = new Map<string, Box<S>>();
  #waiting = 0;
  #stopped = false;
  #busy = 0;
  #whenQuiet: (() => void) | undefined;
  #quiet: Promise<void> | undefined;
  #turnover: Timer;

  constructor(options: MailboxOptions<S>) {
    this.#options = options;
    this.#turnover = this.#scheduleTurnover();
  }

  /**
   * Runs `handler` with the key's state when its turn comes. `deadline` is a clock time in ms. Refusals: OVERLOADED
   * (queue full), TIMEOUT (deadline passed before the start), NOT_READY (stopping), and where the handler or the load threw,
   * which drops the state, what `refusalOf` makes of it, or INTERNAL_ERROR.
   */
  send<R>(key: string, deadline: number, handler: Handler<S, R>): Promise<Result<R>> {
    if (this.#stopped) return Promise.resolve(refuse('NOT_READY', 'The server is stopping.', { retryAfterSeconds: 5 }));
    const box = this.#box(key);
    if (box.waiting.length >= this.#options.capacity) {
      return Promise.resolve(
        refuse('OVERLOADED', `Too many calls wait for this agent (${box.waiting.length}).`, { retryAfterSeconds: 5 }),
      );
    }
    return new Promise((resolve) => {
      box.waiting.push({
        deadline,
        run: forThisRequest(handler),
        settle: resolve as (outcome: Result<unknown>) => void,
      });
      this.#waiting += 1;
      if (!box.running) {
        box.running = true;
        this.#busy += 1;
        void this.#drain(key, box);
      }
    });
  }

  /**
   * Drops a key's state, so that the next message loads it anew. A message that is running, or loading, goes on with the
   * state it has; nothing of that is kept.
   */
  forget(key: string): void {
    const box = this.#young.get(key) ?? this.#old.get(key);
    if (box === undefined) return;
    box.state = undefined;
    box.forgotten += 1;
    if (!box.running) this.#drop(key, box);
  }

  /** Keys in memory, and messages that wait for their turn. */
  get sizes(): { keys: number; waiting: number } {
    return { keys: this.#young.size + this.#old.size, waiting: this.#waiting };
  }

  /** Refuses new messages and resolves when every accepted one is answered (BW-runtime.09). */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#turnover.cancel();
    this.#quiet ??= this.#busy === 0 ? Promise.resolve() : new Promise((resolve) => (this.#whenQuiet = resolve));
    return this.#quiet;
  }

  #box(key: string): Box<S> {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const box = this.#old.get(key) ?? { state: undefined, waiting: [], running: false, forgotten: 0 };
    this.#old.delete(key);
    this.#young.set(key, box);
    return box;
  }

  async #drain(key: string, box: Box<S>): Promise<void> {
    for (let message = box.waiting.shift(); message !== undefined; message = box.waiting.shift()) {
      this.#waiting -= 1;
      message.settle(await this.#handle(key, box, message));
    }
    box.running = false;
    // A key without state costs nothing: keys that do not exist must not fill memory.
    if (box.state === undefined) this.#drop(key, box);
    this.#busy -= 1;
    if (this.#busy === 0) this.#whenQuiet?.();
  }

  #drop(key: string, box: Box<S>): void {
    if (this.#young.get(key) === box) this.#young.delete(key);
    else this.#old.delete(key);
  }

  async #handle(key: string, box: Box<S>, message: Message<S>): Promise<Result<unknown>> {
    const late = () => this.#options.clock.now() > message.deadline;
    if (late()) return TIMED_OUT;
    const { forgotten } = box;
    try {
      const state = box.state ?? { value: await this.#options.load(key) };
      if (box.forgotten === forgotten) box.state = state;
      // Loading may have taken the time that was left.
      if (late()) return TIMED_OUT;
      const handled = await message.run(state.value);
      if (handled.forget === true) box.state = undefined;
      else if ('state' in handled && box.forgotten === forgotten) box.state = { value: handled.state };
      return ok(handled.reply);
    } catch (error) {
      box.state = undefined;
      const refusal = this.#options.refusalOf?.(error);
      if (refusal !== undefined) return { ok: false, refusal };
      this.#tell(key, error);
      return refuse('INTERNAL_ERROR', 'The call failed; nothing was decided.');
    }
  }

  /** A log that throws must not leave the key's other callers unanswered. */
  #tell(key: string, error: unknown): void {
    try {
      this.#options.onCrash(key, error);
    } catch {
      // The caller's answer already says that the call failed; there is nobody else to tell.
    }
  }

  #scheduleTurnover(): Timer {
    return this.#options.clock.after(this.#options.idleMs, () => {
      const fresh = new Map<string, Box<S>>();
      for (const [key, box] of this.#old) if (box.running) fresh.set(key, box);
      this.#old = this.#young;
      this.#young = fresh;
      this.#turnover = this.#scheduleTurnover();
    });
  }
}
