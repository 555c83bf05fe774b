import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../src/postgres/index.ts';

/** Whatever waits for the pool while it holds a connection of it: with as many as the pool has, all of them wait for ever. */
export class PoolInTransaction extends Error {
  constructor(text: string) {
    super(`the pool was used inside a transaction on it: ${text.slice(0, 200)}`);
    this.name = 'PoolInTransaction';
  }
}

/** A pool that throws when a transaction on it, or what that calls, goes past its own connection to the pool. */
export const guardedPool = (pool: Database): Database => {
  const inside = new AsyncLocalStorage<{ open: boolean }>();
  // What a transaction has set going, and does not wait for, may use the pool once the transaction is over.
  const check = (text: string): void => {
    if (inside.getStore()?.open === true) throw new PoolInTransaction(text);
  };
  return {
    ...pool,
    async query(statement) {
      check(statement.text);
      return pool.query(statement);
    },
    async transaction(work, usesPool) {
      check('BEGIN');
      if (usesPool !== undefined) return pool.transaction(work, usesPool);
      return pool.transaction((tx) => {
        const state = { open: true };
        return inside.run(state, () => work(tx)).finally(() => (state.open = false));
      });
    },
  };
};
