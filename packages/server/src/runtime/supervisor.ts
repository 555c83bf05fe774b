/** A long-lived part of the process. Both calls are idempotent; `stop` drains. */
export interface Part {
  readonly name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/**
 * Starts parts in order and stops them in reverse. A part that fails to start stops those before it, and its error
 * reaches the caller; a part that fails to stop is reported and does not keep the others from stopping. One part is started
 * at a time; a stop that comes meanwhile waits for that part and stops it too.
 */
export class Supervisor {
  readonly #started: Part[] = [];
  readonly #onError: (part: string, error: unknown) => void;
  /** The part that is starting now; settles without an error. */
  #starting: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(onError: (part: string, error: unknown) => void) {
    this.#onError = onError;
  }

  async start(part: Part): Promise<void> {
    this.#refuseWhileStopping(part);
    const started = (async () => part.start?.())();
    this.#starting = started.then(
      () => void this.#started.push(part),
      () => undefined,
    );
    try {
      await started;
    } catch (error) {
      await this.stop();
      throw error;
    }
    await this.#starting;
    this.#refuseWhileStopping(part);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  #refuseWhileStopping(part: Part): void {
    if (this.#stopping !== undefined) throw new Error(`Cannot start ${part.name}: the process is stopping`);
  }

  async #stopAll(): Promise<void> {
    // A part that is half started when the signal comes would otherwise outlive the process's end.
    await this.#starting;
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await part.stop?.();
      } catch (error) {
        this.#onError(part.name, error);
      }
    }
  }
}
