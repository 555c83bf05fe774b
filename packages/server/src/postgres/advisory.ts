import type { TryLock } from '../runtime/index.ts';
import type { Connection, Database } from './database.ts';

const NAMESPACE = 7_204_118;

/**
 * Cluster-wide locks by name, held on one connection of their own: PostgreSQL gives them free when that connection ends,
 * so a dead node never keeps a job (BW-runtime.08). A name that this process holds counts as held until it is released
 * here, also when its connection was lost meanwhile; another node may then get it, so a singleton job must bear a
 * second run beside a dying one.
 */
export const createTryLock = (database: Database): { tryLock: TryLock; close(): Promise<void> } => {
  let connection: Promise<Connection> | undefined;
  const held = new Set<string>();

  const connected = (): Promise<Connection> => {
    if (connection !== undefined) return connection;
    const opening = database.connect();
    const forget = () => {
      if (connection === opening) connection = undefined;
    };
    opening.then((open) => open.onClosed(forget), forget);
    connection = opening;
    return opening;
  };

  const take = async (name: string): Promise<Connection | undefined> => {
    const open = await connected();
    const rows = await open.query<{ locked: boolean }>({
      name: 'advisory.try',
      text: 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS locked',
      values: [NAMESPACE, name],
    });
    return rows[0]?.locked === true ? open : undefined;
  };

  const give = async (open: Connection, name: string): Promise<void> => {
    const statement = {
      name: 'advisory.unlock',
      text: 'SELECT pg_advisory_unlock($1, hashtext($2))',
      values: [NAMESPACE, name],
    };
    // On a lost connection the lock went with it.
    await open.query(statement).catch(() => undefined);
  };

  const tryLock: TryLock = async (name) => {
    // PostgreSQL would grant a session the same lock twice.
    if (held.has(name)) return undefined;
    held.add(name);
    let open: Connection | undefined;
    try {
      open = await take(name);
    } finally {
      if (open === undefined) held.delete(name);
    }
    if (open === undefined) return undefined;
    const holder = open;
    return async () => {
      await give(holder, name);
      held.delete(name);
    };
  };

  return {
    tryLock,
    close: async () => {
      const open = await connection?.catch(() => undefined);
      await open?.close().catch(() => undefined);
    },
  };
};
