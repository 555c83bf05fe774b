/** One SQL statement: named when it is hot, so that PostgreSQL plans it once per connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
}

/** Something that runs statements: the pool, or one transaction. Rows come back typed by the caller's promise. */
export interface Queryable {
  query<R>(statement: Statement): Promise<R[]>;
}

/** A connection of its own, outside the pool; closed by its user. */
export interface Connection extends Queryable {
  close(): Promise<void>;
  /** Hears LISTEN notifications of this connection. */
  onNotification(listener: (channel: string, payload: string) => void): void;
  /** Hears the end of this connection, wanted or not. */
  onClosed(listener: () => void): void;
}

/** PostgreSQL, as the features see it. */
export interface Database extends Queryable {
  /**
   * Runs `work` in one READ COMMITTED transaction; rolled back and rethrown when it throws. `work` must not use the pool: as
   * many transactions as it has connections would each wait for one more, for ever. Work that cannot do without says
   * `one at a time`, and its caller sees to it that no two of its kind run at once; tests hold all others to the rule.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, usesPool?: 'one at a time'): Promise<T>;
  /** Opens a connection of its own, for the group-commit lane, LISTEN, or a session lock. */
  connect(): Promise<Connection>;
  close(): Promise<void>;
}
