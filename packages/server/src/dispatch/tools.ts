import {
  ok,
  ERRORS,
  refusal,
  type AnswerOf,
  type ErrorCode,
  type Result,
  type Refusal,
  type ToolAlias,
  type ToolCategory,
} from '@breakwater/contract';
import { describeTool, listTools } from '@breakwater/contract/tools';
import { defineTool, nearest, type Tool } from '../runtime/index.ts';
import { toolNotFound } from './chain.ts';
import { firstSentence, type RegisteredTool, type Registry, type Target } from './registry.ts';

type Payload = Readonly<Record<string, unknown>>;

/** The order to use the tools in, for an agent that has never seen this server. */
const WORKFLOW = [
  { call: 'start_session', when: 'once, first; keep client_session_id and send it with every call' },
  { call: 'sync_state', when: 'after each piece of work: what you did, and your confidence in it' },
  { call: 'record_result', when: 'when a result is known, with the prediction_id of the check-in that claimed it' },
  { call: 'check_working_state', when: 'whenever you want to know how you stand' },
] as const;

/** What every call may be refused with, whatever its tool. */
const COMMON_ERRORS: readonly ErrorCode[] = ['MISSING_PARAMETER', 'PARAMETER_ERROR', 'TIMEOUT', 'INTERNAL_ERROR'];

const errorsOf = ({ tool: { spec } }: RegisteredTool): ErrorCode[] => [
  ...new Set<ErrorCode>([
    ...COMMON_ERRORS,
    ...(spec.whileNotReady === true ? [] : (['NOT_READY'] as const)),
    ...(spec.identity === 'required' ? (['IDENTITY_REQUIRED', 'STRONG_IDENTITY_REQUIRED'] as const) : []),
    ...(spec.identity === 'operator' ? (['OPERATOR_REQUIRED'] as const) : []),
    'SUBSTRATE_REQUIRES_SOCKET',
    ...(spec.ignoresStaleProof === true ? [] : (['SESSION_UNKNOWN'] as const)),
    'IDENTITY_CONFLICT',
    ...(spec.readOnly ? [] : (['RATE_LIMIT_EXCEEDED'] as const)),
    ...spec.errors,
  ]),
];

/** The name that agents should learn: the workflow alias where there is one. */
const friendlyName = ({ tool, aliases }: RegisteredTool): string =>
  aliases.find(({ kind }) => kind === 'workflow')?.name ?? tool.spec.name;

const catalogueEntry = (entry: RegisteredTool, verbose: boolean) => {
  const { spec } = entry.tool;
  return {
    name: friendlyName(entry),
    ...(friendlyName(entry) !== spec.name && { tool: spec.name }),
    description: verbose ? spec.description : firstSentence(spec.description),
    ...(verbose && {
      identity: spec.identity,
      read_only: spec.readOnly,
      timeout_ms: spec.timeoutMs,
      aliases: entry.aliases.map(({ name }) => name),
    }),
  };
};

const unknownCategory = (asked: string, categories: readonly string[]): Refusal => {
  const [guess] = nearest(asked, categories, 1);
  return refusal('PARAMETER_ERROR', `category must be one of ${categories.join(', ')}.`, {
    details: {
      error_type: 'parameter_error',
      tool_name: listTools.name,
      parameter: 'category',
      valid_values: categories,
      ...(guess !== undefined && { did_you_mean: guess }),
    },
  });
};

const catalogue = (
  registry: Registry,
  asked: { readonly category?: string | null | undefined; readonly verbose: boolean; readonly essential: boolean },
): Result<AnswerOf<typeof listTools>> => {
  const offered = [...new Set(registry.tools.map(({ tool }) => tool.spec.category))];
  if (asked.category != null && !offered.some((category) => category === asked.category)) {
    return { ok: false, refusal: unknownCategory(asked.category, offered) };
  }
  const chosen = registry.tools.filter(
    (entry) =>
      (asked.category == null || entry.tool.spec.category === asked.category) &&
      (!asked.essential || entry.tool.spec.advertised || friendlyName(entry) !== entry.tool.spec.name),
  );
  const categories: Partial<Record<ToolCategory, ReturnType<typeof catalogueEntry>[]>> = {};
  for (const entry of chosen) {
    (categories[entry.tool.spec.category] ??= []).push(catalogueEntry(entry, asked.verbose));
  }
  return ok({
    workflow: WORKFLOW,
    categories,
    shown: chosen.length,
    total_available: registry.tools.length,
    hint: 'describe_tool gives one tool whole: schema, example, errors.',
  });
};

