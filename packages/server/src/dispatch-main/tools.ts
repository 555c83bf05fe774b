import { accept, describeTool, ERRORS, listTools, refuse, type ErrorCode } from '@breakwater/contract';
import { defineTool, nearest, type Tool } from '../runtime/index.ts';
import type { CompiledTool, Registry } from './registry.ts';

/** The order in which an agent meets the tools. */
const WORKFLOW = [
  'start_session: once; keep client_session_id',
  'sync_state: after each piece of work, with the confidence in it',
  'record_result: when its result is known, with the prediction_id and evidence',
  'check_working_state: any time; reads memory only',
] as const;

/** Codes that any tool may answer with. */
const COMMON: readonly ErrorCode[] = [
  'MISSING_PARAMETER',
  'PARAMETER_ERROR',
  'SESSION_UNKNOWN',
  'RATE_LIMIT_EXCEEDED',
  'TIMEOUT',
  'NOT_READY',
  'INTERNAL_ERROR',
];

const summary = ({ tool, aliases }: CompiledTool, verbose: boolean) => ({
  name: tool.spec.name,
  category: tool.spec.category,
  description: tool.spec.description,
  identity: tool.spec.identity,
  read_only: tool.spec.readOnly,
  call_as: aliases.find(({ kind }) => kind === 'workflow')?.name ?? tool.spec.name,
  ...(verbose && { aliases: aliases.map(({ name }) => name), timeout_seconds: tool.spec.timeoutMs / 1000 }),
});

/** A value that fits a property, for the example. */
const example = (name: string, property: Readonly<Record<string, unknown>>): unknown => {
  if (name === 'client_session_id') return '<from onboard>';
  const { type, enum: values, default: fallback } = property;
  if (fallback !== undefined) return fallback;
  if (Array.isArray(values)) return values[0];
  if (type === 'number') return 0.7;
  return type === 'boolean' ? true : type === 'object' ? {} : '…';
};

/** list_tools and describe_tool; they read the registry that they are part of. */
export const discoveryTools = (registry: () => Registry): Tool[] => [
  defineTool(listTools, async ({ args }) => {
    const { tools } = registry();
    const categories = [...new Set(tools.map(({ tool }) => tool.spec.category))];
    if (args.category != null && !(categories as string[]).includes(args.category)) {
      return refuse('PARAMETER_ERROR', `category must be one of ${categories.join(', ')}.`, {
        details: { parameter: 'category', valid_values: categories },
      });
    }
    const wanted = tools.filter(
      ({ tool, aliases }) =>
        (args.category == null || tool.spec.category === args.category) &&
        (args.essential_only !== true || tool.spec.advertised || aliases.some(({ kind }) => kind === 'workflow')),
    );
    return accept({
      tools: wanted.map((compiled) => summary(compiled, args.verbose === true)),
      count: wanted.length,
      total_available: tools.length,
      categories,
      workflow: WORKFLOW,
    });
  }),
  defineTool(describeTool, async ({ args }) => {
    const found = registry().resolve(args.tool_name);
    if (found === undefined) {
      return refuse('TOOL_NOT_FOUND', `No tool is called "${args.tool_name}".`, {
        details: { requested_tool: args.tool_name, similar_tools: nearest(args.tool_name, registry().names) },
      });
    }
    const { compiled, alias } = found;
    const properties = compiled.schema['properties'] as Record<string, Readonly<Record<string, unknown>>>;
    const required = (compiled.schema['required'] ?? []) as string[];
    const shown = Object.keys(properties).filter(
      (name) => required.includes(name) || (name === 'client_session_id' && compiled.tool.spec.identity === 'required'),
    );
    if (args.lite === true) {
      return accept({
        ...summary(compiled, false),
        arguments: Object.fromEntries(Object.entries(properties).map(([name, { type }]) => [name, type ?? 'any'])),
        required,
      });
    }
    return accept({
      ...summary(compiled, true),
      ...(alias !== undefined && { alias_of: compiled.tool.spec.name }),
      input_schema: compiled.schema,
      required,
      argument_aliases: compiled.tool.spec.argumentAliases ?? {},
      errors: Object.fromEntries(
        [...(compiled.tool.spec.identity === 'required' ? (['IDENTITY_REQUIRED'] as const) : []), ...COMMON].map(
          (code) => [code, ERRORS[code].when],
        ),
      ),
      example: {
        name: alias?.name ?? compiled.tool.spec.name,
        arguments: Object.fromEntries(shown.map((name) => [name, example(name, properties[name] ?? {})])),
      },
    });
  }),
];
