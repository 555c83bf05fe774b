import type { Clock, Timer } from '../runtime/index.ts';
import type { Connection, Database } from './database.ts';

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
  start(): Promise<void>;
  stop(): Promise<void>;
}

const CHANNEL = 'breakwater_changes';
/** Announcements of this long travel together: NOTIFY serialises commits, so it must not be sent per write. */
const COALESCE_MS = 100;
/** PostgreSQL takes payloads below 8000 bytes. */
const MAX_PAYLOAD = 7_900;
const RETRY_MS = 1_000;

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
  let connection: Connection | undefined;
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
        await connection
          ?.query({ name: 'notify', text: 'SELECT pg_notify($1, $2)', values: [CHANNEL, payload] })
          .catch(() => undefined);
      }
    }
  };

  const receive = (payload: string): void => {
    const message = JSON.parse(payload) as Message;
    if (message.node === nodeId) return;
    for (const changed of listeners.get(message.table) ?? []) void safely(() => changed(message.keys));
  };

  const listen = async (afterGap: boolean): Promise<void> => {
    try {
      const open = await database.connect();
      open.onNotification((_, payload) => receive(payload));
      open.onClosed(() => {
        connection = undefined;
        if (!stopped) retry = clock.after(RETRY_MS, () => void listen(true));
      });
      await open.query({ text: `LISTEN ${CHANNEL}` });
      connection = open;
      if (afterGap) for (const reconcile of gaps) await safely(reconcile);
    } catch {
      if (!stopped) retry = clock.after(RETRY_MS, () => void listen(true));
    }
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
      await send();
      await connection?.close().catch(() => undefined);
    },
  };
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
