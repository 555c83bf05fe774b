import type { ToolAlias } from '@breakwater/contract';
import type { Tool } from '../runtime/index.ts';
import { wireSchema, type JsonObject } from './json-schema.ts';

/** A tool or workflow alias as clients are shown it. */
export interface ToolListing {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
  readonly annotations: Readonly<Record<string, unknown>>;
}

/** A tool, made ready once at start: a call compiles nothing (BW-dispatch.02). */
export interface CompiledTool {
  readonly tool: Tool;
  readonly schema: JsonObject;
  /** Names that the schema knows, hidden ones too. */
  readonly known: ReadonlySet<string>;
  readonly aliases: readonly ToolAlias[];
}

export interface Resolved {
  readonly compiled: CompiledTool;
  readonly alias: ToolAlias | undefined;
}

/** Which tools a listing names. */
export type ListingMode = 'default' | 'minimal' | 'full';

const MINIMAL = new Set([
  'start_session',
  'sync_state',
  'check_working_state',
  'identity',
  'list_tools',
  'describe_tool',
]);

const firstSentence = (text: string): string => /^.*?[.](?=\s|$)/.exec(text)?.[0] ?? text;

/** Every tool and alias of the server, by name. Throws on a name that is taken twice or an alias of nothing: both are bugs. */
export class Registry {
  readonly tools: readonly CompiledTool[];
  readonly #byName = new Map<string, Resolved>();
  readonly #listings: Readonly<Record<ListingMode, readonly ToolListing[]>>;

  constructor(tools: readonly Tool[], aliases: readonly ToolAlias[]) {
    this.tools = tools.map((tool) => ({
      tool,
      schema: wireSchema(tool.spec.input),
      known: new Set([...Object.keys(tool.spec.input.shape), ...Object.keys(tool.spec.argumentAliases ?? {})]),
      aliases: aliases.filter((alias) => alias.tool === tool.spec.name),
    }));
    for (const compiled of this.tools) {
      this.#take(compiled.tool.spec.name, { compiled, alias: undefined });
      for (const alias of compiled.aliases) this.#take(alias.name, { compiled, alias });
    }
    for (const alias of aliases) {
      if (!this.#byName.has(alias.name)) throw new Error(`Alias ${alias.name} names no tool: ${alias.tool}`);
    }
    const workflow = this.tools.flatMap((compiled) =>
      compiled.aliases.filter(({ kind }) => kind === 'workflow').map((alias) => listing(compiled, alias.name)),
    );
    const named = (wanted: (compiled: CompiledTool) => boolean) =>
      this.tools.filter(wanted).map((compiled) => listing(compiled, compiled.tool.spec.name));
    const standard = [...workflow, ...named(({ tool }) => tool.spec.advertised)];
    this.#listings = {
      default: standard,
      minimal: standard.filter(({ name }) => MINIMAL.has(name)),
      full: [...workflow, ...named(() => true)],
    };
  }

  resolve(name: string): Resolved | undefined {
    return this.#byName.get(name);
  }

  /** Tools with their schemas, workflow aliases first: the names that agents should learn. */
  listings(mode: ListingMode): readonly ToolListing[] {
    return this.#listings[mode];
  }

  get names(): string[] {
    return [...this.#byName.keys()];
  }

  #take(name: string, resolved: Resolved): void {
    if (this.#byName.has(name)) throw new Error(`Two tools or aliases are called ${name}`);
    this.#byName.set(name, resolved);
  }
}

const listing = ({ tool, schema }: CompiledTool, name: string): ToolListing => ({
  name,
  description: firstSentence(tool.spec.description),
  inputSchema: schema,
  annotations: { readOnlyHint: tool.spec.readOnly, openWorldHint: false },
});
