import { ok, refuse, type Result } from '@breakwater/contract';
import type { AgentHead, Agents } from '../agents/index.ts';
import { visibleId, visibleName, type Viewer } from '../lifecycle/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Clock } from '../runtime/index.ts';
import * as reports from './report-sql.ts';
import { EPOCH, type Finding } from './rules/finding.ts';
import { composeQuery } from './rules/query.ts';
import type { Narrowing, SearchRequest } from './rules/search.ts';
import type { Hit, ReadDetails, Sight } from './rules/view.ts';
import * as search from './search-sql.ts';
import * as sql from './sql.ts';

/** What a search found, and how. */
export interface Found {
  readonly findings: readonly { readonly finding: Finding; readonly hit: Hit }[];
  readonly operator: 'AND' | 'OR' | null;
  /** Nothing held all the words, so findings that hold any of them were looked for. */
  readonly fellBack: boolean;
  /** Matches that were compared with each other. */
  readonly considered: number;
  /** There are more matches than that. */
  readonly bounded: boolean;
  /** Words that were looked for one by one. */
  readonly terms: readonly string[];
  /** What was asked for and cannot be searched by: words that are in every text, and symbols alone. */
  readonly notSearched: readonly string[];
}

/** Counts of what is known. */
export interface Counts {
  readonly kinds: readonly reports.KindRow[];
  readonly writers: readonly { readonly agent_id: string; readonly n: number }[];
  readonly tags: readonly { readonly tag: string; readonly n: number }[];
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi;
const NAMED = 20;
const LINKS = 50;
const RESPONSES = 20;

const dashed = (id: string): string =>
  id
    .toLowerCase()
    .replaceAll('-', '')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** Reads findings, for whoever asks. */
export class Reader {
  readonly #database: Database;
  readonly #agents: Agents;
  readonly #clock: Clock;

  constructor(options: { database: Database; agents: Agents; clock: Clock }) {
    this.#database = options.database;
    this.#agents = options.agents;
    this.#clock = options.clock;
  }

  get now(): number {
    return this.#clock.now();
  }

  /**
   * What this viewer may see (BW-identity.14). Ids of agents are taken out of texts, too; other uuids stay, since a finding
   * about a trace or a row is worth nothing without its id.
   */
  sightOf(viewer: Viewer): Sight {
    const id = (agentId: string): string =>
      this.#isAgent(agentId) || UUID_WHOLE.test(agentId) ? visibleId(agentId, viewer).id : agentId;
    return {
      now: this.now,
      id,
      name: (agentId) => {
        const head = this.#head(agentId);
        return head === undefined ? id(agentId) : visibleName(head, viewer);
      },
      text: (text) =>
        text.replace(UUID, (uuid) => (this.#isAgent(dashed(uuid)) ? visibleId(dashed(uuid), viewer).id : uuid)),
      owns: (agentId) => viewer.operator || viewer.agentId === agentId,
    };
  }

  /** Searches: all words first, then any of them, unless the request says which (BW-knowledge.02). */
  async search(request: SearchRequest, limit: number): Promise<Result<Found>> {
    const filter = this.#filterOf(request);
    if (!filter.ok) return filter;
    const { query, sort } = request;
    if (query === null) {
      const rows = await this.#newest(filter.value, limit, 0);
      return ok({
        findings: rows.map((finding) => ({ finding, hit: { score: null, matched: null } })),
        operator: null,
        fellBack: false,
        considered: rows.length,
        bounded: rows.length === limit,
        terms: [],
        notSearched: [],
      });
    }
    return this.#database.transaction(async (tx) => {
      await tx.query(search.PLAN_FOR_SEARCH);
      const compile = search.compileParts(query.parts.map(({ text }) => text));
      const [compiled] = await tx.query<{ parts: string[] }>(compile);
      if (compiled === undefined) throw new Error('a query was not compiled');
      const { all, terms, excluded, notSearched } = composeQuery(query, compiled.parts);
      if (all === '') return refuseQuery(excluded !== '');
      const several = terms.length > 1;
      if (request.operator !== 'OR' || !several) {
        const rows = await tx.query<search.HitRow>(search.selectMatchingAll(all, filter.value, sort, limit));
        if (rows.length > 0 || request.operator === 'AND' || !several) {
          return ok({ ...foundOf(rows, 'AND', false, []), notSearched });
        }
      }
      const queries = terms.map((term) => term.query);
      const any = search.selectMatchingAny(queries, excluded, filter.value, sort, limit);
      const rows = await tx.query<search.HitRow>(any);
      const words = terms.map(({ word }) => word);
      return ok({ ...foundOf(rows, 'OR', request.operator !== 'OR', words), notSearched });
    });
  }

