import type { Socket } from 'node:net';
import pg from 'pg';

/** A statement that is under way for longer is asked about: its connection may be half open. */
const SUSPECT_MS = 6_000;
/** How long PostgreSQL may take to say what a connection is at. */
const ASK_MS = 2_000;
/** How often statements under way are looked at. Together with the two above, what is half open ends within 10 s. */
const LOOK_MS = 1_000;

/** What PostgreSQL says of a backend. */
export interface Backend {
  readonly pid: number;
  readonly state: string | null;
  readonly wait_event_type: string | null;
}

/**
 * Whether a backend works on the statement that its client waits for. One that is idle has never got the statement, or has
 * answered it into a network that swallowed the answer; one that waits for its client is in the middle of such an answer.
 * One that is not there counts as at work when `pids` are not PostgreSQL's own, as behind a pooler: nothing is known then.
 */
export const isAtWork = (backend: Backend | undefined, pids: 'real' | 'unknown'): boolean =>
  backend === undefined ? pids === 'unknown' : backend.state === 'active' && backend.wait_event_type !== 'Client';

/** A statement under way. */
interface Waiting {
  readonly client: pg.ClientBase;
  /** When it began, or PostgreSQL was last seen at work on it; ms of the monotonic clock. */
  since: number;
}

/** The client's own connection, which the driver's types do not show. */
interface Inside {
  readonly processID: number | null;
  readonly connection: { readonly stream: Socket };
}
const inside = (client: pg.ClientBase): Inside => client as unknown as Inside;

const HALF_OPEN = 'Connection terminated: PostgreSQL does not know of the statement that it was to answer';

/**
 * Ends connections whose packets vanish, which neither side would notice for a quarter of an hour (BW-nodes.05). A statement
 * that takes long is told from one that is lost by asking PostgreSQL over another connection, so that slow statements need
 * no limit here; when nobody answers there either, the network hangs as a whole, and what waits is ended too.
 *
 * What waits on an ended connection fails as on any lost one.
 */
export class Watchdog {
  readonly #config: () => pg.ClientConfig;
  readonly #waiting = new Set<Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #asking = false;

  constructor(config: () => pg.ClientConfig) {
    this.#config = config;
  }

  /** Watches `client` until the statement that it is about to run has ended. */
  async during<T>(client: pg.ClientBase, statement: () => Promise<T>): Promise<T> {
    const waiting = { client, since: performance.now() };
    this.#waiting.add(waiting);
    this.#timer ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    try {
      return await statement();
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    const before = performance.now() - SUSPECT_MS;
    const suspects = [...this.#waiting].filter(({ since }) => since <= before);
    if (suspects.length === 0 || this.#asking) return;
    this.#asking = true;
    try {
      const backends = await this.#ask(suspects.map(({ client }) => inside(client).processID ?? 0));
      for (const suspect of suspects) {
        // It may have ended meanwhile.
        if (!this.#waiting.has(suspect)) continue;
        const { processID, connection } = inside(suspect.client);
        const known = backends?.found.find(({ pid }) => pid === processID);
        if (backends !== undefined && isAtWork(known, backends.pids)) suspect.since = performance.now();
        else connection.stream.destroy(new Error(HALF_OPEN));
      }
    } finally {
      this.#asking = false;
    }
  }

  /** Asks PostgreSQL what backends are at, over a connection of its own; undefined when it does not answer. */
  async #ask(pids: number[]): Promise<{ pids: 'real' | 'unknown'; found: readonly Backend[] } | undefined> {
    const client = new pg.Client({
      ...this.#config(),
      // With no space in it: that is how nodes are called.
      application_name: 'breakwater-watchdog',
      connectionTimeoutMillis: ASK_MS,
      query_timeout: ASK_MS,
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<Backend & { own: number }>(
        `SELECT pg_backend_pid() AS own, a.pid, a.state, a.wait_event_type FROM unnest($1::int[]) AS asked (pid)
         LEFT JOIN pg_stat_activity a USING (pid)`,
        [pids],
      );
      return { pids: rows[0]?.own === inside(client).processID ? 'real' : 'unknown', found: rows };
    } catch {
      return undefined;
    } finally {
      // Without a farewell: the network that swallowed the question would swallow it too.
      inside(client).connection.stream.destroy();
    }
  }
}
