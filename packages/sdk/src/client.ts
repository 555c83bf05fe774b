import { systemClock, type Clock } from './clock.ts';
import { CallTimeoutError, UnavailableError, UnreachableError } from './errors.ts';
import { present, type Json } from './json.ts';
import { mcpTransport } from './mcp.ts';
import { readExchange, type Reading } from './reading.ts';
import { restTransport } from './rest.ts';
import { isSafeToRepeat } from './safe.ts';
import type { AnyTool, ToolAnswer, ToolArguments } from './tools.ts';
import type { Fetch, Transport } from './transport.ts';

/** How to reach a server. */
export interface ClientOptions {
  /** The server, such as `http://127.0.0.1:8767`. */
  readonly url: string | URL;
  /** REST by default. Over MCP the protocol's client is loaded with the first call. */
  readonly transport?: 'rest' | 'mcp';
  /** The server's bearer token, where it asks for one. It names no agent. */
  readonly token?: string;
  /**
   * How long one try may take, in ms.
   * @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * Wait before a call whose answer was lost is repeated, in ms.
   * @default 3_000
   */
  readonly reconnectMs?: number;
  readonly fetch?: Fetch;
  readonly clock?: Clock;
}

/** Options of one call, beside its arguments. */
export interface CallOptions {
  /** Ends the call, and the wait before a retry. */
  readonly signal?: AbortSignal | undefined;
  /** How long one try of this call may take, in ms; the client's when absent. */
  readonly timeoutMs?: number;
  /**
   * Whether a call that met a 503, or whose answer was lost, is sent once more; see `Client.call`.
   * @default true
   */
  readonly retry?: boolean;
}

/** What an agent needs of a client; any number of agents may share one. */
export interface Client {
  readonly url: URL;
  readonly clock: Clock;
  /**
   * Calls a tool by name and resolves with its answer, which says `success: true`.
   *
   * A 503 is retried once after `Retry-After`. A call whose answer was lost is retried once when it never left, or when a
   * retry is harmless: it reads, or it carries an `idempotency_key`. A refusal is never retried (W3-3.17).
   *
   * @throws {BreakwaterError} Of one of the kinds in errors.ts; or the signal's reason.
   * @example
   * const { agents } = await client.call('agent', { action: 'list' });
   */
  call<N extends AnyTool, const A extends ToolArguments<N>>(
    tool: N,
    args: A,
    options?: CallOptions,
  ): Promise<ToolAnswer<N, A>>;
  /** Closes the connection, which only MCP keeps open. */
  close(): Promise<void>;
}

const TIMEOUT_MS = 30_000;
const RECONNECT_MS = 3000;

const baseOf = (url: string | URL): URL => {
  const base = typeof url === 'string' ? URL.parse(url) : new URL(url);
  if (base === null || !/^https?:$/.test(base.protocol)) {
    throw new TypeError(`url must be an http or https address such as http://127.0.0.1:8767, not "${String(url)}"`);
  }
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
};

/**
 * A client of one server. Nothing is sent before the first call.
 * @example
 * const client = new BreakwaterClient({ url: 'http://127.0.0.1:8767' });
 */
export class BreakwaterClient implements Client {
  readonly url: URL;
  readonly clock: Clock;
  readonly #transport: Transport;
  readonly #timeoutMs: number;
  readonly #reconnectMs: number;

  /** @throws {TypeError} `url` is not an http or https address. */
  constructor(options: ClientOptions) {
    const { token } = options;
    this.url = baseOf(options.url);
    this.clock = options.clock ?? systemClock;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#reconnectMs = options.reconnectMs ?? RECONNECT_MS;
    const make = options.transport === 'mcp' ? mcpTransport : restTransport;
    this.#transport = make({
      base: this.url,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      // Looked up at each call, and called as a plain function: browsers refuse it as a method of anything but the window.
      fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    });
  }

  async call<N extends AnyTool, const A extends ToolArguments<N>>(
    tool: N,
    args: A,
    options: CallOptions = {},
  ): Promise<ToolAnswer<N, A>> {
    const { signal, retry = true } = options;
    const sent = present(args);
    const wait = async (ms: number) => {
      await this.clock.sleep(ms, signal);
      signal?.throwIfAborted();
    };
    // One retry for each cause: a server that is killed is unreachable first, and then not ready.
    let mayWaitForServer = retry;
    let mayReconnect = retry;
    for (;;) {
      const reading = await this.#attempt(tool, sent, options);
      // The server's tests hold every answer against the contract; a client that parsed it again would carry the schemas.
      if (reading.kind === 'answer') return reading.payload as ToolAnswer<N, A>;
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
      await wait(this.#reconnectMs);
    }
  }

  close(): Promise<void> {
    return this.#transport.close();
  }

  /** One try, ended by its time or by the caller. */
  async #attempt(tool: string, args: Json, { signal, timeoutMs = this.#timeoutMs }: CallOptions): Promise<Reading> {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const over = new AbortController();
    const stop = () => ending.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    void this.clock.sleep(timeoutMs, over.signal).then((elapsed) => {
      if (elapsed) ending.abort(new CallTimeoutError(`${tool} was not answered within ${timeoutMs} ms.`));
    });
    try {
      return readExchange(tool, await this.#transport.exchange(tool, args, ending.signal), this.clock.now());
    } catch (error) {
      if (error instanceof UnreachableError) return { kind: 'failed', error };
      throw error;
    } finally {
      over.abort();
      signal?.removeEventListener('abort', stop);
    }
  }
}
