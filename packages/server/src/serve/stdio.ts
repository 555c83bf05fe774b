import type { Readable, Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import type { Clock } from '../runtime/index.ts';
import {
  eventData,
  modernHeaders,
  modernRevision,
  readRpc,
  rpcLine,
  rpcLines,
  waitingIds,
  type RpcMessage,
  type RpcPayload,
} from './stdio-wire.ts';

export interface StdioOptions {
  /** Base URL of a running server, as `breakwater serve` prints it. */
  readonly url: string;
  readonly token?: string;
  readonly input: Readable;
  /** Carries JSON-RPC lines and nothing else. */
  readonly output: Writable;
  /** For people: why nothing works. */
  readonly errors: Writable;
  readonly clock: Clock;
  /** How long a call waits for a server that is away, in ms; default 15 000. */
  readonly patienceMs?: number;
}

const PAUSE_MS = 250;
const FAREWELL_MS = 1000;

/** The server did not answer in time; nothing of the message reached it. */
class Unreachable extends Error {}

const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'EAI_AGAIN']);

/** Whether a failed fetch never reached a server, so that sending the message again cannot do anything twice. */
const neverSent = (error: unknown): boolean => {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return typeof cause?.code === 'string' && NEVER_SENT.has(cause.code);
};

/**
 * MCP over stdio: a bridge to a running server's `/mcp/`, for hosts that start their servers as child processes
 * (BW-serve.03). Messages pass as they are, of both protocol generations.
 *
 * The bridge keeps the 2025 session's id. When the server no longer knows it, the client's own initialize is sent again
 * and the call repeated, so that the client never notices (BW-serve.05). While no server answers, a message waits up to
 * `patienceMs` if it cannot have been received; after that it is answered with a JSON-RPC error. Resolves when the input
 * has ended and every message is answered, or when the client has gone.
 */
export const runStdio = (options: StdioOptions): Promise<void> => new Bridge(options).run();

class Bridge {
  readonly #options: StdioOptions;
  readonly #endpoint: string;
  readonly #open = new Map<unknown, AbortController>();
  readonly #running = new Set<Promise<void>>();
  #initialize: RpcMessage | undefined;
  #session: string | undefined;
  #revision: string | undefined;
  #renewing: Promise<void> | undefined;
  #outage = false;
  #isOver = false;

  constructor(options: StdioOptions) {
    this.#options = options;
    this.#endpoint = `${options.url.replace(/\/+$/, '')}/mcp/`;
  }

