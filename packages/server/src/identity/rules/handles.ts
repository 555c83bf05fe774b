import { reservedIn } from '../../runtime/index.ts';

/** Names under which servers and operators appear; an agent's handle never begins with one. */
const RESERVED: readonly string[] = [
  'mcp',
  'system',
  'admin',
  'operator',
  'root',
  'governance',
  'breakwater',
  'unitares',
];

/** Whether a name begins with a reserved word, up to the first separator. */
const isReserved = (name: string): boolean =>
  RESERVED.includes(name.toLowerCase().replaceAll('-', '_').split('_')[0] ?? '');

const HINT = /^[A-Za-z0-9_-]{1,40}$/;
const isHint = (hint: string | undefined): hint is string =>
  hint !== undefined && HINT.test(hint) && !['unknown', 'mcp'].includes(hint.toLowerCase()) && !isReserved(hint);

const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/cursor/, 'cursor'],
  [/codex|chatgpt|openai|gpt/, 'chatgpt'],
  [/claude-code|claudecode/, 'claude_code'],
  [/claude-desktop|claude desktop/, 'claude_desktop'],
  [/claude|anthropic/, 'claude'],
  [/vscode|visual studio code/, 'vscode'],
];

/** The program that a user agent belongs to, as far as it is known. */
export const clientHintOf = (userAgent: string | undefined): string | undefined => {
  const text = userAgent?.toLowerCase() ?? '';
  return PROGRAMS.find(([pattern]) => pattern.test(text))?.[1];
};

const MODELS: readonly (readonly [RegExp, string])[] = [
  [/claude|anthropic/, 'claude'],
  [/gemini|google/, 'gemini'],
  [/gpt|codex|openai/, 'gpt'],
  [/composer|cursor/, 'composer'],
  [/llama/, 'llama'],
];

/** The family of a model: one word for all its versions; a model of no known family is a family of its own. */
const modelFamily = (model: string | undefined): string | undefined => {
  const text = model?.trim().toLowerCase() ?? '';
  if (text === '') return undefined;
  return MODELS.find(([pattern]) => pattern.test(text))?.[1] ?? text.replaceAll(/[^a-z0-9]+/g, '-').slice(0, 40);
};

const AGENTS: readonly (readonly [RegExp, string])[] = [
  [/codex|chatgpt|openai|gpt/, 'gpt'],
  [/claude|anthropic/, 'claude'],
  [/gemini|google/, 'gemini'],
  [/llama/, 'llama'],
];

/** The family that a call names, or else the one that its user agent gives away. */
export const familyOf = (call: {
  readonly modelType?: string | undefined;
  readonly userAgent?: string | undefined;
}): string | undefined => {
  const text = call.userAgent?.toLowerCase() ?? '';
  return modelFamily(call.modelType) ?? AGENTS.find(([pattern]) => pattern.test(text))?.[1];
};

interface Kind {
  readonly modelType: string | undefined;
  readonly clientHint: string | undefined;
}

const titled = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9]+/g, ' ')
    .trim()
    .split(' ')
    .map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join('_')
    .slice(0, 60);

/** Capitalised words joined by `_`; a reserved first word gets what it is put before it. */
const component = (text: string, prefix: 'Model' | 'Client'): string => {
  const words = titled(text);
  return words === '' || !isReserved(words) ? words : `${prefix}_${words}`;
};

const VENDORS: readonly (readonly [model: RegExp, client: RegExp])[] = [
  [/claude|anthropic/, /claude|anthropic/],
  [/gemini|google/, /gemini|google/],
  [/gpt|openai/, /chatgpt|openai/],
];

const isForeignClient = (model: string, hint: string): boolean =>
  VENDORS.some(([ofModel, ofClient]) => ofModel.test(model.toLowerCase()) && !ofClient.test(hint.toLowerCase()));

/** `YYYYMMDD` in UTC. */
const dayOf = (now: number): string => new Date(now).toISOString().slice(0, 10).replaceAll('-', '');

/**
 * A readable handle: the model and the day, before it the program where that is another vendor's; else the program and
 * the day; else `anon_<day>`. Not unique, and never a key.
 */
export const publicHandle = ({ modelType, clientHint }: Kind, now: number): string => {
  const model = component(modelType ?? '', 'Model');
  const day = dayOf(now);
  if (model !== '') {
    const client = isHint(clientHint) && isForeignClient(modelType ?? '', clientHint) ? clientHint : undefined;
    return [...(client === undefined ? [] : [component(client, 'Client')]), model, day].join('_');
  }
  return isHint(clientHint) ? `${clientHint.toLowerCase()}_${day}` : `anon_${day}`;
};

/** A display name for an agent that gave none: program and model; undefined when neither is known. */
export const autoLabel = ({ modelType, clientHint }: Kind): string | undefined => {
  const text = modelType?.toLowerCase().trim() ?? '';
  const model = /opus|sonnet|haiku/.exec(text)?.[0] ?? text.replaceAll(/[^a-z0-9.]+/g, '-');
  const label = [...(isHint(clientHint) ? [clientHint.toLowerCase()] : []), ...(model === '' ? [] : [model])].join('-');
  return label === '' || reservedIn(label) !== undefined ? undefined : label.slice(0, 100);
};

/**
 * The new handle of an agent whose stored one names another vendor's model than it runs on now; undefined: it stays.
 * The agent stays the same one.
 */
export const rebadgedHandle = (handle: string, kind: Kind, now: number): string | undefined => {
  const vendor = (text: string) => VENDORS.findIndex(([ofModel]) => ofModel.test(text.toLowerCase()));
  const stored = vendor(handle);
  const current = vendor(kind.modelType ?? '');
  return stored === -1 || current === -1 || stored === current ? undefined : publicHandle(kind, now);
};
