import { refuse, type knowledge, type Outcome } from '@breakwater/contract';
import type { Viewer } from '../lifecycle/index.ts';
import type { Caller, ToolCall } from '../runtime/index.ts';
import { refuseFields, missing } from './rules/problems.ts';

export type Call = ToolCall<typeof knowledge.input._zod.output>;
export type Payload = Readonly<Record<string, unknown>>;
export type Action = (call: Call) => Promise<Outcome<Payload>>;

export const viewerOf = ({ agentId, operator }: Caller): Viewer => ({ agentId, operator: operator !== undefined });

/** The id of the finding that a call is about. */
export const discoveryIdOf = ({ args }: Call): Outcome<string> =>
  args.discovery_id == null || args.discovery_id === ''
    ? refuseFields([missing('discovery_id', 'is required: the id of a finding, as search shows it')])
    : { ok: true, value: args.discovery_id };

export const unknownFinding = (id: string): Outcome<never> =>
  refuse('DISCOVERY_NOT_FOUND', `No finding ${id}.`, { details: { discovery_id: id } });

/** Two arguments mean one thing in one action and another in the next; here they get the name that they mean. */
export const named = (args: Call['args'], action: string): Call['args'] => {
  const { text, content, ...rest } = args;
  if (action === 'search') return { ...rest, query: args.query ?? text ?? content };
  if (action === 'note') return { ...rest, summary: args.summary ?? text ?? content };
  return { ...rest, summary: args.summary ?? text, details: args.details ?? content };
};