  async run(): Promise<void> {
    const { input, output, errors } = this.#options;
    output.on('error', (error) => this.#end(error));
    // Nobody reads the complaints of a bridge whose client has gone.
    errors.on('error', () => undefined);
    try {
      await this.#bridge();
    } catch (error) {
      if (!this.#isOver) throw error;
    }
    if (this.#isOver) input.destroy();
    await this.#leave();
  }

  /** The client has gone, or cannot be written to: what it asked for is of no use to anybody. */
  #end(error: NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error.code !== 'EPIPE') this.#options.errors.write(`breakwater: ${error.message}\n`);
    for (const abort of this.#open.values()) abort.abort();
    this.#options.input.destroy();
  }

  async #bridge(): Promise<void> {
    for await (const line of rpcLines(this.#options.input)) {
      if (line.trim() === '') continue;
      const payload = readRpc(line);
      if (payload === undefined) {
        this.#write({
          jsonrpc: '2.0',
          id: null,
          error: { code: -32700, message: 'Parse error: not a JSON-RPC message' },
        });
        continue;
      }
      const task = this.#take(payload).finally(() => this.#running.delete(task));
      this.#running.add(task);
      // Nothing can be sent in a session before the session exists.
      if (payload === this.#initialize) await task;
    }
    // Only a subscription has no end of its own, and nobody is left to read it.
    for (const [id, abort] of this.#open) if (String(id).startsWith('listen:')) abort.abort();
    await Promise.all(this.#running);
  }

  async #take(payload: RpcPayload): Promise<void> {
    const { method, params, id } = payload as RpcMessage;
    if (method === 'notifications/cancelled') {
      this.#open.get(params?.requestId)?.abort();
      this.#open.get(`listen:${String(params?.requestId)}`)?.abort();
      return;
    }
    if (method === 'initialize') {
      this.#initialize = payload as RpcMessage;
      this.#session = undefined;
      this.#revision = undefined;
    }
    const abort = new AbortController();
    const key = method === 'subscriptions/listen' ? `listen:${String(id)}` : (id ?? abort);
    this.#open.set(key, abort);
    try {
      await this.#deliver(payload, abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(payload, error);
    } finally {
      this.#open.delete(key);
    }
  }

  async #deliver(payload: RpcPayload, signal: AbortSignal): Promise<void> {
    const session = this.#session;
    let response = await this.#send(payload, signal);
    if (response.status === 404 && session !== undefined && modernRevision(payload) === undefined) {
      await response.body?.cancel();
      await this.#renew(session);
      response = await this.#send(payload, signal);
    }
    if (payload === this.#initialize) this.#session = response.headers.get('mcp-session-id') ?? undefined;
    await this.#pump(payload, response);
  }

  /** Opens a session in place of `stale`; calls that find it stale at the same time share one. */
  async #renew(stale: string): Promise<void> {
    if (this.#renewing === undefined && this.#session !== stale) return;
    this.#renewing ??= this.#openSession().finally(() => (this.#renewing = undefined));
    await this.#renewing;
  }

  async #openSession(): Promise<void> {
    if (this.#initialize === undefined) return;
    const signal = AbortSignal.timeout(this.#patienceMs);
    const response = await this.#send(this.#initialize, signal);
    await response.body?.cancel();
    this.#session = response.headers.get('mcp-session-id') ?? undefined;
    const done = await this.#send({ jsonrpc: '2.0', method: 'notifications/initialized' }, signal);
    await done.body?.cancel();
  }

  /** Sends until a server takes it; throws {@link Unreachable} when none did in time. */
  async #send(payload: RpcPayload, signal: AbortSignal): Promise<Response> {
    const { clock } = this.#options;
    const until = clock.monotonic() + this.#patienceMs;
    for (;;) {
      let waitMs = PAUSE_MS;
      try {
        const response = await fetch(this.#endpoint, {
          method: 'POST',
          headers: this.#headers(payload),
          body: JSON.stringify(payload),
          signal,
        });
        if (response.status !== 503) {
          this.#outage = false;
          return response;
        }
        // The 503 contract says that nothing was done.
        waitMs = Math.min(Number(response.headers.get('retry-after') ?? 0) * 1000, until - clock.monotonic());
        if (waitMs <= 0) return response;
        await response.body?.cancel();
        this.#complain('is starting or stopping');
      } catch (error) {
        if (!neverSent(error)) throw error;
        this.#complain('does not answer; start it with "breakwater serve"');
        if (clock.monotonic() + waitMs > until) throw new Unreachable(`No server answers at ${this.#endpoint}`);
      }
      // Not the clock's timer: that one lets the process end, and a call that waits must be answered first.
      await setTimeout(waitMs, undefined, { signal });
    }
  }

  #headers(payload: RpcPayload): Record<string, string> {
    const { token } = this.#options;
    const revision = modernRevision(payload);
    const inSession = revision === undefined && payload !== this.#initialize;
    return {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'user-agent': 'breakwater-stdio',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(revision !== undefined && modernHeaders(payload as RpcMessage, revision)),
      ...(inSession && this.#session !== undefined && { 'mcp-session-id': this.#session }),
      ...(inSession && this.#revision !== undefined && { 'mcp-protocol-version': this.#revision }),
    };
  }

  async #pump(payload: RpcPayload, response: Response): Promise<void> {
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true && response.body !== null) {
      for await (const data of eventData(response.body)) {
        const message = readRpc(data);
        if (message !== undefined) this.#write(message);
      }
      return;
    }
    const text = await response.text();
    const answer = readRpc(text);
    if (answer === undefined || !addressed(answer)) {
      if (waitingIds(payload).length > 0) throw new Error(`HTTP ${response.status}: ${text.slice(0, 500)}`);
      return;
    }
    if (payload === this.#initialize) this.#revision = negotiated(answer);
    for (const message of Array.isArray(answer) ? (answer as readonly RpcMessage[]) : [answer]) this.#write(message);
  }

  #fail(payload: RpcPayload, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Unreachable)) this.#options.errors.write(`breakwater: ${message}\n`);
    for (const id of waitingIds(payload)) this.#write({ jsonrpc: '2.0', id, error: { code: -32000, message } });
  }

  /** Tells people once per outage, not once per attempt. */
  #complain(what: string): void {
    if (this.#outage) return;
    this.#outage = true;
    this.#options.errors.write(`breakwater: the server at ${this.#endpoint} ${what}.\n`);
  }

  #write(message: unknown): void {
    if (!this.#isOver) this.#options.output.write(rpcLine(message));
  }

  /** Gives the session back; a server that is gone has nothing to take. */
  async #leave(): Promise<void> {
    if (this.#session === undefined) return;
    await fetch(this.#endpoint, {
      method: 'DELETE',
      headers: this.#headers([]),
      signal: AbortSignal.timeout(FAREWELL_MS),
    }).catch(() => undefined);
  }

  get #patienceMs(): number {
    return this.#options.patienceMs ?? 15_000;
  }
}

/** An error that names no request, as the transport's own do, would reach nobody. */
const addressed = (answer: RpcPayload): boolean =>
  Array.isArray(answer) || ((answer as RpcMessage).id !== null && (answer as RpcMessage).id !== undefined);

const negotiated = (answer: RpcPayload): string | undefined => {
  const version = (answer as { result?: { protocolVersion?: unknown } }).result?.protocolVersion;
  return typeof version === 'string' ? version : undefined;
};
