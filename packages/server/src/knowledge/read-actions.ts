import { ok, type Result } from '@breakwater/contract';
import { discoveryIdOf, named, unknownFinding, viewerOf, type Action, type Answer, type Call } from './call.ts';
import type { Journal } from './journal.ts';
import type { Found, Reader } from './reader.ts';
import type { KindRow } from './report-sql.ts';
import type { Finding } from './rules/finding.ts';
import { hintsOf } from './rules/hints.ts';
import { missing, refuseFields } from './rules/problems.ts';
import { limitOf, modeOf, narrowingOf, searchOf, type Narrowing, type SearchRequest } from './rules/search.ts';
import { BUCKET_DAYS } from './rules/staleness.ts';
import { cutText, DETAILS_LIMIT, redactedQuery } from './rules/text.ts';
import { detailsView, fullView, leanView, PREVIEW, viewOf, type Hit, type Mode, type Sight } from './rules/view.ts';

/** What the audit trail keeps of a read. */
type Facts = Readonly<Record<string, unknown>>;

const FOUND = 10;
const LISTED = 20;
/** So many hits come with their details when the caller said nothing about them. */
const FEW = 3;
/** Characters of each when nobody asked for them, and of all together when somebody did. */
const UNASKED = 2000;
const DETAILS_BUDGET = 200_000;
const PAGE = 2000;
const CHAIN_DEPTH = 10;
const ECHOED = 500;
/** Words that a search could not use, and that are named. */
const NAMED = 20;
const TOP = 30;
const AUDITED = 10;

const FIELDS = ['summary', 'details', 'tags'] as const;
const LINKS = { RELATED_TO: 'related_to', RESPONDS_TO: 'responds_to', SUPERSEDES: 'supersedes' } as const;
const NO_BUCKETS = { healthy: 0, aging: 0, stale: 0, candidate_for_archive: 0, permanent: 0 };

const sum = (rows: readonly { readonly n: number }[]): number => rows.reduce((total, { n }) => total + n, 0);

/** How many there are of each value, of those that there are any of. */
const grouped = <K extends string>(
  rows: readonly KindRow[],
  of: (row: KindRow) => K,
): Readonly<Partial<Record<K, number>>> => {
  const groups: Partial<Record<K, number>> = {};
  for (const row of rows) groups[of(row)] = (groups[of(row)] ?? 0) + row.n;
  return groups;
};
const byStatus = (rows: readonly KindRow[]) => grouped(rows, ({ status }) => status);
/** Types are no closed set. */
const byType = (rows: readonly KindRow[]): Readonly<Record<string, number>> => {
  const groups: Record<string, number> = {};
  for (const { type, n } of rows) groups[type] = (groups[type] ?? 0) + n;
  return groups;
};

/** What a search says of how it came to its answer. */
const explanationOf = (request: SearchRequest, found: Found): string | undefined => {
  if (found.fellBack) {
    const words = found.terms.length;
    return `No finding holds all of the query: these hold some of its ${words} words, the most telling first.`;
  }
  return request.query !== null && found.bounded
    ? `More findings match than were compared: these are the best of the newest ${found.considered}.`
    : undefined;
};

/** Hits that share less than half of what was asked for say little about it. */
const lowConfidence = ({ fellBack, findings, terms }: Found): boolean =>
  fellBack && findings.length > 0 && findings.every(({ hit }) => 2 * (hit.matched?.length ?? 0) < terms.length);