  /** Findings that pass, newest first. */
  async list(
    narrowing: Narrowing,
    page: { readonly limit: number; readonly offset: number },
  ): Promise<Result<Finding[]>> {
    const filter = this.#filterOf(narrowing);
    return filter.ok ? ok(await this.#newest(filter.value, page.limit, page.offset)) : filter;
  }

  async find(id: string): Promise<Finding | undefined> {
    const [row] = await this.#database.query<sql.FindingRow>(sql.selectFindings([id]));
    return row && sql.findingFromRow(row);
  }

  /** The first characters of the details of each. */
  async detailsOf(ids: readonly string[], most: number): Promise<ReadonlyMap<string, ReadDetails>> {
    if (ids.length === 0 || most === 0) return new Map();
    const rows = await this.#database.query<ReadDetails & { id: string }>(sql.selectDetails(ids, most));
    return new Map(rows.map((row) => [row.id, row]));
  }

  async wholeDetails(id: string): Promise<string> {
    const [row] = await this.#database.query<{ text: string }>(sql.selectWholeDetails(id));
    return row?.text ?? '';
  }

  /** What answers a finding, and what it is linked with. */
  async surroundings(id: string): Promise<{ responses: Finding[]; edges: reports.EdgeRow[] }> {
    const [responses, edges] = await Promise.all([
      this.#database.query<sql.FindingRow>(reports.selectResponses(id, RESPONSES)),
      this.#database.query<reports.EdgeRow>(reports.selectEdges(id, LINKS)),
    ]);
    return { responses: responses.map(sql.findingFromRow), edges };
  }

  /** The conversation around a finding, by how many steps it is away; below 0 what came before. */
  async chain(id: string, depth: number): Promise<{ depth: number; finding: Finding }[]> {
    const rows = await this.#database.query<reports.ChainRow>(reports.selectChain(id, depth, LINKS));
    const stored = await this.#database.query<sql.FindingRow>(sql.selectFindings(rows.map((row) => row.id)));
    const byId = new Map(stored.map((row) => [row.id, sql.findingFromRow(row)]));
    return rows.flatMap((row) => {
      const finding = byId.get(row.id);
      return finding === undefined ? [] : [{ depth: row.depth, finding }];
    });
  }

  async counts(what: { readonly currentOnly: boolean; readonly cold: boolean }, most: number): Promise<Counts> {
    const counted = { epoch: what.currentOnly ? EPOCH : null, cold: what.cold };
    const [kinds, writers, tags] = await Promise.all([
      this.kinds(what),
      this.#database.query<{ agent_id: string; n: number }>(reports.countWriters(counted, most)),
      this.#database.query<{ tag: string; n: number }>(reports.countTags(counted, most)),
    ]);
    return { kinds, writers, tags };
  }

  async kinds(what: { readonly currentOnly: boolean; readonly cold: boolean }): Promise<reports.KindRow[]> {
    return this.#database.query(reports.countKinds({ epoch: what.currentOnly ? EPOCH : null, cold: what.cold }));
  }

  /** How old the findings are that somebody could still act on, and the oldest of the stale ones. */
  async audit(
    scope: 'open' | 'all' | 'by_agent',
    most: number,
  ): Promise<{ buckets: reports.BucketRow[]; byAgent: reports.BucketRow[]; stale: Finding[] }> {
    const all = scope === 'all';
    const [buckets, byAgent, stale] = await Promise.all([
      this.#database.query<reports.BucketRow>(reports.countBuckets(all, false, this.now)),
      scope === 'by_agent'
        ? this.#database.query<reports.BucketRow>(reports.countBuckets(all, true, this.now))
        : Promise.resolve([]),
      this.#database.query<sql.FindingRow>(reports.selectStale(all, most, this.now)),
    ]);
    return { buckets, byAgent, stale: stale.map(sql.findingFromRow) };
  }

  /** The agents that an id or a name stands for. */
  agentsOf(named: string): Result<readonly string[]> {
    if (UUID_WHOLE.test(named)) return ok([named.toLowerCase()]);
    if (/^(anon-|operator:)/.test(named)) return ok([named]);
    const ids = this.#labelled((label) => label === named);
    return ids.length > 0
      ? ok(ids.slice(0, NAMED))
      : refuse('AGENT_NOT_FOUND', `No agent has this id or name: ${named}`, {
          recovery: {
            action: 'Leave the agent out, or take its name from a finding.',
            related_tools: ['knowledge', 'agent'],
          },
        });
  }

  #filterOf(by: Narrowing): Result<search.Filter> {
    const agents = by.agent === null ? undefined : this.agentsOf(by.agent);
    if (agents?.ok === false) return agents;
    const { status, without, tags, type, severity, after, before } = by;
    const labels = new Set(by.exceptLabels);
    return ok({
      ...search.NO_FILTER,
      status,
      without,
      tags,
      type,
      severity,
      after,
      before,
      agentIds: agents?.value ?? null,
      exceptAgents: labels.size === 0 ? [] : this.#labelled((label) => labels.has(label)),
    });
  }

