import { isDeepStrictEqual } from 'node:util';
import { ok, type Result } from '@breakwater/contract';
import { StartupError, type Database, type Notifier } from '../postgres/index.ts';
import {
  COLD,
  createWriteThrough,
  type Divergence,
  type LiveTable,
  type Reading,
  type Store,
} from '../runtime/index.ts';
import {
  effective,
  FLAG_KEYS,
  FLAGS,
  flagsOfEnvironment,
  isFlagKey,
  isLegal,
  refusalOfKey,
  refusalOfSet,
  type EffectiveFlag,
  type FlagChange,
  type FlagKey,
  type StoredFlag,
} from './flag.ts';
import * as sql from './sql.ts';

const TABLE = 'feature_flags';

/** A flag as an operator sees it. */
export interface FlagView extends EffectiveFlag {
  readonly default: string;
  readonly values: readonly string[];
  readonly description: string;
  /** Its row; null when it has none. */
  readonly stored: StoredFlag | null;
  /** Present when the stored value is none of `values` and therefore passed over. */
  readonly illegal?: true;
}

export interface Flags {
  readonly table: LiveTable<StoredFlag>;
  /** Loads every flag with one query. */
  load(): Promise<void>;
  /** The value in force and where it comes from; for calls behind the readiness gate. */
  get(key: FlagKey): EffectiveFlag;
  /** The same for a reader that may come before the flags are loaded, or with a key that no flag has: then cold. */
  read(key: string): Reading<EffectiveFlag>;
  /**
   * Sets a flag in PostgreSQL together with the record of who and why; readable once durable, one write of a flag at a
   * time (W3-10.10). Answers the value then in force, which the environment may still override. Refusal:
   * PARAMETER_ERROR. Throws when PostgreSQL does not take it.
   */
  set(key: string, value: unknown, who: string, why: string): Promise<Result<EffectiveFlag>>;
  all(): FlagView[];
  /** One of them. Refusal: PARAMETER_ERROR for a name that no flag has. */
  view(key: string): Result<FlagView>;
  /** The newest `limit` changes of a flag, or of all, newest first. Refusal: PARAMETER_ERROR for a name that no flag has. */
  history(key: string | undefined, limit: number): Promise<Result<FlagChange[]>>;
  /** Takes PostgreSQL's values, for what must not be a moment behind another node. */
  refresh(): Promise<void>;
  /** Compares with PostgreSQL, which wins; gives the number of differences. */
  reconcile(): Promise<number>;
}

/**
 * Feature flags in memory over core.feature_flags (RFC section 10). `BREAKWATER_FLAG_<KEY>` overrides a flag for this
 * node. Throws a StartupError when the environment names an unknown flag or an illegal value.
 */
export const createFlags = (options: {
  database: Database;
  env: Readonly<Record<string, string | undefined>>;
  notifier?: Notifier;
  onDivergence: (store: string, divergence: Divergence<StoredFlag>) => void;
}): Flags => {
  const { database, notifier } = options;
  const environment = flagsOfEnvironment(options.env);
  if ('problem' in environment) throw new StartupError(environment.problem, 'Correct the variable or remove it.');
  const overrides = environment.values;

  const through = createWriteThrough<StoredFlag>({
    name: TABLE,
    store: createStore(database),
    equal: isDeepStrictEqual,
    onDivergence: (divergence) => options.onDivergence(TABLE, divergence),
    newsArrived: async () => notifier?.newsArrived(),
  });
  notifier?.onChange(TABLE, async (keys) => {
    await Promise.all(keys.map((key) => through.refresh(key)));
  });
  notifier?.onGap(() => through.catchUp());

  let loaded = false;
  const storedOf = (key: FlagKey): StoredFlag | undefined => {
    const reading = through.table.read(key);
    return reading.ok ? reading.value : undefined;
  };
  const get = (key: FlagKey) => effective(key, overrides.get(key), storedOf(key));

  const viewOf = (key: FlagKey): FlagView => {
    const stored = storedOf(key) ?? null;
    const illegal = stored !== null && !isLegal(key, stored.value);
    return { ...get(key), ...FLAGS[key], stored, ...(illegal && { illegal }) };
  };

  return {
    table: through.table,
    async load() {
      await through.load();
      loaded = true;
    },
    get,
    read: (key) => (isFlagKey(key) && (loaded || overrides.has(key)) ? { ok: true, value: get(key) } : COLD),
    async set(key, value, who, why) {
      const refusal = refusalOfSet(key, value, who, why);
      if (refusal !== undefined) return { ok: false, refusal };
      await through.write(key, { value, by: who, reason: why });
      notifier?.announce(TABLE, key);
      return ok(get(key as FlagKey));
    },
    all: () => FLAG_KEYS.map(viewOf),
    view(key) {
      const refusal = refusalOfKey(key);
      return refusal === undefined ? ok(viewOf(key as FlagKey)) : { ok: false, refusal };
    },
    async history(key, limit) {
      const refusal = key === undefined ? undefined : refusalOfKey(key);
      if (refusal !== undefined) return { ok: false, refusal };
      return ok(await database.query<FlagChange>(sql.selectHistory(key ?? null, limit)));
    },
    // Key by key: a look at all leaves out what is being refreshed, and that may have asked before the other node's commit.
    refresh: async () => void (await Promise.all(FLAG_KEYS.map((key) => through.refresh(key)))),
    reconcile: () => through.reconcile(),
  };
};

const createStore = (database: Database): Store<StoredFlag> => {
  const loadAll = async () =>
    new Map((await database.query<sql.FlagRow>(sql.selectFlags())).map((row) => [row.key, sql.flagFromRow(row)]));
  let next: ReturnType<typeof loadAll> | undefined;
  /** One question for all that ask before it is put: a write that has to know the flags asks for each of them. */
  const loadNext = (): ReturnType<typeof loadAll> =>
    (next ??= new Promise((resolve) => setImmediate(resolve)).then(() => {
      next = undefined;
      return loadAll();
    }));
  return {
    loadAll,
    loadOne: async (key) => (await loadNext()).get(key),
    save: (key, flag) =>
      database.transaction(async (tx) => {
        const old = (await tx.query<{ value: unknown }>(sql.lockFlag(key)))[0];
        await tx.query(sql.upsertFlag(key, flag));
        await tx.query(sql.insertHistory(key, old?.value, flag));
      }),
  };
};
