import { accept, COMPLEXITY_WORDS, refuse, type Outcome, type ToolAlias } from '@breakwater/contract';

export type Arguments = Record<string, unknown>;

/** What was made of an argument that came in another form; told to the caller. */
export interface Normalised {
  readonly from: unknown;
  readonly to: unknown;
  readonly interpretation: string;
}

/** Fields that only the server may set; one that a caller sends is removed before anything looks (BW-dispatch.07). */
const INTERNAL = new Set([
  'transport_injected',
  'session_injected',
  'bound_uuid',
  'verified_uuid',
  'agent_uuid_verified',
  'identity_assurance',
  'caller_proven',
  'proof_origin',
  'principal',
]);

const isObject = (value: unknown): value is Arguments =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The caller's arguments as a fresh object: unwrapped from `kwargs` (an object or its JSON, as some clients send it),
 * without internal fields and without the keys that would reach an object's prototype.
 */
export const openArguments = (given: unknown): Outcome<Arguments> => {
  let args: unknown = given ?? {};
  if (isObject(args) && Object.keys(args).length === 1 && 'kwargs' in args) {
    const { kwargs } = args;
    if (typeof kwargs === 'string') {
      try {
        args = JSON.parse(kwargs) as unknown;
      } catch {
        return refuse('PARAMETER_ERROR', 'kwargs is not JSON.', { details: { parameter: 'kwargs' } });
      }
    } else args = kwargs;
  }
  if (!isObject(args))
    return refuse('PARAMETER_ERROR', 'arguments must be an object.', { details: { parameter: 'arguments' } });
  const open: Arguments = {};
  for (const key of Object.keys(args)) {
    if (!key.startsWith('_') && !INTERNAL.has(key) && key !== 'constructor') open[key] = args[key];
  }
  return accept(open);
};

/** Gives arguments their canonical names; a canonical one that is present wins. */
export const renameArguments = (args: Arguments, aliases: Readonly<Record<string, string>> | undefined): void => {
  if (aliases === undefined) return;
  for (const [from, to] of Object.entries(aliases)) {
    if (!(from in args)) continue;
    if (args[to] == null) args[to] = args[from];
    Reflect.deleteProperty(args, from);
  }
};

/** A word or {value, scale} for complexity as a number; undefined when it is a number already, or not understood. */
const complexityOf = (given: unknown): Outcome<Normalised | undefined> => {
  if (typeof given === 'string') {
    const to = COMPLEXITY_WORDS[given.trim().toLowerCase()];
    return accept(to === undefined ? undefined : { from: given, to, interpretation: 'named level' });
  }
  if (isObject(given)) {
    const { value, scale } = given;
    if (typeof value === 'number' && typeof scale === 'number' && scale >= 1 && value >= 0 && value <= scale) {
      return accept({ from: given, to: value / scale, interpretation: `${value} of ${scale}` });
    }
    return refuse('PARAMETER_ERROR', 'complexity: {value, scale} needs a scale of at least 1 and a value within it.', {
      details: { parameter: 'complexity' },
    });
  }
  if (typeof given === 'number' && given > 1) {
    return refuse('PARAMETER_ERROR', `complexity ${given} is ambiguous; send 0 to 1, a word, or {value, scale}.`, {
      details: { parameter: 'complexity', valid_values: Object.keys(COMPLEXITY_WORDS) },
    });
  }
  return accept(undefined);
};

/** Sets what the alias sets, and reads the words it allows. Returns what was made of them. */
export const applyAlias = (args: Arguments, alias: ToolAlias | undefined): Outcome<Record<string, Normalised>> => {
  if (alias === undefined) return accept({});
  Object.assign(args, alias.inject);
  if (alias.complexityWords !== true) return accept({});
  const complexity = complexityOf(args['complexity']);
  if (!complexity.ok) return complexity;
  if (complexity.value === undefined) return accept({});
  args['complexity'] = complexity.value.to;
  return accept({ complexity: complexity.value });
};
