import { accept, refuse, type Outcome } from '@breakwater/contract';
import type { Database, Notifier } from '../postgres/index.ts';
import { createWriteThrough, type Divergence, type LiveTable, type Reading } from '../runtime/index.ts';
import { flagOf, FLAGS, problemWith, type FlagDefinition } from './registry.ts';
import * as sql from './sql.ts';

const TABLE = 'feature_flags';

/** A flag as it is in force, and where that comes from (BW-flags.01). */
export interface EffectiveFlag {
  readonly key: string;
  readonly value: string;
  readonly origin: 'environment' | 'postgres' | 'default';
}

/** A flag on its way to PostgreSQL, with who set it and why. Who and why are not part of what is read. */
interface StoredFlag {
  readonly value: unknown;
  readonly by?: { readonly who: string; readonly why: string };
}

export interface Flags {
  readonly table: LiveTable<StoredFlag>;
  load(): Promise<void>;
  /** The flag in force: environment over PostgreSQL over the code's default. Undefined: no such flag. */
  get(key: string): EffectiveFlag | undefined;
  /** The same from the live table alone, with the `cold` contract, for readers that bypass dispatch (W3-10.11). */
  read(key: string): Reading<EffectiveFlag>;
  all(): readonly (EffectiveFlag & Pick<FlagDefinition, 'values' | 'default' | 'description'>)[];
  /** Sets a flag: serialised, durable before visible, written down with who and why (W3-10.10). */
  set(key: string, value: unknown, who: string, why: string): Promise<Outcome<EffectiveFlag>>;
  reconcile(): Promise<number>;
}

/** The environment's name of a flag. */
const variableOf = (key: string): string => `BREAKWATER_FLAG_${key.toUpperCase()}`;

/** Throws when the environment sets a flag to something that it cannot be: at start, before anybody relies on it. */
const fromEnvironment = (env: Readonly<Record<string, string | undefined>>): Map<string, string> => {
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || !name.startsWith('BREAKWATER_FLAG_')) continue;
    const flag = FLAGS.find(({ key }) => variableOf(key) === name);
    const problem =
      flag === undefined
        ? `${name} names no flag; there are ${FLAGS.map(({ key }) => variableOf(key)).join(', ')}`
        : problemWith(flag, value);
    if (problem !== undefined) throw new Error(problem);
    if (flag !== undefined) values.set(flag.key, value);
  }
  return values;
};

/** Feature flags in memory over core.feature_flags (RFC section 10). */
export const createFlags = (options: {
  database: Database;
  env: Readonly<Record<string, string | undefined>>;
  notifier: Notifier;
  onDivergence: (store: string, divergence: Divergence<StoredFlag>) => void;
}): Flags => {
  const { database, notifier } = options;
  const overrides = fromEnvironment(options.env);
  const flags = createWriteThrough<StoredFlag>({
    name: TABLE,
    store: {
      loadAll: async () =>
        new Map((await database.query<sql.FlagRow>(sql.selectAll())).map(({ key, value }) => [key, { value }])),
      loadOne: async (key) => {
        const row = (await database.query<sql.FlagRow>(sql.selectOne(key)))[0];
        return row && { value: row.value };
      },
      save: async (key, { value, by }) => {
        await database.query(sql.setFlag(key, value, by?.who ?? 'unknown', by?.why ?? ''));
      },
    },
    equal: (a, b) => JSON.stringify(a.value) === JSON.stringify(b.value),
    onDivergence: (divergence) => options.onDivergence(TABLE, divergence),
  });
  notifier.onChange(TABLE, async (keys) => void (await Promise.all(keys.map((key) => flags.refresh(key)))));
  notifier.onGap(async () => void (await flags.reconcile()));

  const effective = (flag: FlagDefinition): EffectiveFlag => {
    const { key } = flag;
    const override = overrides.get(key);
    if (override !== undefined) return { key, value: override, origin: 'environment' };
    const stored = flags.table.read(key);
    // A stored value that this code does not know (an older or newer release wrote it) is not acted on.
    if (stored.ok && problemWith(flag, stored.value.value) === undefined) {
      return { key, value: stored.value.value as string, origin: 'postgres' };
    }
    return { key, value: flag.default, origin: 'default' };
  };

  return {
    table: flags.table,
    load: () => flags.load(),
    reconcile: () => flags.reconcile(),
    get(key) {
      const flag = flagOf(key);
      return flag && effective(flag);
    },
    read(key) {
      const flag = flagOf(key);
      const stored = flags.table.read(key);
      if (flag === undefined || (!stored.ok && !overrides.has(key))) return stored.ok ? COLD_FLAG : stored;
      return { ok: true, value: effective(flag) };
    },
    all: () =>
      FLAGS.map((flag) => ({
        ...effective(flag),
        values: flag.values,
        default: flag.default,
        description: flag.description,
      })),
    async set(key, value, who, why) {
      const flag = flagOf(key);
      const problem =
        flag === undefined
          ? `No flag is called ${key}; there are ${FLAGS.map((known) => known.key).join(', ')}`
          : problemWith(flag, value);
      if (flag === undefined || problem !== undefined) {
        return refuse('PARAMETER_ERROR', `${problem}.`, {
          details: { parameter: flag === undefined ? 'key' : 'value' },
        });
      }
      if (why.trim() === '') {
        return refuse('PARAMETER_ERROR', 'reason must say why the flag is set.', { details: { parameter: 'reason' } });
      }
      await flags.write(key, { value, by: { who, why } });
      notifier.announce(TABLE, key);
      return accept(effective(flag));
    },
  };
};

const COLD_FLAG = { ok: false, cold: true } as const;