  #labelled(wanted: (label: string) => boolean): string[] {
    const ids: string[] = [];
    for (const [agentId, { label }] of this.#agents.table.entries()) {
      if (label !== null && wanted(label)) ids.push(agentId);
    }
    return ids;
  }

  async #newest(filter: search.Filter, limit: number, offset: number): Promise<Finding[]> {
    const rows = await this.#database.query<sql.FindingRow>(search.selectNewest(filter, limit, offset));
    return rows.map(sql.findingFromRow);
  }

  #head(agentId: string): AgentHead | undefined {
    const reading = this.#agents.table.read(agentId);
    return reading.ok ? reading.value : undefined;
  }

  #isAgent(agentId: string): boolean {
    return this.#head(agentId) !== undefined;
  }
}

const UUID_WHOLE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A query that finds nothing because of how it is put; searching all the same would look like an answer. */
const refuseQuery = (excludes: boolean): Result<never> => {
  const why = excludes
    ? 'must ask for a word that is to be there, and not only for what is not'
    : 'must hold a word that is not in every text (such as "the", "and", "not"), and not symbols alone';
  return refuse('PARAMETER_ERROR', `query ${why}.`, {
    details: {
      error_type: 'parameter_error',
      tool_name: 'knowledge',
      parameter: 'query',
      errors: [{ field: 'query', message: why, type: 'rule' }],
    },
  });
};

const foundOf = (
  rows: readonly search.HitRow[],
  operator: 'AND' | 'OR',
  fellBack: boolean,
  terms: readonly string[],
): Omit<Found, 'notSearched'> => ({
  findings: rows.map((row) => ({
    finding: sql.findingFromRow(row),
    hit: {
      score: Math.round(row.score * 10_000) / 10_000,
      matched: row.matched === undefined ? null : terms.filter((_, i) => row.matched?.[i] === true),
    },
  })),
  operator,
  fellBack,
  considered: rows[0]?.considered ?? 0,
  bounded: rows[0]?.bounded ?? false,
  terms,
});
