import { BRIEF, IGNORED_ARGUMENTS, type ToolAlias, type ToolListing, type ToolSpec } from '@breakwater/contract';
import type { z } from 'zod';
import type { Tool } from '../runtime/index.ts';
import { shapeOf, type Shape } from './rules/shape.ts';
import { briefSchema, hiddenArguments, outputSchema, wireSchema } from './wire-schema.ts';

type OutputSchema = ToolListing['outputSchema'];

/** A tool, ready to be called: nothing about it has to be worked out again. */
export interface RegisteredTool {
  readonly tool: Tool;
  readonly parse: (args: unknown) => z.ZodSafeParseResult<Record<string, unknown>>;
  /** What the arguments may be, for the look at them. */
  readonly shape: Shape;
  /** Other name to canonical name, in order of preference. */
  readonly argumentAliases: readonly (readonly [string, string])[];
  readonly listing: ToolListing;
  /** The JSON schema of what the tool, or one of its actions, answers; undefined: the contract does not say. */
  readonly outputSchema: (action?: string) => OutputSchema;
  /** Accepted arguments that the listing leaves out. */
  readonly hidden: readonly string[];
  readonly aliases: readonly ToolAlias[];
}

/** What a name stands for. */
export interface Target {
  readonly entry: RegisteredTool;
  readonly alias: ToolAlias | undefined;
}

/** Which tools a listing shows: the six to start with, the advertised ones, or all. */
export type ListingMode = 'minimal' | 'default' | 'full';

const MINIMAL = new Set([
  'start_session',
  'sync_state',
  'check_working_state',
  'identity',
  'list_tools',
  'describe_tool',
]);

export const firstSentence = (description: string): string => /^.*?[.;](?=\s|$)/s.exec(description)?.[0] ?? description;

const listingOf = ({ spec }: Tool): ToolListing =>
  Object.freeze({
    name: spec.name,
    description: firstSentence(spec.description),
    inputSchema: wireSchema(spec.input),
    ...hintOf(spec.readOnly),
  });

/** Of a tool that writes nothing; that one writes is what MCP takes for granted. */
const hintOf = (readOnly: boolean) => (readOnly ? { annotations: Object.freeze({ readOnlyHint: true }) } : {});

/** The secret that proves the caller, in every brief listing. */
const PROOF = 'client_session_id';

const briefOf = (name: string, { entry }: Target): ToolListing | undefined => {
  const brief = BRIEF[name];
  if (brief === undefined) return undefined;
  const { spec } = entry.tool;
  return Object.freeze({
    name,
    description: brief.says,
    inputSchema: briefSchema(spec.input, [PROOF, ...brief.takes]),
    ...hintOf(spec.readOnly),
  });
};

/** Other names of an argument mean nothing beside the canonical one, and are no mistake. */
const shapeOfArguments = ({ name, input, argumentAliases = {}, takesAnyArgument }: ToolSpec): Shape => ({
  ...shapeOf(input),
  closed: takesAnyArgument !== true,
  ignored: new Set([
    ...Object.keys(argumentAliases),
    ...(IGNORED_ARGUMENTS['*'] ?? []),
    ...(IGNORED_ARGUMENTS[name] ?? []),
  ]),
});

/** Makes each schema when it is first asked for: calls need none, and a start would wait for all. */
const outputSchemas = (spec: ToolSpec): RegisteredTool['outputSchema'] => {
  const made = new Map<string | undefined, OutputSchema>();
  return (action) => {
    if (!made.has(action)) made.set(action, outputSchema(spec, action));
    return made.get(action);
  };
};

const withOutput = ({ listing, outputSchema: schemaOf }: RegisteredTool, name = listing.name): ToolListing =>
  Object.freeze({
    ...listing,
    name,
    get outputSchema() {
      return schemaOf();
    },
  });

const register = (tool: Tool, aliases: readonly ToolAlias[]): RegisteredTool => {
  const { spec } = tool;
  const { input } = spec;
  const parse = (args: unknown) => input.safeParse(args);
  // Zod writes a schema's parser when the schema first parses; the examples have every nested schema do so now.
  const examples = Object.entries(spec.examples ?? {}).map(([action, call]) => ({ action, ...call.arguments }));
  for (const example of [spec.example, ...examples]) {
    const parsed = parse(example);
    if (!parsed.success) throw new Error(`Tool "${spec.name}": its example does not parse: ${parsed.error.message}`);
  }
  return {
    tool,
    parse,
    shape: shapeOfArguments(spec),
    argumentAliases: Object.entries(spec.argumentAliases ?? {}),
    listing: listingOf(tool),
    outputSchema: outputSchemas(spec),
    hidden: hiddenArguments(input),
    aliases,
  };
};

/**
 * The tools and all their names. Everything is compiled here, once: a call looks up a map (BW-dispatch.02). Throws on a
 * name that stands for two things and on an alias of nothing, which are bugs of whoever put the tools together.
 */
export class Registry {
  readonly #targets = new Map<string, Target>();
  readonly #listings: Readonly<Record<ListingMode, readonly ToolListing[]>>;
  readonly tools: readonly RegisteredTool[];

  constructor(tools: readonly Tool[], aliases: readonly ToolAlias[]) {
    this.tools = tools.map((tool) =>
      register(
        tool,
        aliases.filter((alias) => alias.tool === tool.spec.name),
      ),
    );
    for (const entry of this.tools) this.#add(entry.tool.spec.name, { entry, alias: undefined });
    for (const alias of aliases) {
      const entry = this.tools.find(({ tool }) => tool.spec.name === alias.tool);
      if (entry === undefined) throw new Error(`Alias "${alias.name}" stands for "${alias.tool}", which is no tool`);
      this.#add(alias.name, { entry, alias });
    }
    const workflows = [...this.#targets.values()].flatMap(({ entry, alias }) =>
      alias?.kind === 'workflow' ? [{ entry, name: alias.name }] : [],
    );
    const workflow = workflows.map(({ entry, name }) => Object.freeze({ ...entry.listing, name }));
    const brief = [...this.#targets].flatMap(([name, target]) => briefOf(name, target) ?? []);
    const advertised = this.tools
      .filter(({ tool: { spec } }) => spec.advertised && BRIEF[spec.name] === undefined)
      .map(({ listing }) => listing);
    const all = [...workflow, ...this.tools.map(({ listing }) => listing)];
    this.#listings = {
      minimal: Object.freeze(all.filter(({ name }) => MINIMAL.has(name))),
      default: Object.freeze([...workflow, ...advertised, ...brief]),
      full: Object.freeze([
        ...workflows.map(({ entry, name }) => withOutput(entry, name)),
        ...this.tools.map((entry) => withOutput(entry)),
        ...brief.filter(({ name }) => !all.some((listing) => listing.name === name)),
      ]),
    };
  }

  find(name: string): Target | undefined {
    return this.#targets.get(name);
  }

  names(): IterableIterator<string> {
    return this.#targets.keys();
  }

  /** The same frozen list every time. */
  listings(mode: ListingMode): readonly ToolListing[] {
    return this.#listings[mode];
  }

  #add(name: string, target: Target): void {
    if (this.#targets.has(name)) throw new Error(`Two tools or aliases are called "${name}"`);
    this.#targets.set(name, target);
  }
}
