import { refusal, type Refusal } from '@breakwater/contract';
import { nearest } from '../runtime/index.ts';

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
    description:
      'What happens to a write whose identity was inferred, and to an onboard that brings no proof and does not ask for ' +
      'a new identity: nothing, a record, or a refusal',
  },
  ipua_pin_check_mode: {
    values: MODES,
    default: 'enforce',
    description:
      'Whether an onboard without proof may resume the identity last onboarded from the same address and program: off ' +
      'resumes it, observe resumes and reports it, enforce never resumes and reports it',
  },
  claims_review: {
    values: ['operator', 'peer'],
    default: 'operator',
    description:
      'Who lifts a pause of the claims detector when the paused agent and its reviewer have agreed: an operator who confirms ' +
      'the agreement, or the agreement by itself',
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

/** Words for modes that the reference and its RFC use, and ours for them (spec identity H). */
export const REFERENCE_WORDS: Readonly<Record<string, string>> = {
  false: 'observe',
  log: 'observe',
  true: 'enforce',
  strict: 'enforce',
  enforced: 'enforce',
};

/** The flag's value that a person means by a word: the word itself, or ours for the reference's. May be illegal still. */
export const valueOfWord = (key: string, word: string): string => {
  if (!isFlagKey(key) || isLegal(key, word)) return word;
  return (Object.hasOwn(REFERENCE_WORDS, word) ? REFERENCE_WORDS[word] : undefined) ?? word;
};

const PREFIX = 'BREAKWATER_FLAG_';

/**
 * The flags that the environment sets, or what is wrong with it, each problem on a line of its own: a misspelt flag or
 * value must not pass for a set one.
 */
export const flagsOfEnvironment = (
  env: Readonly<Record<string, string | undefined>>,
): { readonly values: ReadonlyMap<FlagKey, string> } | { readonly problem: string } => {
  const values = new Map<FlagKey, string>();
  const problems: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined || value === '') continue;
    const key = name.slice(PREFIX.length).toLowerCase();
    if (!isFlagKey(key)) {
      const [guess] = nearest(key, FLAG_KEYS, 1);
      const hint = guess === undefined ? '' : `did you mean ${PREFIX}${guess.toUpperCase()}? `;
      problems.push(`${name} names no flag; ${hint}the flags are ${FLAG_KEYS.join(', ')}`);
    } else if (!isLegal(key, value)) {
      problems.push(`${name}="${value}" is not legal; the values are ${FLAGS[key].values.join(', ')}`);
    } else values.set(key, value);
  }
  return problems.length > 0 ? { problem: problems.join('\n') } : { values };
};

const MAX_REASON = 500;
const isSaid = (text: string): boolean => text.trim() !== '' && text.length <= MAX_REASON;

/** One change of a flag, as its history has it. Values as stored; `from` is null when the flag had none. */
export interface FlagChange {
  readonly key: string;
  readonly from: unknown;
  readonly to: unknown;
  /** ms since the epoch, UTC. */
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

const wrong = (field: string, rule: string, details: Readonly<Record<string, unknown>> = {}): Refusal =>
  refusal('PARAMETER_ERROR', `${field} ${rule}${rule.endsWith('?') ? '' : '.'}`, {
    details: { field, ...details },
    recovery: { action: '"breakwater flags list" shows the flags, their legal values and what they mean.' },
  });

const guessed = (key: string): string => {
  const [guess] = nearest(key, FLAG_KEYS, 1);
  return guess === undefined ? '' : `; did you mean ${guess}?`;
};

/** Why nothing can be said about a flag of this name, or undefined when there is one. */
export const refusalOfKey = (key: string): Refusal | undefined =>
  isFlagKey(key)
    ? undefined
    : wrong('key', `must be one of ${FLAG_KEYS.join(', ')}${guessed(key)}`, { legal: FLAG_KEYS });

/** Why a flag may not be set like this, or undefined when it may. */
export const refusalOfSet = (key: string, value: unknown, who: string, why: string): Refusal | undefined => {
  if (!isFlagKey(key)) return refusalOfKey(key);
  if (!isLegal(key, value)) {
    const legal = FLAGS[key].values;
    return wrong('value', `of ${key} must be one of ${legal.join(', ')}`, { legal });
  }
  if (!isSaid(who)) return wrong('who', `must say who sets the flag, in 1 to ${MAX_REASON} characters`);
  if (!isSaid(why)) return wrong('why', `must say why the flag is set, in 1 to ${MAX_REASON} characters`);
  return undefined;
};
