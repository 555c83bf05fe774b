import type { Clock, Ids, Random } from '../../runtime/index.ts';
import { Computation, type ComputeFailure } from './computation.ts';
import { remotePlacement, type RemoteAnswer } from './remote.ts';

interface ComputationsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: Ids;
  /** In this process, or at another server. */
  readonly where: 'in_process' | URL;
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
  /** For the sessions of this server. Callers of the route cannot reach its results. */
  readonly sessions: Computation;
}

/** Makes the compute ports where the operator wants them. */
export const createComputations = ({ where, token, ids, onAnswer, ...rest }: ComputationsOptions): Computations => {
  const elsewhere = (url: URL) =>
    remotePlacement({ url, token, ids, clock: rest.clock, onAnswer: (answer) => onAnswer?.(answer) });
  return {
    route: new Computation(rest),
    sessions: new Computation(where === 'in_process' ? rest : { ...rest, compute: elsewhere(where) }),
  };
};
