/**
 * Whether dispatch is open: every named part must have reported warm (W3-10.05). A part may become cold again, for
 * instance while PostgreSQL is away.
 */
export class Readiness {
  readonly #parts = new Map<string, boolean>();
  readonly #why = new Map<string, string>();
  #cold = 0;
  #waiters: (() => void)[] = [];
  readonly #now: (() => number) | undefined;
  #coldSince: number | undefined;

  /** With a clock (ms since the epoch, UTC) it also knows since when it has not been ready. */
  constructor(now?: () => number) {
    this.#now = now;
  }

  /** Declares a part; it is cold until it reports. */
  expect(part: string): void {
    if (this.#parts.has(part)) return;
    this.#parts.set(part, false);
    this.#cold += 1;
    this.#coldSince ??= this.#now?.();
  }

  /** `why` a part is cold, in a word that probes may read: they need no token. */
  report(part: string, warm: boolean, why?: string): void {
    const before = this.#parts.get(part);
    if (before === undefined) throw new Error(`Readiness: unknown part "${part}"`);
    if (warm || why === undefined) this.#why.delete(part);
    else this.#why.set(part, why);
    if (before === warm) return;
    this.#parts.set(part, warm);
    this.#cold += warm ? -1 : 1;
    this.#coldSince = this.#cold === 0 ? undefined : (this.#coldSince ?? this.#now?.());
    if (this.ready) for (const wake of this.#waiters.splice(0)) wake();
  }

  /** True when at least one part was declared and all are warm. One field: it is asked on every call. */
  get ready(): boolean {
    return this.#cold === 0 && this.#parts.size > 0;
  }

  /** Since when it has not been ready, in ms since the epoch, UTC; undefined when it is, and without a clock. */
  get coldSince(): number | undefined {
    return this.#coldSince;
  }

  /** Each part and whether it is warm, in order of declaration. */
  parts(): Record<string, boolean> {
    return Object.fromEntries(this.#parts);
  }

  /** Why parts are cold, as far as they said. */
  why(): Record<string, string> {
    return Object.fromEntries(this.#why);
  }

  async whenReady(): Promise<void> {
    if (!this.ready) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }
}
