import type { Clock, Timer } from '../runtime/index.ts';
import type { Connection, Database, Statement } from './database.ts';

type Changed = (keys: readonly string[]) => Promise<void> | void;

/**
 * Tells other nodes which keys changed, and hears of theirs. PostgreSQL is the truth; this is how nodes follow it soon
 * (BW-nodes.02). An announcement waits until it could be sent. What a node took with it when it died is found by the others:
 * they see within a second that it is gone, and look at everything.
 */
export interface Notifier {
  /** Announces that a committed change of this key exists. Never waits, never throws. */
  announce(table: string, key: string): void;
  /** Hears keys that another node changed. */
  onChange(table: string, changed: Changed): void;
  /** Hears that announcements may have been missed: the connection was away and is back, or another node has gone. */
  onGap(reconcile: () => Promise<void>): void;
  /** Resolves when what other nodes announced before the call has arrived, as far as it is on its way at all. */
  newsArrived(): Promise<void>;
  /**
   * Listens. A table that is loaded after this resolved misses nothing; when PostgreSQL is away, it resolves all the same
   * and gaps are told when it is back.
   */
  start(): Promise<void>;
  /** Sends what is pending and hangs up. */
  stop(): Promise<void>;
}

const CHANNEL = 'breakwater_changes';
/** Announcements of this long travel together: NOTIFY serialises commits, so it must not be sent per write. */
const COALESCE_MS = 100;
/** How soon announcements that could not be sent are sent again. */
const RESEND_MS = 500;
/** A commit's announcement is on every node after this time, with room for a busy event loop. */
const NEWS_MS = 5 * COALESCE_MS;
/** PostgreSQL takes payloads below 8000 bytes. */
const MAX_PAYLOAD = 7_900;
/** How often the connection is asked whether it still lives: one that only listens would never notice that it does not. */
const HEARTBEAT_MS = 1_000;
/** Waits before the first, second, … attempt to listen again. */
const RETRY_MS = [100, 500, 1_000, 5_000] as const;

interface Message {
  readonly node: string;
  readonly table: string;
  readonly keys: readonly string[];
}

