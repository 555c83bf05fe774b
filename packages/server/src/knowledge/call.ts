import { refuse, type ActionAnswerOf, type Result } from '@breakwater/contract';
import type { knowledge } from '@breakwater/contract/tools';
import type { Viewer } from '../lifecycle/index.ts';
import type { ActionCallOf, Caller, CallOf } from '../runtime/index.ts';
import { refuseFields, missing } from './rules/problems.ts';

type Spec = typeof knowledge;
export type ActionName = keyof Spec['actions'];

export type Call = CallOf<Spec>;
/** What an action answers, as the contract says it. */
export type Answer<K extends ActionName> = ActionAnswerOf<Spec['actions'][K]>;
export type Action<K extends ActionName> = (call: ActionCallOf<Spec, K>) => Promise<Result<Answer<K>>>;

export const viewerOf = ({ agentId, operator }: Caller): Viewer => ({ agentId, operator: operator !== undefined });

/** The id of the finding that a call is about. */
export const discoveryIdOf = ({ args }: Call): Result<string> =>
  args.discovery_id == null || args.discovery_id === ''
    ? refuseFields([missing('discovery_id', 'is required: the id of a finding, as search shows it')])
    : { ok: true, value: args.discovery_id };

export const unknownFinding = (id: string): Result<never> =>
  refuse('DISCOVERY_NOT_FOUND', `No finding ${id}.`, { details: { discovery_id: id } });

/** `text` and `content` mean one thing in one action and another in the next; here they get the name that they mean. */
export const named = (call: Call, action: 'search' | 'note' | 'store' | 'update'): Call => {
  const { text, content, ...rest } = call.args;
  const { query, summary, details } = rest;
  switch (action) {
    case 'search':
      return { ...call, args: { ...rest, query: query ?? text ?? content } };
    case 'note':
      return { ...call, args: { ...rest, summary: summary ?? text ?? content } };
    case 'store':
    case 'update':
      return { ...call, args: { ...rest, summary: summary ?? text, details: details ?? content } };
  }
};
