import type { FeedEventType } from '@breakwater/contract';
import { visibleId } from '../../lifecycle/index.ts';

/** Which events somebody wants. */
export interface FeedFilter {
  /** An agent by its id, or by the redacted id under which others see it; undefined: every agent. */
  readonly agentId?: string | undefined;
  /** Undefined: every type. */
  readonly types?: ReadonlySet<FeedEventType> | undefined;
}

export interface FeedQuery extends FeedFilter {
  /** Only what came after this cursor; undefined: the newest. */
  readonly since?: number | undefined;
  readonly limit: number;
}

/** Whether the filter lets an agent through, by its id or by the redacted one. */
export const isAgent = ({ agentId: asked }: FeedFilter, agentId: string): boolean =>
  asked === undefined ||
  asked === agentId ||
  (asked.startsWith('agent-redacted-') && visibleId(agentId, { agentId: undefined, operator: false }).id === asked);

/** Whether the filter lets an event through. */
export const isWanted = (
  filter: FeedFilter,
  event: { readonly agentId: string; readonly type: FeedEventType },
): boolean => (filter.types === undefined || filter.types.has(event.type)) && isAgent(filter, event.agentId);
