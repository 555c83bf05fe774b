/** A flag of the code: its key, what it may be, and what it is when nobody set it. */
export interface FlagDefinition {
  readonly key: string;
  readonly values: readonly string[];
  readonly default: string;
  readonly description: string;
}

const LADDER = ['off', 'observe', 'enforce'] as const;

/** Every flag there is. A key that is not here cannot be set, and its row is ignored. */
export const FLAGS: readonly FlagDefinition[] = [
  {
    key: 'identity_strict_mode',
    values: LADDER,
    default: 'observe',
    description: 'What happens to a call whose identity was inferred instead of proven',
  },
  {
    key: 'ipua_pin_check_mode',
    values: LADDER,
    default: 'observe',
    description: 'What happens to a session that is used from another address or client than before',
  },
];

export const flagOf = (key: string): FlagDefinition | undefined => FLAGS.find((flag) => flag.key === key);

/** Whether a value is legal for a flag; what is wrong with it otherwise. */
export const problemWith = (flag: FlagDefinition, value: unknown): string | undefined =>
  typeof value === 'string' && flag.values.includes(value)
    ? undefined
    : `${flag.key} must be one of ${flag.values.join(', ')}; given ${JSON.stringify(value)}`;
