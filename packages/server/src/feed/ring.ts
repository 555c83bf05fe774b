/** The newest events, oldest first: a bound in memory, and the knowledge of what was let go. */
export class Ring<E> {
  readonly #capacity: number;
  #events: E[] = [];
  #lost: E | undefined;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The newest event that is here no more; undefined: all that came are here. Asked after {@link all}. */
  get lost(): E | undefined {
    return this.#lost;
  }

  push(event: E): void {
    this.#events.push(event);
    // Let go in blocks, since an array gives up its first element by moving all others.
    if (this.#events.length >= 2 * this.#capacity) this.#trim();
  }

  /** Puts events before all others, as far as there is room; the oldest of them give way. */
  recall(events: readonly E[]): void {
    const room = Math.max(0, this.#capacity - this.#events.length);
    const left = events.length - room;
    if (left > 0) this.#lost ??= events[left - 1];
    this.#events = [...events.slice(Math.max(0, left)), ...this.#events];
  }

  /** Every event that is kept. */
  all(): readonly E[] {
    this.#trim();
    return this.#events;
  }

  #trim(): void {
    const over = this.#events.length - this.#capacity;
    if (over <= 0) return;
    this.#lost = this.#events[over - 1];
    this.#events = this.#events.slice(over);
  }
}
