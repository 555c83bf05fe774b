import { accept, FEED_EVENTS, refuse, type FeedEventType, type Outcome } from '@breakwater/contract';
import { visibleId } from '../../lifecycle/index.ts';

/** Which events somebody wants. */
export interface FeedFilter {
  /** An agent by its id, or by the redacted id under which others see it; undefined: every agent. */
  readonly agentId?: string;
  /** Undefined: every type. */
  readonly types?: ReadonlySet<FeedEventType>;
}

export interface FeedQuery extends FeedFilter {
  /** Only what came after this cursor; undefined: the newest. */
  readonly since?: number;
  readonly limit: number;
}

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
const MAX_AGENT = 100;
const OPTIONS = {
  limit: `1 to ${MAX_LIMIT}`,
  agent_id: 'an agent id, or the redacted one that the feed shows',
  type: FEED_EVENTS,
  since: 'the cursor of an earlier answer',
} as const;
type Name = keyof typeof OPTIONS;

const isType = (text: string): text is FeedEventType => (FEED_EVENTS as readonly string[]).includes(text);

/**
 * Reads the filters of a query string; `allowed` are those that the route has. Refuses with BAD_REQUEST what is no filter,
 * or no value of one, and says in `safe_options` what is.
 */
export const readFeedQuery = (raw: Readonly<Record<string, unknown>>, allowed: readonly Name[]): Outcome<FeedQuery> => {
  const safe_options = Object.fromEntries(allowed.map((name) => [name, OPTIONS[name]]));
  const refused = (field: string, message: string) =>
    refuse('BAD_REQUEST', message, {
      details: { field, safe_options },
      recovery: { action: `Filter by ${allowed.join(', ')}, each at most once.` },
    });
  for (const [name, value] of Object.entries(raw)) {
    if (!(allowed as readonly string[]).includes(name)) return refused(name, `There is no filter "${name}".`);
    if (typeof value !== 'string') return refused(name, `"${name}" must be sent once.`);
  }
  const { limit, agent_id: agentId, type, since } = raw as Readonly<Partial<Record<Name, string>>>;
  const most = limit === undefined ? DEFAULT_LIMIT : Number(limit);
  if (!Number.isInteger(most) || most < 1 || most > MAX_LIMIT) {
    return refused('limit', `"limit" must be a whole number from 1 to ${MAX_LIMIT}.`);
  }
  if (agentId !== undefined && (agentId === '' || agentId.length > MAX_AGENT)) {
    return refused('agent_id', `"agent_id" must have 1 to ${MAX_AGENT} characters.`);
  }
  const types = type?.split(',');
  const unknown = types?.find((one) => !isType(one));
  if (unknown !== undefined) return refused('type', `There is no type of event "${unknown.slice(0, 60)}".`);
  const cursor = since === undefined ? undefined : /^\d{1,16}$/.test(since) ? Number(since) : Number.NaN;
  if (cursor !== undefined && !Number.isSafeInteger(cursor)) {
    return refused('since', '"since" must be the cursor of an earlier answer, a whole number.');
  }
  return accept({
    limit: most,
    ...(agentId !== undefined && { agentId: agentId.toLowerCase() }),
    ...(types !== undefined && { types: new Set(types.filter(isType)) }),
    ...(cursor !== undefined && { since: cursor }),
  });
};

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
