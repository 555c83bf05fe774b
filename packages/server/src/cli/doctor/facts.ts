/** Why something cannot be used, in one sentence, and what to do about it in another. */
export interface Problem {
  readonly message: string;
  readonly wayOut: string;
}

/** The data directory of an embedded PostgreSQL. */
export interface DataDirFacts {
  /** As it was asked for. */
  readonly asked: string;
  /** Where the data lie; undefined when there are none yet. */
  readonly home: string | undefined;
  /** Whether this user may write there, or make the directory when it does not exist yet. */
  readonly isWritable: boolean;
  /** User ids; undefined where the system has none, or there are no data yet. */
  readonly owner: number | undefined;
  readonly user: number | undefined;
}

/** Bytes of a file system. */
export interface DiskFacts {
  readonly path: string;
  readonly free: number;
  readonly total: number;
}

/** An audit table and what it covers. */
export interface TableFacts {
  readonly table: string;
  /** Whether each of this month and the next has a partition. */
  readonly thisMonth: boolean;
  readonly nextMonth: boolean;
  readonly overdue: readonly string[];
}

/** A PostgreSQL that answered. What is undefined could not be looked at before the schema is there. */
export interface DatabaseFacts {
  /** For a person; never the URL, which may hold a password. */
  readonly name: string;
  /** As `server_version_num`: 150004 is 15.4. */
  readonly version: number;
  readonly migrations:
    Problem | { readonly current: number; readonly target: number; readonly pending: readonly string[] };
  /** Tables that are missing or strange as a whole are named apart from the lines of `db drift`. */
  readonly drift:
    | {
        readonly lines: readonly string[];
        readonly missingTables: readonly string[];
        readonly strayTables: readonly string[];
      }
    | undefined;
  readonly tables: readonly TableFacts[] | undefined;
  readonly deadLetters: number | undefined;
  /** Effects of resolutions that wait to be carried out, and since when the oldest does; ms since the epoch, UTC. */
  readonly outbox: { readonly waiting: number; readonly oldest: number | null } | undefined;
  /** Failures and measurements of the last day that could not be stored. */
  readonly dropped: number | undefined;
  /** Its clock less ours in ms, and how far off that may be. */
  readonly skew: { readonly ms: number; readonly uncertainty: number };
}

/** What answers where the server should be. */
export interface ServerFacts {
  readonly url: string;
  /** Somebody named this server: then it must be there. */
  readonly isAsked: boolean;
  /** Process that holds the data directory as a server; undefined when none does. */
  readonly holder: number | undefined;
  readonly found:
    | { readonly kind: 'nothing'; readonly reason: string }
    | { readonly kind: 'stranger'; readonly what: string }
    | {
        readonly kind: 'server';
        readonly version: string | null;
        readonly ready: boolean;
        readonly notReady: readonly string[];
        /** ms since the epoch, UTC; null: not known. */
        readonly since: number | null;
      };
}

/** Everything that the rules of the doctor look at; gathered by `gather.ts`. */
export interface Facts {
  /** ms since the epoch, UTC. */
  readonly now: number;
  readonly version: string;
  readonly node: string;
  /** Problems of the environment and the flags, each in a line; with any of them nothing else is known. */
  readonly configuration: readonly string[];
  /** The flags that name the same place to another command, with a space before; empty when none are needed. */
  readonly place: string;
  /** Undefined with a database of the operator's own, and for a server on another machine. */
  readonly dataDir: DataDirFacts | undefined;
  readonly disk: DiskFacts | undefined;
  /** `elsewhere`: a server on another machine has it; `none`: it is made by the first start. */
  readonly database: DatabaseFacts | { readonly unreachable: Problem } | 'none' | 'elsewhere' | undefined;
  readonly server: ServerFacts | undefined;
  /** Where the built console should be, and whether it is; undefined when the server is elsewhere. */
  readonly console: { readonly folder: string; readonly isBuilt: boolean } | undefined;
}