export const createNotifier = (options: {
  database: Database;
  nodeId: string;
  clock: Clock;
  onError: (error: unknown) => void;
}): Notifier => {
  const { database, nodeId, clock, onError } = options;
  const pending = new Map<string, Set<string>>();
  const listeners = new Map<string, Changed[]>();
  const gaps: (() => Promise<void>)[] = [];
  let timer: Timer | undefined;
  let retry: Timer | undefined;
  let heartbeat: Timer | undefined;
  let connection: Connection | undefined;
  /** The nodes that were there at the last heartbeat, this one among them. */
  let peers: ReadonlySet<string> = new Set();
  let attempt = 0;
  let stopped = false;

  const safely = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
  };

  /** Sends what is pending, over the pool: the connection that listens may be away. What fails is sent again later. */
  const send = async (): Promise<void> => {
    timer = undefined;
    const batches = [...pending];
    pending.clear();
    try {
      for (const [table, keys] of batches) {
        for (const payload of payloads(nodeId, table, [...keys])) await database.query(notification(payload));
      }
    } catch {
      // Sent twice does no harm, and which of them were sent is not known.
      for (const [table, keys] of batches) for (const key of keys) keep(table, key);
      if (!stopped) timer ??= clock.after(RESEND_MS, () => void send());
    }
  };

  const keep = (table: string, key: string): void => {
    let keys = pending.get(table);
    if (keys === undefined) pending.set(table, (keys = new Set()));
    keys.add(key);
  };

  const receive = (payload: string): void => {
    const message = parseMessage(payload);
    if (message === undefined || message.node === nodeId) return;
    for (const changed of listeners.get(message.table) ?? []) void safely(() => changed(message.keys));
  };

  /** When it fails, the connection has ended, and that is heard elsewhere; when it hangs, the connection is ended for it. */
  const beat = (open: Connection): void => {
    heartbeat = clock.after(HEARTBEAT_MS, () => {
      const alive = async (rows: { node: string }[]) => {
        const nodes = new Set(rows.map(({ node }) => node));
        const isMissed = [...peers].some((peer) => !nodes.has(peer));
        peers = nodes;
        if (isMissed) await lookAtAll();
        if (connection === open && !stopped) beat(open);
      };
      void open.query<{ node: string }>(PEERS).then(alive, () => undefined);
    });
  };
  const lookAtAll = async (): Promise<void> => {
    for (const reconcile of gaps) await safely(reconcile);
  };

  const listenLater = (): void => {
    if (stopped) return;
    retry = clock.after(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0, () => void listen(true));
    attempt += 1;
  };

  const listen = async (afterGap: boolean): Promise<void> => {
    let open: Connection;
    try {
      open = await database.connect();
    } catch {
      listenLater();
      return;
    }
    open.onNotification((_, payload) => receive(payload));
    // The one place that hears of the end, so that a LISTEN that fails with its connection is not tried twice.
    open.onClosed(() => {
      if (connection === open) connection = undefined;
      listenLater();
    });
    try {
      await open.query({ text: `LISTEN ${CHANNEL}` });
    } catch {
      await open.close().catch(() => undefined);
      return;
    }
    if (stopped) {
      await open.close().catch(() => undefined);
      return;
    }
    connection = open;
    attempt = 0;
    beat(open);
    if (afterGap) await lookAtAll();
  };

  return {
    announce(table, key) {
      keep(table, key);
      timer ??= clock.after(COALESCE_MS, () => void send());
    },
    onChange(table, changed) {
      listeners.set(table, [...(listeners.get(table) ?? []), changed]);
    },
    onGap: (reconcile) => void gaps.push(reconcile),
    newsArrived: () => new Promise((resolve) => void clock.after(NEWS_MS, resolve)),
    start: () => listen(false),
    async stop() {
      stopped = true;
      timer?.cancel();
      retry?.cancel();
      heartbeat?.cancel();
      await send();
      await connection?.close().catch(() => undefined);
    },
  };
};

/** The nodes that use this database, by the names of their connections; also asks whether this connection lives. */
const PEERS: Statement = {
  name: 'notify.peers',
  text: `SELECT DISTINCT application_name AS node FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'breakwater %'`,
};

const notification = (payload: string): Statement => ({
  name: 'notify',
  text: 'SELECT pg_notify($1, $2)',
  values: [CHANNEL, payload],
});

/** No node has this id, so that every node hears what comes from outside of them all. */
const OUTSIDE = 'command';

/**
 * What tells every node of changes that none of them makes, as of a command's. Run in the transaction of the change, so
 * that nodes hear of it when it is committed, and only then.
 */
export const announcements = (table: string, keys: readonly string[]): Statement[] =>
  payloads(OUTSIDE, table, keys).map(notification);

/** What another node sent; undefined for anything else that somebody put on the channel. */
const parseMessage = (payload: string): Message | undefined => {
  try {
    const { node, table, keys } = JSON.parse(payload) as Partial<Message>;
    if (typeof node !== 'string' || typeof table !== 'string' || !Array.isArray(keys)) return undefined;
    return { node, table, keys: keys.filter((key) => typeof key === 'string') };
  } catch {
    return undefined;
  }
};

/** Messages that together name all keys, each short enough for one NOTIFY. */
const payloads = (node: string, table: string, keys: readonly string[]): string[] => {
  const result: string[] = [];
  let batch: string[] = [];
  let size = 0;
  const room = MAX_PAYLOAD - JSON.stringify({ node, table, keys: [] }).length;
  const close = () => {
    if (batch.length > 0) result.push(JSON.stringify({ node, table, keys: batch } satisfies Message));
    batch = [];
    size = 0;
  };
  for (const key of keys) {
    const bytes = Buffer.byteLength(JSON.stringify(key)) + 1;
    if (size + bytes > room) close();
    batch.push(key);
    size += bytes;
  }
  close();
  return result;
};