/** The actions that read. Everybody may; each leaves a row in the audit trail. */
export const readActions = (
  reader: Reader,
  journal: Journal,
): { readonly [K in 'search' | 'get' | 'list' | 'details' | 'stats' | 'audit']: Action<K> } => {
  const seen = ({ caller }: Pick<Call, 'caller'>, action: string, facts: Facts): Promise<void> =>
    journal.noteRead(caller.agentId ?? null, { action, ...facts });

  /** The details of findings, as much of each as the mode has room for. */
  const readDetails = async (ids: readonly string[], { args }: Pick<Call, 'args'>, mode: Mode, few: number) => {
    const whole = mode !== 'lean' && (args.include_details ?? ids.length <= few);
    const asked = args.include_details === true ? Math.floor(DETAILS_BUDGET / Math.max(1, ids.length)) : UNASKED;
    const most = whole ? Math.min(DETAILS_LIMIT, asked) : PREVIEW[mode];
    return { whole, details: await reader.detailsOf(ids, args.include_details === false ? 0 : most) };
  };

  /** Findings with as much of their details as the mode has room for. */
  const shown = async (
    found: readonly { readonly finding: Finding; readonly hit?: Hit }[],
    call: Pick<Call, 'args'>,
    sight: Sight,
    few: number,
  ) => {
    const mode = modeOf(call.args);
    const ids = found.map(({ finding }) => finding.id);
    const { whole, details } = await readDetails(ids, call, mode, few);
    const provenance = call.args.include_provenance === true;
    return found.map(({ finding, hit }) => ({
      ...viewOf(finding, sight, mode, { provenance, ...(hit !== undefined && { hit }) }),
      ...detailsView(details.get(finding.id), whole, sight),
    }));
  };

  const search: Action<'search'> = async (sent) => {
    const call = named(sent, 'search');
    const { args, caller } = call;
    const request = searchOf(args);
    if (!request.ok) return request;
    const { limit, clampedFrom } = limitOf(args.limit, FOUND);
    const searched = await reader.search(request.value, limit);
    if (!searched.ok) return searched;
    const found = searched.value;
    const sight = reader.sightOf(viewerOf(caller));
    const discoveries = await shown(found.findings, call, sight, FEW);
    const { queryText } = request.value;
    await seen(call, 'search', {
      query: queryText === null ? null : redactedQuery(queryText),
      filters: filtersOf(request.value),
      count: discoveries.length,
    });
    const explanation = explanationOf(request.value, found);
    const left = request.value.query?.left ?? 0;
    return ok({
      count: discoveries.length,
      total_count: found.bounded ? null : found.considered,
      discoveries,
      results: discoveries,
      search_mode_requested: request.value.modeRequested,
      search_mode_used: queryText === null ? 'filters' : 'fts',
      ...(queryText !== null && { query: cutText(queryText, ECHOED), fields_searched: FIELDS }),
      operator_used: found.operator,
      fallback_used: found.fellBack,
      ...(explanation !== undefined && { explanation }),
      ...(queryText !== null && { candidates: { compared: found.considered, more: found.bounded } }),
      ...(left > 0 && found.fellBack && { words_left_out: left }),
      ...(found.notSearched.length > 0 && {
        not_searched: found.notSearched.slice(0, NAMED).map((word) => cutText(word, ECHOED)),
      }),
      limit,
      ...(clampedFrom !== undefined && { limit_clamped_from: clampedFrom }),
      ...(lowConfidence(found) && {
        low_confidence: true,
        confidence_note: 'None of these holds half of the words that were asked for.',
      }),
      ...(discoveries.length === 0 && {
        message: 'Nothing was found.',
        empty_results_hints: hintsOf({
          query: queryText,
          tags: request.value.tags,
          type: request.value.type,
          severity: request.value.severity,
          status: request.value.status,
          byAgent: request.value.agent !== null,
          byTime: request.value.after !== null || request.value.before !== null,
          includesArchived: args.include_archived === true,
          includesCold: args.include_cold === true,
        }),
      }),
    });
  };

  /** What a call for one finding is answered with. */
  const one = async (call: Call, id: string): Promise<Result<Answer<'get'>>> => {
    const finding = await reader.find(id);
    if (finding === undefined) return unknownFinding(id);
    const sight = reader.sightOf(viewerOf(call.caller));
    const { whole, details: read } = await readDetails([id], call, 'full', 1);
    const discovery = {
      ...fullView(finding, sight, { provenance: call.args.include_provenance === true }),
      ...detailsView(read.get(id), whole, sight),
    };
    await seen(call, 'get', { discovery_id: id, count: 1 });
    return ok({ count: 1, discovery_id: id, discovery, discoveries: [discovery], results: [discovery] });
  };

  const get: Action<'get'> = async (call) => {
    const { args, caller } = call;
    if (args.discovery_id != null && args.discovery_id !== '') return one(call, args.discovery_id);
    const agent = args.agent_id ?? args.agent_id_filter ?? caller.agentId;
    if (agent == null) return refuseFields([missing('discovery_id', 'or agent_id is required')]);
    const { limit, clampedFrom } = limitOf(args.limit, LISTED);
    const narrowed = narrowingOf({ ...args, agent_id_filter: agent });
    if (!narrowed.ok) return narrowed;
    const listed = await reader.list(narrowed.value, { limit, offset: args.offset ?? 0 });
    if (!listed.ok) return listed;
    const sight = reader.sightOf(viewerOf(caller));
    const discoveries = await shown(
      listed.value.map((finding) => ({ finding })),
      call,
      sight,
      FEW,
    );
    await seen(call, 'get', { filters: filtersOf(narrowed.value), count: discoveries.length });
    return ok({
      count: discoveries.length,
      discoveries,
      results: discoveries,
      limit,
      ...(clampedFrom !== undefined && { limit_clamped_from: clampedFrom }),
    });
  };

  const list: Action<'list'> = async (call) => {
    const { args, caller } = call;
    const narrowed = narrowingOf({ ...args, include_cold: args.include_cold ?? args.including_cold });
    if (!narrowed.ok) return narrowed;
    const { limit, clampedFrom } = limitOf(args.limit, LISTED);
    const offset = args.offset ?? 0;
    const counted = { currentOnly: args.epoch_scope === 'current', cold: args.including_cold !== false };
    // One more than is shown, to know whether there are more.
    const [listed, kinds] = await Promise.all([
      reader.list(narrowed.value, { limit: limit + 1, offset }),
      reader.kinds(counted),
    ]);
    if (!listed.ok) return listed;
    const page = listed.value.slice(0, limit).map((finding) => ({ finding }));
    const discoveries = await shown(page, call, reader.sightOf(viewerOf(caller)), 0);
    const more = listed.value.length > limit;
    await seen(call, 'list', { filters: filtersOf(narrowed.value), count: discoveries.length });
    return ok({
      count: discoveries.length,
      discoveries,
      results: discoveries,
      offset,
      has_more: more,
      ...(more && { next_offset: offset + limit }),
      ...(clampedFrom !== undefined && { limit_clamped_from: clampedFrom }),
      total_discoveries: sum(kinds),
      by_status: byStatus(kinds),
      by_type: byType(kinds),
    });
  };

  const details: Action<'details'> = async (call) => {
    const { args, caller } = call;
    const id = discoveryIdOf(call);
    if (!id.ok) return id;
    const finding = await reader.find(id.value);
    if (finding === undefined) return unknownFinding(id.value);
    const sight = reader.sightOf(viewerOf(caller));
    const [whole, { responses, edges }] = await Promise.all([
      reader.wholeDetails(finding.id),
      reader.surroundings(finding.id),
    ]);
    // By characters, so that no page begins or ends inside of one.
    const characters = Array.from(sight.text(whole));
    const offset = Math.min(args.offset ?? 0, characters.length);
    const end = Math.min(offset + (args.length ?? PAGE), characters.length);
    const depth = args.max_chain_depth ?? CHAIN_DEPTH;
    const chain = args.include_response_chain === true ? await reader.chain(finding.id, depth) : undefined;
    await seen(call, 'details', { discovery_id: finding.id, offset });
    return ok({
      discovery_id: finding.id,
      discovery: fullView(finding, sight, { provenance: args.include_provenance === true }),
      details: characters.slice(offset, end).join(''),
      offset,
      length: end - offset,
      total_length: characters.length,
      has_more: end < characters.length,
      ...(end < characters.length && { next_offset: end }),
      responses_from: responses.map((response) => ({
        ...leanView(response, sight),
        response_type: response.responseTo?.type ?? null,
        by: sight.name(response.agentId),
      })),
      links: edges.map(({ other, direction, edge_type: type, weight, summary, status }) => ({
        id: other,
        link: LINKS[type],
        direction,
        weight: Math.round(weight * 100) / 100,
        status,
        summary: cutText(sight.text(summary), 160),
      })),
      ...(chain !== undefined && {
        response_chain: chain.map(({ depth: steps, finding: other }) => ({
          depth: steps,
          ...leanView(other, sight),
          response_type: other.responseTo?.type ?? null,
          by: sight.name(other.agentId),
        })),
      }),
    });
  };

  const stats: Action<'stats'> = async (call) => {
    const { args, caller } = call;
    const currentOnly = args.epoch_scope === 'current';
    const cold = args.including_cold !== false;
    const { kinds, writers, tags } = await reader.counts({ currentOnly, cold }, TOP);
    await seen(call, 'stats', {});
    const sight = reader.sightOf(viewerOf(caller));
    const statuses = byStatus(kinds);
    const total = sum(kinds);
    const { archived = 0, cold: turnedCold = 0 } = statuses;
    return ok({
      total_discoveries: total,
      epoch_scope: currentOnly ? 'current' : 'all',
      including_cold: cold,
      by_status: statuses,
      by_type: byType(kinds),
      by_severity: grouped(kinds, ({ severity }) => severity),
      by_agent: writers.map(({ agent_id: agentId, n }) => ({
        id: sight.id(agentId),
        name: sight.name(agentId),
        count: n,
      })),
      top_tags: Object.fromEntries(tags.map(({ tag, n }) => [tag, n])),
      lifecycle: { active: total - archived - turnedCold, archived, cold: turnedCold },
    });
  };

  const audit: Action<'audit'> = async (call) => {
    const { args, caller } = call;
    const scope = args.scope ?? 'open';
    const { buckets, byAgent, stale } = await reader.audit(scope, args.top_n ?? AUDITED);
    await seen(call, 'audit', { scope });
    const sight = reader.sightOf(viewerOf(caller));
    const counts = { ...NO_BUCKETS };
    for (const { bucket, n } of buckets) counts[bucket] = n;
    const writers = new Map<string, Partial<typeof NO_BUCKETS>>();
    for (const { agent_id: agentId, bucket, n } of byAgent) {
      const of = writers.get(agentId ?? '') ?? {};
      writers.set(agentId ?? '', { ...of, [bucket]: n });
    }
    const found = {
      scope,
      total: sum(buckets),
      buckets: counts,
      bucket_days: BUCKET_DAYS,
      top_stale: stale.map((finding) => ({
        ...leanView(finding, sight),
        by: sight.name(finding.agentId),
        untouched_days: Math.floor((sight.now - (finding.updatedAt ?? finding.createdAt)) / 86_400_000),
      })),
      ...(scope === 'by_agent' && {
        by_agent: [...writers].slice(0, TOP).map(([agentId, of]) => ({ name: sight.name(agentId), buckets: of })),
      }),
      model_used: false as const,
    };
    // The reference's clients read the nested object alone, and take its absence for an empty one.
    return ok({ ...found, audit: { ...found, total_audited: found.total } });
  };

  return { search, get, list, details, stats, audit };
};

const filtersOf = (by: Narrowing): Facts => ({
  ...(by.status !== null && { status: by.status }),
  ...(by.tags.length > 0 && { tags: by.tags.slice(0, 10) }),
  ...(by.type !== null && { type: by.type }),
  ...(by.severity !== null && { severity: by.severity }),
  ...(by.agent !== null && { agent: true }),
  ...((by.after !== null || by.before !== null) && { time: true }),
});
