import type { Clock, Ids, Random } from '../runtime/index.ts';
import type { ComputeJob, ComputeResult } from './compute-job.ts';
import { WorkerPool } from './compute-pool.ts';
import { remotePlacement, type RemoteAnswer } from './compute-remote.ts';
import { Computation, type ComputeFailure, type Placement } from './compute.ts';

const SCRIPT = new URL('./compute-worker.ts', import.meta.url);
/** Two, so that one long job does not hold up the next. */
const THREADS = 2;
const WAITING = 64;

interface ComputationsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  /** In this process, in threads of it, or at another server. */
  readonly where: 'in_process' | 'workers' | URL;
  /** Bearer token of the other server. */
  readonly token: string | undefined;
  /** Told once of every computation that failed. */
  readonly onFailure: (failure: ComputeFailure) => void;
  /** Told of every result that came from the other server. */
  readonly onAnswer?: (answer: RemoteAnswer) => void;
}

/** The compute ports of a server. */
export interface Computations {
  /**
   * For `POST /v1/dialectic/compute`. It never goes to another server: two that name each other would ask each other in a
   * circle, and its callers can go there themselves.
   */
  readonly route: Computation;
  /** For the sessions of this server. Callers of the route reach neither its results nor its threads. */
  readonly sessions: Computation;
  /** Resolves when no thread is left. */
  stop(): Promise<void>;
}

/** Makes the compute ports where the operator wants them. Threads are started when there is something to do for them. */
export const createComputations = ({ where, token, ids, onAnswer, ...rest }: ComputationsOptions): Computations => {
  const pools: WorkerPool<ComputeJob, ComputeResult>[] = [];
  const place = (): Placement | undefined => {
    if (where !== 'workers') return undefined;
    const pool = new WorkerPool<ComputeJob, ComputeResult>({ script: SCRIPT, threads: THREADS, waiting: WAITING });
    pools.push(pool);
    return (job, signal) => pool.run(job, signal);
  };
  const remote = (url: URL) =>
    remotePlacement({ url, token, ids, clock: rest.clock, onAnswer: (answer) => onAnswer?.(answer) });
  const computation = (compute: Placement | undefined) => new Computation({ ...rest, ...(compute && { compute }) });
  return {
    route: computation(place()),
    sessions: computation(where instanceof URL ? remote(where) : place()),
    stop: async () => void (await Promise.all(pools.map((pool) => pool.stop()))),
  };
};
