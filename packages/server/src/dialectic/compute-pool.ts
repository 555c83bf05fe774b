import { Worker } from 'node:worker_threads';
import { accept, refuse, UNAVAILABLE_RETRY_SECONDS } from '@breakwater/contract';
import type { Placed } from './compute.ts';

interface PoolOptions {
  /** A program that answers every message with one message. */
  readonly script: URL;
  /** Threads at most. */
  readonly threads: number;
  /** Jobs at most that wait for a thread. */
  readonly waiting: number;
}

interface Task<Job, Result> {
  readonly job: Job;
  settle(placed: Placed<Result>): void;
}

interface Thread<Job, Result> {
  readonly worker: Worker;
  /** What it works on. */
  task: Task<Job, Result> | undefined;
  /** It was told to end, and takes no more. */
  ending: boolean;
  error: Error | undefined;
}

const again = { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS };
const STOPPING = refuse('NOT_READY', 'The server is stopping.', again);
const FULL = refuse('OVERLOADED', 'Too many computations wait for a thread.', again);
const ABORTED = refuse('TIMEOUT', 'The computation was given up.');

/**
 * Carries out jobs in threads of this process, one at a time in each. A thread is started when a job finds no idle one,
 * stays, and does not keep the process alive while it is idle. One that dies loses its job and is replaced when the next job
 * comes. Jobs and results are plain data: they cross as structured clones.
 */
export class WorkerPool<Job, Result> {
  readonly #options: PoolOptions;
  readonly #threads = new Set<Thread<Job, Result>>();
  readonly #waiting: Task<Job, Result>[] = [];
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Resolves with what the thread gives, or `lost` when it dies; refuses OVERLOADED when too many wait, and NOT_READY after
   * the stop. An abort takes a job out of the queue, or ends the thread that works on it: nothing else can.
   */
  run(job: Job, signal: AbortSignal): Promise<Placed<Result>> {
    if (this.#stopped) return Promise.resolve(STOPPING);
    if (this.#waiting.length >= this.#options.waiting) return Promise.resolve(FULL);
    return new Promise((resolve) => {
      const abandon = () => this.#abandon(task);
      const task: Task<Job, Result> = {
        job,
        settle: (placed) => {
          signal.removeEventListener('abort', abandon);
          resolve(placed);
        },
      };
      signal.addEventListener('abort', abandon, { once: true });
      this.#waiting.push(task);
      this.#next();
    });
  }

  /** Refuses what waits or runs, and resolves when every thread has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const task of this.#waiting.splice(0)) task.settle(STOPPING);
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, STOPPING)));
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const idle = [...this.#threads].find(({ task, ending }) => task === undefined && !ending);
      if (idle === undefined && this.#threads.size >= this.#options.threads) return;
      const task = this.#waiting.shift();
      if (task !== undefined) this.#give(task, idle);
    }
  }

  #give(task: Task<Job, Result>, idle: Thread<Job, Result> | undefined): void {
    try {
      const thread = idle ?? this.#spawn();
      thread.worker.ref();
      thread.worker.postMessage(task.job);
      thread.task = task;
    } catch (error) {
      // The machine has no thread left to give.
      task.settle({ ok: false, lost: { errorClass: 'other', reason: String(error) } });
    }
  }

  #spawn(): Thread<Job, Result> {
    const worker = new Worker(this.#options.script, { name: 'compute' });
    const thread: Thread<Job, Result> = { worker, task: undefined, ending: false, error: undefined };
    this.#threads.add(thread);
    worker.on('message', (result: Result) => {
      const { task } = thread;
      thread.task = undefined;
      worker.unref();
      task?.settle(accept(result));
      this.#next();
    });
    worker.on('error', (error: Error) => (thread.error = error));
    worker.on('exit', (code) => {
      this.#threads.delete(thread);
      const reason = thread.error === undefined ? `the thread ended with ${code}` : String(thread.error);
      thread.task?.settle({ ok: false, lost: { errorClass: 'other', reason } });
      this.#next();
    });
    return thread;
  }

  #abandon(task: Task<Job, Result>): void {
    const place = this.#waiting.indexOf(task);
    if (place !== -1) this.#waiting.splice(place, 1);
    for (const thread of this.#threads) if (thread.task === task) void this.#end(thread, ABORTED);
    task.settle(ABORTED);
  }

  #end(thread: Thread<Job, Result>, answer: Placed<Result>): Promise<unknown> {
    const { task } = thread;
    thread.task = undefined;
    thread.ending = true;
    task?.settle(answer);
    return thread.worker.terminate();
  }
}
