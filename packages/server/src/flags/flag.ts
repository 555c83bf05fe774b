import { refuse, type Refusal } from '@breakwater/contract';

/** A switch that an operator can turn while the server runs. */
interface FlagSpec {
  readonly values: readonly string[];
  /** In force until somebody sets another one. */
  readonly default: string;
  readonly description: string;
}

const MODES = ['off', 'observe', 'enforce'] as const;

/** Every flag there is. A flag that is not here cannot be set, and the environment cannot name it. */
export const FLAGS = {
  identity_strict_mode: {
    values: MODES,
    default: 'observe',
    description: 'What happens to a call whose identity was inferred and not proven: nothing, a record, or a refusal',
  },
  ipua_pin_check_mode: {
    values: MODES,
    default: 'observe',
    description: 'What happens when an agent resumes from an address and client it was not pinned to',
  },
} as const satisfies Readonly<Record<string, FlagSpec>>;

export type FlagKey = keyof typeof FLAGS;
export const FLAG_KEYS = Object.keys(FLAGS) as FlagKey[];
export const isFlagKey = (key: string): key is FlagKey => Object.hasOwn(FLAGS, key);

/** Which of the three places a value in force comes from; the first that has a legal one wins. */
type FlagOrigin = 'environment' | 'postgres' | 'default';

export interface EffectiveFlag {
  readonly key: FlagKey;
  readonly value: string;
  readonly origin: FlagOrigin;
}

/** A flag's row: its value as stored, who set it and why (null: the migration did). */
export interface StoredFlag {
  readonly value: unknown;
  readonly by: string;
  readonly reason: string | null;
}

/** Whether a value is one of the flag's. */
export const isLegal = (key: FlagKey, value: unknown): boolean => FLAGS[key].values.some((legal) => legal === value);

/** Environment over PostgreSQL over default (BW-flags.01). An illegal stored value is passed over, never obeyed. */
export const effective = (
  key: FlagKey,
  environment: string | undefined,
  stored: StoredFlag | undefined,
): EffectiveFlag => {
  if (environment !== undefined) return { key, value: environment, origin: 'environment' };
  const legal = FLAGS[key].values.find((value) => value === stored?.value);
  if (legal !== undefined) return { key, value: legal, origin: 'postgres' };
  return { key, value: FLAGS[key].default, origin: 'default' };
};

const PREFIX = 'BREAKWATER_FLAG_';

/**
 * The flags that the environment sets, or one sentence on what is wrong with it: a misspelt flag or value must not pass
 * for a set one.
 */
export const flagsOfEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
): { readonly values: ReadonlyMap<FlagKey, string> } | { readonly problem: string } => {
  const values = new Map<FlagKey, string>();
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined || value === '') continue;
    const key = name.slice(PREFIX.length).toLowerCase();
    if (!isFlagKey(key)) return { problem: `${name} names no flag; the flags are ${FLAG_KEYS.join(', ')}` };
    if (!isLegal(key, value)) {
      return { problem: `${name}="${value}" is not legal; the values are ${FLAGS[key].values.join(', ')}` };
    }
    values.set(key, value);
  }
  return { values };
};

const MAX_REASON = 500;
const isSaid = (text: string): boolean => text.trim() !== '' && text.length <= MAX_REASON;

/** Why a flag may not be set like this, or undefined when it may. */
export const refusalOfSet = (key: string, value: unknown, who: string, why: string): Refusal | undefined => {
  const wrong = (field: string, rule: string, details: Readonly<Record<string, unknown>> = {}) =>
    refuse('PARAMETER_ERROR', `${field} ${rule}.`, { details: { field, ...details } }).refusal;
  if (!isFlagKey(key)) return wrong('key', `must be one of ${FLAG_KEYS.join(', ')}`, { legal: FLAG_KEYS });
  if (!isLegal(key, value)) {
    const legal = FLAGS[key].values;
    return wrong('value', `of ${key} must be one of ${legal.join(', ')}`, { legal });
  }
  if (!isSaid(who)) return wrong('who', `must say who sets the flag, in 1 to ${MAX_REASON} characters`);
  if (!isSaid(why)) return wrong('why', `must say why the flag is set, in 1 to ${MAX_REASON} characters`);
  return undefined;
};
