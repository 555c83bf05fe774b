import type { TryLock } from '../runtime/index.ts';
import type { Connection, Database } from './database.ts';

const NAMESPACE = 7_204_118;

/**
 * Cluster-wide locks by name, held on one connection of their own: PostgreSQL gives them free when that connection ends,
 * so a dead node never keeps a job (BW-runtime.08). A name that this process holds already counts as held.
 */
export const createTryLock = (database: Database): { tryLock: TryLock; close(): Promise<void> } => {
  let connection: Promise<Connection> | undefined;
  const held = new Set<string>();

  const connected = (): Promise<Connection> => {
    connection ??= database.connect().then(
      (open) => {
        open.onClosed(() => {
          connection = undefined;
          held.clear();
        });
        return open;
      },
      (error: unknown) => {
        connection = undefined;
        throw error;
      },
    );
    return connection;
  };

  const tryLock: TryLock = async (name) => {
    if (held.has(name)) return undefined;
    held.add(name);
    try {
      const open = await connected();
      const rows = await open.query<{ locked: boolean }>({
        name: 'advisory.try',
        text: 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS locked',
        values: [NAMESPACE, name],
      });
      if (rows[0]?.locked !== true) {
        held.delete(name);
        return undefined;
      }
      return async () => {
        held.delete(name);
        // On a lost connection the lock went with it.
        await open
          .query({
            name: 'advisory.unlock',
            text: 'SELECT pg_advisory_unlock($1, hashtext($2))',
            values: [NAMESPACE, name],
          })
          .catch(() => undefined);
      };
    } catch (error) {
      held.delete(name);
      throw error;
    }
  };

  return {
    tryLock,
    close: async () => {
      const open = await connection?.catch(() => undefined);
      await open?.close().catch(() => undefined);
    },
  };
};