/** A call that shows something, with what it needs beside a session, and the refusal that it meets where there is one. */
const exampleCall = <C extends object>(call: C, operator: boolean, refused: ErrorCode | undefined) => ({
  ...call,
  ...(operator && { needs: 'an operator credential' as const }),
  ...(refused !== undefined && { refused_with: refused }),
});

/**
 * The call that shows how a tool or one of its names is used. A name that sets arguments shows the call of its action,
 * without what it sets itself: what is refused whatever it sends says so.
 */
const exampleOf = (entry: RegisteredTool, alias: ToolAlias | undefined) => {
  const { spec } = entry.tool;
  const action = alias?.inject?.['action'];
  const own = typeof action === 'string' ? spec.examples?.[action] : undefined;
  const set = new Set(Object.keys(alias?.inject ?? {}));
  const shown = Object.entries(own?.arguments ?? spec.example).filter(([name]) => !set.has(name));
  const refused = own === undefined ? spec.exampleRefused : own.refused;
  const operator = spec.identity === 'operator' || own?.operator === true;
  return exampleCall(
    { name: alias?.name ?? friendlyName(entry), arguments: Object.fromEntries(shown) },
    operator,
    refused,
  );
};

const examplesOf = (entry: RegisteredTool) =>
  Object.fromEntries(
    Object.entries(entry.tool.spec.examples ?? {}).map(([action, { arguments: args, operator, refused }]) => [
      action,
      exampleCall({ arguments: { action, ...args } }, operator === true, refused),
    ]),
  );

const requiredOf = ({ required }: Payload): string[] => (Array.isArray(required) ? required.map(String) : []);

/** One tool whole: arguments, defaults, other names, what it may be refused with, and a call that works. */
export const describeTarget = ({ entry, alias }: Target) => {
  const { spec } = entry.tool;
  const action = alias?.inject?.['action'];
  const outputSchema = entry.outputSchema(typeof action === 'string' ? action : undefined);
  const { inputSchema } = entry.listing;
  const properties = (inputSchema['properties'] ?? {}) as Readonly<Record<string, Payload>>;
  return {
    name: alias?.name ?? spec.name,
    tool: spec.name,
    category: spec.category,
    description: spec.description,
    identity: spec.identity,
    read_only: spec.readOnly,
    timeout_ms: spec.timeoutMs,
    input_schema: inputSchema,
    ...(outputSchema !== undefined && { output_schema: outputSchema }),
    required: requiredOf(inputSchema),
    defaults: Object.fromEntries(
      Object.entries(properties).flatMap(([name, schema]) => ('default' in schema ? [[name, schema['default']]] : [])),
    ),
    also_accepted: entry.hidden,
    argument_aliases: spec.argumentAliases ?? {},
    aliases: entry.aliases.map(({ name }) => name),
    ...(alias?.inject && { sets: alias.inject }),
    errors: Object.fromEntries(errorsOf(entry).map((code) => [code, ERRORS[code].when])),
    example: exampleOf(entry, alias),
    ...(spec.examples !== undefined && alias?.inject === undefined && { examples: examplesOf(entry) }),
  };
};

const describeBriefly = (target: Target) => {
  const { name, tool, description, required, example } = describeTarget(target);
  const { properties = {} } = target.entry.listing.inputSchema as { properties?: Readonly<Record<string, Payload>> };
  return {
    name,
    tool,
    description,
    required,
    example,
    arguments: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, schema['type'] ?? schema['enum'] ?? 'any']),
    ),
  };
};

/** The tools that tell about tools. They read the registry that they stand in themselves. */
export const discoveryTools = (registry: () => Registry): Tool[] => [
  defineTool(listTools, async ({ args }) =>
    catalogue(registry(), {
      category: args.category,
      verbose: args.verbose === true,
      essential: args.essential_only === true,
    }),
  ),
  defineTool(describeTool, async ({ args }) => {
    const target = registry().find(args.tool_name);
    if (target === undefined) return { ok: false, refusal: toolNotFound(registry(), args.tool_name) };
    return ok(args.lite === true ? describeBriefly(target) : describeTarget(target));
  }),
];
