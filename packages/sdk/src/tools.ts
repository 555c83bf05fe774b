import type { WORKFLOW } from '@breakwater/contract';
import type { TOOLS } from '@breakwater/contract/tools';

type Tools = typeof TOOLS;
type Workflow = typeof WORKFLOW;

/** The tools of the contract by the names that they are called by, those that agents learn included. */
type Named = Tools & { readonly [N in keyof Workflow]: Tools[Workflow[N]] };

export type ToolName = keyof Named;

/** The arguments that a tool takes; any, for a name that is not listed. */
export type ToolArguments<N extends string> = N extends ToolName
  ? Named[N]['input']['_zod']['input']
  : Readonly<Record<string, unknown>>;

/** A tool of the contract, or any other name; written so that editors still offer the known ones. */
export type AnyTool = ToolName | (string & {});
