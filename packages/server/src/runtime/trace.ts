import { currentTrace } from './crossings.ts';

/** A kind of boundary crossing. Names are few and fixed; what differs from call to call stands in no name. */
export interface TracedWork {
  readonly name: string;
  /** `client`: somebody else is asked. `internal`: a wait within this process. */
  readonly kind: 'client' | 'internal';
  /** Named by the semantic conventions of OpenTelemetry. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** A crossing that has begun. */
export interface Crossing {
  /** For whoever is asked, so that its own work is shown below this crossing; a W3C `traceparent`. */
  readonly traceparent: string;
  /** Ends it. `failure` says in one word of a small set how it failed. */
  end(failure?: string): void;
}

/** What is shown of one request. Nothing here throws or waits. */
export interface Trace {
  /** Begins a crossing; undefined when the request is over, or is not among those that are shown. */
  cross(work: TracedWork): Crossing | undefined;
}

const follow = async <T>(
  crossing: Crossing,
  work: (crossing: Crossing) => Promise<T>,
  failureOf: ((value: T) => string | undefined) | undefined,
): Promise<T> => {
  try {
    const value = await work(crossing);
    crossing.end(failureOf?.(value));
    return value;
  } catch (error) {
    crossing.end(error instanceof Error ? error.name : 'Error');
    throw error;
  }
};

/**
 * Carries out work that crosses a boundary, as a span of the request's trace (W3-6.10). Without a trace, which is the
 * usual case, it is the work alone. `failureOf` tells a value that is a failure.
 */
export const traced = <T>(
  what: TracedWork,
  work: (crossing?: Crossing) => Promise<T>,
  failureOf?: (value: T) => string | undefined,
): Promise<T> => {
  const crossing = currentTrace()?.cross(what);
  return crossing === undefined ? work() : follow(crossing, work, failureOf);
};
