import { UnreachableError } from './errors.ts';
import type { Json } from './json.ts';
import type { Exchange } from './reading.ts';

/** The part of `fetch` that is needed. */
export type Fetch = (input: string | URL, init?: RequestInit) => Promise<Response>;

/** Carries a call to the server and back. */
export interface Transport {
  /** Rejects with `UnreachableError` when no answer came, and with the signal's reason when it was aborted. */
  exchange(tool: string, args: Json, signal: AbortSignal): Promise<Exchange>;
  close(): Promise<void>;
}

/** Where and how a transport connects. */
export interface TransportOptions {
  /** The server, such as `http://127.0.0.1:8767`; a path before the API's own is kept. */
  readonly base: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
}

/** What Node says of a connection that never came to be, so that nothing was sent on it. */
const NEVER_CONNECTED: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Calls `fetch` and reads the whole body; a failure on the way is an `UnreachableError`. */
export const fetchWhole = async <T>(
  { fetch, base }: Pick<TransportOptions, 'fetch' | 'base'>,
  input: string | URL,
  init: RequestInit,
  read: (response: Response) => Promise<T>,
): Promise<T> => {
  try {
    return await read(await fetch(input, init));
  } catch (error) {
    if (init.signal?.aborted === true) throw init.signal.reason;
    // Node hides the reason behind "fetch failed".
    const cause =
      error instanceof Error ? (error.cause as { code?: unknown; message?: unknown } | undefined) : undefined;
    const reasons = [error instanceof Error ? error.message : String(error), cause?.message ?? cause?.code];
    const reason = reasons.filter((part) => typeof part === 'string' && part !== '').join(': ');
    throw new UnreachableError(`No answer from ${base.origin} (${reason}).`, {
      cause: error,
      mayHaveTakenEffect: !NEVER_CONNECTED.has(cause?.code),
    });
  }
};
