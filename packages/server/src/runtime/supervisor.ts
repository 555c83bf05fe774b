/** A long-lived part of the process. Both calls are idempotent; `stop` drains. */
export interface Part {
  readonly name: string;
  start?(): Promise<void> | void;
  stop?(): Promise<void> | void;
}

/**
 * Starts parts in order and stops them in reverse. A part that fails to start stops those before it, and its error
 * reaches the caller; a part that fails to stop is reported and does not keep the others from stopping.
 */
export class Supervisor {
  readonly #started: Part[] = [];
  readonly #onError: (part: string, error: unknown) => void;
  #stopping: Promise<void> | undefined;

  constructor(onError: (part: string, error: unknown) => void) {
    this.#onError = onError;
  }

  async start(part: Part): Promise<void> {
    if (this.#stopping !== undefined) throw new Error(`Cannot start ${part.name}: the process is stopping`);
    try {
      await part.start?.();
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#started.push(part);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (let part = this.#started.pop(); part !== undefined; part = this.#started.pop()) {
      try {
        await part.stop?.();
      } catch (error) {
        this.#onError(part.name, error);
      }
    }
  }
}
