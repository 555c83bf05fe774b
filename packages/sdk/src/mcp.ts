import { VERSION } from './facts.ts';
import type { Client } from '@modelcontextprotocol/client';
import { BreakwaterError, ProtocolError, UnreachableError } from './errors.ts';
import type { Exchange } from './reading.ts';
import { fetchWhole, type Transport, type TransportOptions } from './transport.ts';

/** The deadline of a call is its signal; the protocol's own timer must not be first. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;
const UNKNOWN_SESSION = 404;
/** What the protocol's client says of an answer that ended too early. */
const LOST: ReadonlySet<unknown> = new Set(['CONNECTION_CLOSED', 'SEND_FAILED', 'REQUEST_TIMEOUT']);

/** An HTTP answer that is no answer of the protocol, on its way out through the protocol's client. */
class HttpAnswer extends Error {
  readonly exchange: Exchange;

  constructor(exchange: Exchange) {
    super(`HTTP ${exchange.status ?? ''}`);
    this.exchange = exchange;
  }
}

/** The error of ours that the protocol's client was given, which it may have wrapped. */
const ours = (error: unknown): HttpAnswer | BreakwaterError | undefined => {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof HttpAnswer || at instanceof BreakwaterError) return at;
  }
  return undefined;
};

/** Waits for what others wait for, too, but no longer than this call may. */
const whileWanted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason as Error);
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });

/**
 * Calls tools over MCP, by whichever generation of the protocol the server speaks. The protocol's client is loaded with the
 * first call. A session that the server no longer knows is opened anew; a restart of the server needs nothing else.
 */
export const mcpTransport = (options: TransportOptions): Transport => {
  const url = new URL('mcp/', options.base);
  let connection: Promise<Client> | undefined;

  const connect = async (): Promise<Client> => {
    const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
    let connected = false;
    const watched = (input: string | URL, init: RequestInit = {}): Promise<Response> =>
      fetchWhole(options, input, init, async (response) => {
        // While the generation is found out, other statuses are part of the conversation.
        const concernsUs = response.status === 503 || (connected && init.method === 'POST');
        const { status, statusText, headers } = response;
        if (!response.ok && concernsUs) {
          throw new HttpAnswer({ status, retryAfter: headers.get('retry-after'), body: await response.text() });
        }
        // Read here, so that a connection that breaks half-way is told as one.
        const isWhole = headers.get('content-type')?.startsWith('application/json') === true;
        return isWhole ? new Response(await response.text(), { status, statusText, headers }) : response;
      }).catch((error: unknown) => {
        throw ours(error instanceof UnreachableError ? error.cause : error) ?? error;
      });
    const client = new Client({ name: 'breakwater-sdk', version: VERSION }, { versionNegotiation: { mode: 'auto' } });
    const transport = new StreamableHTTPClientTransport(url, {
      fetch: watched,
      requestInit: { headers: options.headers },
    });
    try {
      await client.connect(transport);
    } catch (error) {
      await client.close();
      const told = ours(error);
      if (told instanceof HttpAnswer) throw told;
      if (told instanceof UnreachableError) {
        throw new UnreachableError(told.message, { cause: told, mayHaveTakenEffect: false });
      }
      throw new ProtocolError(`${url.href} does not speak MCP (${String(error)}).`, undefined);
    }
    connected = true;
    return client;
  };

  const connected = (): Promise<Client> => {
    if (connection !== undefined) return connection;
    const opening = connect();
    connection = opening;
    opening.catch(() => {
      if (connection === opening) connection = undefined;
    });
    return opening;
  };

  const once = async (name: string, args: Readonly<Record<string, unknown>>, signal: AbortSignal) => {
    const client = await whileWanted(connected(), signal);
    return client.callTool({ name, arguments: { ...args } }, { signal, timeout: NO_TIMEOUT_MS });
  };

  const renew = async (): Promise<void> => {
    const old = connection;
    connection = undefined;
    await (await old)?.close();
  };

  const exchange = async (
    name: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
    mayRenew: boolean,
  ): Promise<Exchange> => {
    try {
      return { body: await once(name, args, signal) };
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const told = ours(error);
      if (told instanceof HttpAnswer && told.exchange.status === UNKNOWN_SESSION && mayRenew) {
        // It was refused before any tool saw it, so that sending it again is the first time.
        await renew();
        return exchange(name, args, signal, false);
      }
      if (told instanceof HttpAnswer) return told.exchange;
      if (told !== undefined) throw told;
      const { code } = error as { code?: unknown };
      const message = error instanceof Error ? error.message : String(error);
      if (typeof code === 'number') return { body: { jsonrpc: '2.0', error: { code, message } } };
      if (LOST.has(code)) throw new UnreachableError(`No answer from ${url.origin} (${message}).`, { cause: error });
      throw new ProtocolError(`${name} was answered with something that is not MCP (${message}).`, error);
    }
  };

  return {
    exchange: (name, args, signal) => exchange(name, args, signal, true),
    async close() {
      const open = connection;
      connection = undefined;
      // One that never came to be has nothing to close.
      const client = await open?.catch(() => undefined);
      await client?.close();
    },
  };
};
