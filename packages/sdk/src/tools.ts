import type { WORKFLOW } from '@breakwater/contract';
import type { TOOLS } from '@breakwater/contract/tools';
import type { Json } from './json.ts';

type Tools = typeof TOOLS;
type Workflow = typeof WORKFLOW;

/** The tools of the contract by the names that they are called by, those that agents learn included. */
type Named = Tools & { readonly [N in keyof Workflow]: Tools[Workflow[N]] };

export type ToolName = keyof Named;

/** The arguments that a tool takes; any, for a name that is not listed. */
export type ToolArguments<N extends string> = N extends ToolName
  ? Named[N]['input']['_zod']['input']
  : Readonly<Record<string, unknown>>;

/** The output of a schema of the contract, beside what every answer has. */
type Answer<S> = S extends { readonly _zod: { readonly output: infer O } } ? O & Json : Json;

/** The action that arguments name, or the tool's own when they name none. */
type ActionOf<T, A> = A extends { readonly action: infer N }
  ? N
  : T extends { readonly defaultAction: infer D }
    ? D
    : never;

/**
 * What a tool answers to these arguments, as the contract describes it; of a tool with actions, to the action that they name.
 * Whatever the contract does not describe is any JSON.
 */
export type ToolAnswer<N extends string, A = unknown> = N extends ToolName
  ? Named[N] extends { readonly actions: infer Actions }
    ? ActionOf<Named[N], A> extends infer Name extends keyof Actions
      ? Actions[Name] extends { readonly output: infer S }
        ? Answer<S>
        : Json
      : Json
    : Named[N] extends { readonly output: infer S }
      ? Answer<S>
      : Json
  : Json;

/** A tool of the contract, or any other name; written so that editors still offer the known ones. */
export type AnyTool = ToolName | (string & {});
