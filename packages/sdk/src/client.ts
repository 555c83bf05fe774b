import { systemClock, type Clock } from './clock.ts';
import { CallTimeoutError, UnavailableError, UnreachableError } from './errors.ts';
import { present, type Json } from './json.ts';
import { mcpTransport } from './mcp.ts';
import { readExchange, type Reading } from './reading.ts';
import { restTransport } from './rest.ts';
import { isSafeToRepeat } from './safe.ts';
import type { AnyTool, ToolArguments } from './tools.ts';
import type { Fetch, Transport } from './transport.ts';

/** How to reach a server. */
export interface ConnectOptions {
  /** The server, such as `http://127.0.0.1:8767`. */
  readonly url: string | URL;
  /** REST by default. Over MCP the protocol's client is loaded with the first call. */
  readonly transport?: 'rest' | 'mcp';
  /** The server's bearer token, where it asks for one. It names no agent. */
  readonly token?: string;
  /** How long one try may take, in ms; 30,000 by default. */
  readonly timeoutMs?: number;
  /** Wait before a call whose answer was lost is repeated, in ms; 3,000 by default. */
  readonly reconnectMs?: number;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
}

/** What may be said beside the arguments of a call. */
export interface CallOptions {
  /** Ends the call, and the wait before a repeat. */
  readonly signal?: AbortSignal | undefined;
  /** False: one try, whatever becomes of it. */
  readonly repeat?: boolean;
}

/** A connection to a server. It may be shared by any number of agents. */
export interface Client {
  readonly url: URL;
  readonly clock: Clock;
  /**
   * Calls a tool by name and gives its answer, which says `success: true`.
   *
   * A 503 is repeated once after `Retry-After`. A call whose answer was lost is repeated once when it never left, or when a
   * repeat is harmless: it reads, or it carries an `idempotency_key`. A refusal is never repeated (W3-3.17).
   *
   * Rejects with a `BreakwaterError` (see errors.ts), or with the signal's reason.
   */
  call<N extends AnyTool>(tool: N, args: ToolArguments<N>, options?: CallOptions): Promise<Json>;
  /** Lets go of the connection, which only MCP keeps. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const RECONNECT_MS = 3000;

const baseOf = (url: string | URL): URL => {
  const base = new URL(url);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
};

/** Prepares a connection; nothing is sent before the first call. Throws a TypeError for a URL that is none. */
export const connect = (options: ConnectOptions): Client => {
  const { clock = systemClock, timeoutMs = TIMEOUT_MS, reconnectMs = RECONNECT_MS, token } = options;
  const base = baseOf(options.url);
  const make = options.transport === 'mcp' ? mcpTransport : restTransport;
  const transport: Transport = make({
    base,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    // Looked up at each call, and called as a plain function: browsers refuse it as anybody's method.
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
  });

  /** One try, ended by its time or by the caller. */
  const attempt = async (tool: string, args: Json, signal: AbortSignal | undefined): Promise<Reading> => {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const over = new AbortController();
    const stop = () => ending.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    void clock.sleep(timeoutMs, over.signal).then((elapsed) => {
      if (elapsed) ending.abort(new CallTimeoutError(`${tool} was not answered within ${timeoutMs} ms.`));
    });
    try {
      return readExchange(tool, await transport.exchange(tool, args, ending.signal), clock.now());
    } catch (error) {
      if (error instanceof UnreachableError) return { kind: 'failed', error };
      throw error;
    } finally {
      over.abort();
      signal?.removeEventListener('abort', stop);
    }
  };

  const call = async (tool: string, args: Json, { signal, repeat = true }: CallOptions = {}): Promise<Json> => {
    const sent = present(args);
    const wait = async (ms: number) => {
      await clock.sleep(ms, signal);
      signal?.throwIfAborted();
    };
    // One repeat for each cause: a server that is killed is unreachable first, and then not ready.
    let mayWaitForServer = repeat;
    let mayReconnect = repeat;
    for (;;) {
      const reading = await attempt(tool, sent, signal);
      if (reading.kind === 'answer') return reading.payload;
      if (reading.kind === 'unavailable') {
        if (!mayWaitForServer) throw new UnavailableError(reading.retryAfterSeconds, reading.reason);
        mayWaitForServer = false;
        await wait(reading.retryAfterSeconds * 1000);
        continue;
      }
      const { error } = reading;
      const isLost = error instanceof UnreachableError;
      if (!isLost || !mayReconnect || (error.mayHaveTakenEffect && !isSafeToRepeat(tool, sent))) throw error;
      mayReconnect = false;
      await wait(reconnectMs);
    }
  };

  return { url: base, clock, call, close: () => transport.close() };
};
