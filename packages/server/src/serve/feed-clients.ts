import type { WebSocket } from 'ws';
import {
  eventFor,
  isAgent,
  isWanted,
  updateFor,
  type FeedBatch,
  type FeedEvent,
  type FeedFilter,
} from '../feed/index.ts';
import type { Viewer } from '../lifecycle/index.ts';
import type { Clock, Timer } from '../runtime/index.ts';

/** Why a client of the feed was let go. */
export type FeedEnd = 'slow' | 'silent' | 'revoked' | 'stopping';

/** Clients now, and those that were let go since the start, by why. */
export interface FeedClientCounts {
  readonly clients: number;
  readonly ended: Readonly<Record<FeedEnd, number>>;
}

/** Who watches. */
export interface FeedClient {
  readonly socket: WebSocket;
  readonly viewer: Viewer;
  readonly filter: FeedFilter;
  /** Cursor up to which events were told already. */
  readonly after: number;
  /** Asked at every heartbeat: false ends it, since what it may see hangs on a credential. */
  readonly stillAllowed: () => Promise<boolean>;
}

/** Bytes that may wait for one client. */
const MAX_WAITING = 1_048_576;
const HEARTBEAT_MS = 30_000;
const FAREWELL_MS = 2_000;

/** Codes of RFC 6455, and one of the range that is free. */
const CLOSING: Readonly<Record<FeedEnd, { readonly code: number; readonly reason: string }>> = {
  slow: { code: 4008, reason: 'too slow: reconnect with since=' },
  silent: { code: 1001, reason: 'no answer to the heartbeat' },
  revoked: { code: 1008, reason: 'the credential is not valid any more' },
  stopping: { code: 1001, reason: 'the server is stopping' },
};

/** A message as it goes out, written once for operators and once for everybody else, when somebody needs it. */
class Message {
  readonly #write: (viewer: Viewer) => unknown;
  readonly #written = new Map<boolean, Buffer>();

  constructor(write: (viewer: Viewer) => unknown) {
    this.#write = write;
  }

  for(viewer: Viewer): Buffer {
    const written = this.#written.get(viewer.operator) ?? Buffer.from(JSON.stringify(this.#write(viewer)));
    this.#written.set(viewer.operator, written);
    return written;
  }
}

/**
 * The clients of the live feed. Each has a bound of what may wait for it: one that reads too slowly is let go with a reason
 * and the cursor to come back with, so that it costs neither memory nor time of others.
 */
export class FeedClients {
  readonly #clock: Clock;
  readonly #maxWaiting: number;
  readonly #clients = new Set<FeedClient>();
  /** Clients that have answered since the last heartbeat. */
  readonly #alive = new WeakSet<FeedClient>();
  readonly #ended: Record<FeedEnd, number> = { slow: 0, silent: 0, revoked: 0, stopping: 0 };
  /** Cursor of the newest event that was told. */
  #told = 0;
  #heartbeat: Timer | undefined;
  #stopped = false;

  constructor(clock: Clock, maxWaiting = MAX_WAITING) {
    this.#clock = clock;
    this.#maxWaiting = maxWaiting;
  }

  get counts(): FeedClientCounts {
    return { clients: this.#clients.size, ended: this.#ended };
  }

  /** Takes a client in; what it sends is not read. `onEmpty` is told when the last one has gone. */
  add(client: FeedClient, onEmpty: () => void): void {
    const { socket } = client;
    this.#clients.add(client);
    this.#alive.add(client);
    this.#told = Math.max(this.#told, client.after);
    socket.on('pong', () => this.#alive.add(client));
    socket.on('error', () => socket.terminate());
    socket.on('close', () => {
      this.#clients.delete(client);
      if (this.#clients.size === 0) onEmpty();
    });
    if (this.#stopped) this.#end(client, 'stopping');
    else this.#heartbeat ??= this.#clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  /** Tells a batch to those who want it. */
  tell({ updates, events, missed }: FeedBatch): void {
    for (const update of updates) {
      const message = new Message((viewer) => updateFor(update, viewer));
      for (const client of this.#clients) {
        if (isAgent(client.filter, update.head.agentId)) this.#send(client, message);
      }
    }
    for (const event of events) {
      const message = new Message((viewer) => eventFor(event, viewer));
      for (const client of this.#clients) {
        if (event.cursor > client.after && isWanted(client.filter, event)) this.#send(client, message);
      }
    }
    if (missed > 0) {
      const message = new Message(() => ({ type: 'gap', reason: 'overload', check_ins: missed }));
      for (const client of this.#clients) this.#send(client, message);
    }
    for (const { cursor } of [...updates.flatMap((update) => update.events), ...events]) {
      this.#told = Math.max(this.#told, cursor);
    }
  }

  /** Tells one client alone. */
  replay(client: FeedClient, events: readonly FeedEvent[]): void {
    for (const event of events) this.#send(client, new Message((viewer) => eventFor(event, viewer)));
  }

  greet(client: FeedClient, greeting: Readonly<Record<string, unknown>>): void {
    this.#send(client, new Message(() => greeting));
  }

  /** Lets everybody go. */
  stop(): void {
    this.#stopped = true;
    this.#heartbeat?.cancel();
    for (const client of this.#clients) this.#end(client, 'stopping');
  }

  #send(client: FeedClient, message: Message): void {
    const { socket, viewer } = client;
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > this.#maxWaiting) this.#end(client, 'slow');
    else socket.send(message.for(viewer), { binary: false });
  }

  #end(client: FeedClient, why: FeedEnd): void {
    const { socket } = client;
    this.#ended[why] += 1;
    const { code, reason } = CLOSING[why];
    socket.close(code, why === 'slow' ? `${reason}${this.#told}` : reason);
    // One that does not read will not answer the farewell either.
    this.#clock.after(FAREWELL_MS, () => socket.terminate());
  }

  #beat(): void {
    this.#heartbeat = undefined;
    for (const client of this.#clients) {
      if (this.#alive.has(client)) {
        this.#alive.delete(client);
        client.socket.ping();
        void this.#check(client);
      } else this.#end(client, 'silent');
    }
    if (this.#clients.size > 0) this.#heartbeat = this.#clock.after(HEARTBEAT_MS, () => this.#beat());
  }

  async #check(client: FeedClient): Promise<void> {
    // While PostgreSQL is away nobody can be asked; that ends no watch.
    const allowed = await client.stillAllowed().catch(() => true);
    if (!allowed && client.socket.readyState === client.socket.OPEN) this.#end(client, 'revoked');
  }
}
