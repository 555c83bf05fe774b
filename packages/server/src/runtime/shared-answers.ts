import type { Clock } from './clock.ts';

/** How long an answer serves everybody who asks the same. */
const KEPT_MS = 1_000;
/** Answers that are kept at once, at most. */
const MOST = 64;

interface Shared {
  readonly answer: Promise<unknown>;
  /** Monotonic ms; set when it is there. */
  until: number;
}

/**
 * Answers that cost much, made once for all who ask the same at one time, and kept for a second: however many ask, an answer is made
 * once a second at most. One that fails is not kept.
 */
export class SharedAnswers {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #shared = new Map<string, Shared>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** The answer under `key`, which stands for one type: the one that is kept or under way, else what `make` makes. */
  get<T>(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.#shared.get(key);
    if (known !== undefined && this.#clock.monotonic() < known.until) return known.answer as Promise<T>;
    this.#shared.delete(key);
    const answer = make();
    const shared: Shared = { answer, until: Number.POSITIVE_INFINITY };
    const drop = (): void => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    answer.then(() => void (shared.until = this.#clock.monotonic() + KEPT_MS), drop);
    if (this.#shared.size >= MOST) {
      const [oldest] = this.#shared.keys();
      if (oldest !== undefined) this.#shared.delete(oldest);
    }
    this.#shared.set(key, shared);
    return answer;
  }

  /** Forgets all of them: whoever has just acted sees what it did. */
  clear(): void {
    this.#shared.clear();
  }
}
