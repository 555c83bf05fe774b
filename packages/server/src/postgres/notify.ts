import type { Clock, Timer } from '../runtime/index.ts';
import type { Connection, Database, Statement } from './database.ts';

type Changed = (keys: readonly string[]) => Promise<void> | void;

/**
 * Tells other nodes which keys changed, and hears of theirs. Only an optimisation: PostgreSQL is the truth and slow
 * reconciliation the bound, so an announcement that cannot be sent is dropped.
 */
export interface Notifier {
  /** Announces that a committed change of this key exists. Never waits, never throws. */
  announce(table: string, key: string): void;
  /** Hears keys that another node changed. */
  onChange(table: string, changed: Changed): void;
  /** Hears that announcements may have been missed: the connection was away and is back. */
  onGap(reconcile: () => Promise<void>): void;
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
  let attempt = 0;
  let stopped = false;

  const safely = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      onError(error);
    }
  };

  const send = async (): Promise<void> => {
    timer = undefined;
    const batches = [...pending];
    pending.clear();
    for (const [table, keys] of batches) {
      for (const payload of payloads(nodeId, table, [...keys])) {
        await connection?.query(notification(payload)).catch(() => undefined);
      }
    }
  };

  const receive = (payload: string): void => {
    const message = parseMessage(payload);
    if (message === undefined || message.node === nodeId) return;
    for (const changed of listeners.get(message.table) ?? []) void safely(() => changed(message.keys));
  };

  /** When it fails, the connection has ended, and that is heard elsewhere; when it hangs, the connection is ended for it. */
  const beat = (open: Connection): void => {
    heartbeat = clock.after(HEARTBEAT_MS, () => {
      const alive = () => {
        if (connection === open && !stopped) beat(open);
      };
      open.query({ name: 'notify.heartbeat', text: 'SELECT 1' }).then(alive, () => undefined);
    });
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
    if (afterGap) for (const reconcile of gaps) await safely(reconcile);
  };

  return {
    announce(table, key) {
      let keys = pending.get(table);
      if (keys === undefined) pending.set(table, (keys = new Set()));
      keys.add(key);
      timer ??= clock.after(COALESCE_MS, () => void send());
    },
    onChange(table, changed) {
      listeners.set(table, [...(listeners.get(table) ?? []), changed]);
    },
    onGap: (reconcile) => void gaps.push(reconcile),
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
