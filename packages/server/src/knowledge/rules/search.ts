import { ok, readTime, refuse, TIME_RULE, type FieldProblem, type Result } from '@breakwater/contract';
import type { Severity, Status } from './finding.ts';
import { parseQuery, type ParsedQuery } from './query.ts';
import { broken, refuseFields } from './problems.ts';
import { normalTags, stringsOf } from './tags.ts';
import type { Mode } from './view.ts';
import { understandSeverity, understandStatus, understandType, type Understood } from './vocabulary.ts';

type Raw = Readonly<Record<string, unknown>>;

/** What narrows a search or a list, after it was understood. */
export interface Narrowing {
  readonly status: Status | null;
  readonly without: readonly Status[];
  readonly tags: readonly string[];
  readonly type: string | null;
  readonly severity: Severity | null;
  /** As it was sent: an id, or a name. */
  readonly agent: string | null;
  readonly exceptLabels: readonly string[];
  readonly after: number | null;
  readonly before: number | null;
}

/** What a search asks for, after it was understood. */
export interface SearchRequest extends Narrowing {
  readonly query: ParsedQuery | null;
  /** As it was sent. */
  readonly queryText: string | null;
  readonly modeRequested: 'auto' | 'fts';
  /** null: all words, or else any of them. */
  readonly operator: 'AND' | 'OR' | null;
  readonly sort: 'relevance' | 'created_at';
}

const MOST_LISTED = 100;

/** How many to show, and what was asked for when that was more. */
export const limitOf = (
  asked: number | undefined,
  usual: number,
): { readonly limit: number; readonly clampedFrom?: number } =>
  asked !== undefined && asked > MOST_LISTED ? { limit: MOST_LISTED, clampedFrom: asked } : { limit: asked ?? usual };

export const modeOf = (args: { readonly response_mode?: Mode | null | undefined }): Mode =>
  args.response_mode ?? 'compact';

const NOTHING_LEFT = 'must name something: what is left of it would filter nothing';

/**
 * Understands by what findings are to be narrowed. A filter that is sent and comes to nothing is refused: without it the
 * answer would be about everything, and look like one about what was asked (BW-knowledge.02).
 */
export const narrowingOf = (args: Raw): Result<Narrowing> => {
  const problems: FieldProblem[] = [];
  const sent = (name: string): boolean => args[name] !== undefined && args[name] !== null;
  const word = <T>(name: string, understand: (given: unknown) => Understood<T>): T | null => {
    if (!sent(name)) return null;
    const understood = understand(args[name]);
    if (understood.ok) return understood.value;
    problems.push(understood.problem);
    return null;
  };
  const list = (name: string, read: (given: unknown) => readonly string[]): readonly string[] => {
    if (!sent(name)) return [];
    const items = read(args[name]);
    if (items.length === 0) problems.push(broken(name, NOTHING_LEFT));
    return items;
  };
  const instant = (name: string): number | null => {
    if (!sent(name)) return null;
    const ms = readTime(String(args[name]));
    if (ms === undefined) problems.push({ field: name, message: TIME_RULE, type: 'format' });
    return ms ?? null;
  };
  const name = (field: string): string | null => {
    if (!sent(field)) return null;
    if (args[field] === '') problems.push(broken(field, NOTHING_LEFT));
    return String(args[field]);
  };
  const tags = list('tags', (given) => normalTags(given).tags);
  const type = word('discovery_type', understandType);
  const severity = word('severity', understandSeverity);
  const status = word('status', understandStatus);
  const agent = name('agent_id_filter');
  const exceptLabels = list('exclude_agent_labels', stringsOf);
  const after = instant('created_after');
  const before = instant('created_before');
  if (problems.length > 0) return refuseFields(problems);
  const without: Status[] = [];
  // Who asks for a status by name means it.
  if (status === null && args['include_archived'] !== true) without.push('archived');
  if (status === null && args['include_cold'] !== true) without.push('cold');
  return ok({ status, without, tags, type, severity, agent, exceptLabels, after, before });
};

/**
 * Understands a search (BW-knowledge.02): a blank query is refused; an absent one asks for the newest that the filters let
 * pass. A mode by meaning is refused, since there is nothing here that knows meanings.
 */
export const searchOf = (args: Raw): Result<SearchRequest> => {
  const requested = args['semantic'] === true ? 'semantic' : (args['search_mode'] ?? 'auto');
  if (requested === 'semantic' || requested === 'hybrid') {
    return refuse('SEARCH_MODE_UNAVAILABLE', `search_mode ${requested} needs embeddings, and this server has none.`, {
      details: { parameter: 'search_mode', requested, available: ['auto', 'fts'] },
    });
  }
  const narrowed = narrowingOf(args);
  if (!narrowed.ok) return narrowed;
  const text = args['query'];
  if (typeof text === 'string' && text.trim() === '') {
    return refuseFields([broken('query', 'must not be blank; leave it out for the newest that the filters let pass')]);
  }
  const queryText = typeof text === 'string' ? text.trim() : null;
  return ok({
    ...narrowed.value,
    query: queryText === null ? null : parseQuery(queryText),
    queryText,
    modeRequested: requested === 'fts' ? 'fts' : 'auto',
    operator: args['operator'] === 'AND' || args['operator'] === 'OR' ? args['operator'] : null,
    sort: args['sort_by'] === 'created_at' ? 'created_at' : 'relevance',
  });
};
