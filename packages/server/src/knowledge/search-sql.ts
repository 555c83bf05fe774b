import type { Statement } from '../postgres/index.ts';
import type { Status } from './rules/finding.ts';
import { COLUMNS, type FindingRow } from './sql.ts';
import { iso } from '../runtime/index.ts';

/** What a reader narrows findings by; null and empty: not by this. */
export interface Filter {
  readonly status: Status | null;
  /** Statuses that are left out. */
  readonly without: readonly Status[];
  /** Any of them. */
  readonly tags: readonly string[];
  readonly type: string | null;
  readonly severity: string | null;
  readonly agentIds: readonly string[] | null;
  readonly exceptAgents: readonly string[];
  /** ms since the epoch. */
  readonly after: number | null;
  readonly before: number | null;
  readonly epoch: number | null;
}

export const NO_FILTER: Filter = {
  status: null,
  without: [],
  tags: [],
  type: null,
  severity: null,
  agentIds: null,
  exceptAgents: [],
  after: null,
  before: null,
  epoch: null,
};

/** Values of a statement that is put together; gives each its place. */
class Values {
  readonly list: unknown[] = [];

  add(value: unknown, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

/** Only what is asked for stands in the statement: PostgreSQL plans by the values, and an unused branch would mislead it. */
const conditions = (filter: Filter, values: Values): string => {
  const parts = ['true'];
  if (filter.status !== null) parts.push(`d.status = ${values.add(filter.status, 'text')}`);
  if (filter.without.length > 0) parts.push(`d.status <> ALL (${values.add(filter.without, 'text[]')})`);
  if (filter.tags.length > 0) parts.push(`d.tags && ${values.add(filter.tags, 'text[]')}`);
  if (filter.type !== null) parts.push(`d.type = ${values.add(filter.type, 'text')}`);
  if (filter.severity !== null) parts.push(`d.severity = ${values.add(filter.severity, 'text')}`);
  if (filter.agentIds !== null) parts.push(`d.agent_id = ANY (${values.add(filter.agentIds, 'text[]')})`);
  if (filter.exceptAgents.length > 0) parts.push(`d.agent_id <> ALL (${values.add(filter.exceptAgents, 'text[]')})`);
  if (filter.after !== null) parts.push(`d.created_at >= ${values.add(iso(filter.after), 'timestamptz')}`);
  if (filter.before !== null) parts.push(`d.created_at < ${values.add(iso(filter.before), 'timestamptz')}`);
  if (filter.epoch !== null) parts.push(`d.epoch = ${values.add(filter.epoch, 'int')}`);
  return parts.join(' AND ');
};

/** Findings that pass a filter, newest first. */
export const selectNewest = (filter: Filter, limit: number, offset: number): Statement => {
  const values = new Values();
  return {
    text: `SELECT ${COLUMNS} FROM knowledge.discoveries d WHERE ${conditions(filter, values)}
           ORDER BY d.created_at DESC, d.id DESC LIMIT ${values.add(limit, 'int')} OFFSET ${values.add(offset, 'int')}`,
    values: values.list,
  };
};

/** Has PostgreSQL make a query of each word or phrase, by the rule that texts are indexed by; empty where there is nothing to search by. */
export const compileParts = (parts: readonly string[]): Statement => ({
  name: 'knowledge.compile',
  text: `SELECT ARRAY(SELECT knowledge.query_of(t)::text FROM unnest($1::text[]) WITH ORDINALITY AS u (t, n) ORDER BY n) AS parts`,
  values: [parts],
});

/** A hit of a search: how well it fits, and how many findings it was chosen from. */
export interface HitRow extends FindingRow {
  readonly score: number;
  readonly considered: number;
  /** There were more matches than were ranked. */
  readonly bounded: boolean;
  /** Whether each of the terms is there; only of a search for any of them. */
  readonly matched?: readonly boolean[];
}

/** What bounds a search, whatever is searched for and however much is stored. */
interface Bounds {
  /** Newest findings that are looked through before an index is asked. */
  readonly near: number;
  /** Matches that are ranked, newest first. */
  readonly ranked: number;
}

/**
 * Measured on 100,000 findings: looking through one costs 5 µs, an index gives a thousand matches a millisecond. So a word
 * that is in a fifth of all findings or more is found among the newest ones, and every other one by the index; either way
 * a search takes some ten milliseconds. Ranking every match of a common word would take a second.
 */
const ALL: Bounds = { near: 1000, ranked: 200 };
const ANY: Bounds = { near: 600, ranked: 240 };
const LEAST_PER_TERM = 20;
/** A term that so many of the newest findings hold is not looked for among the older ones. */
const OFTEN = 8;

/**
 * What PostgreSQL cannot know of a search, for one transaction: starting other processes takes longer than the search itself,
 * and comparing a text is no cheap operator (its vector must be fetched and unpacked), so an index for it is always better
 * than going through all of them.
 */
export const PLAN_FOR_SEARCH: Statement = {
  name: 'knowledge.plan_for_search',
  text: `SELECT set_config('max_parallel_workers_per_gather', '0', true), set_config('cpu_operator_cost', '0.05', true),
           set_config('enable_seqscan', 'off', true)`,
};

const ORDER = { relevance: 'score DESC, created_at DESC', created_at: 'created_at DESC' } as const;
export type SortBy = keyof typeof ORDER;

/**
 * Findings that match the whole query, best first. Nothing is prepared under a name: the plan must be made for this very
 * query, since words differ in frequency by a factor of ten thousand.
 */
export const selectMatchingAll = (query: string, filter: Filter, sort: SortBy, limit: number): Statement => {
  const values = new Values();
  const where = conditions(filter, values);
  const q = values.add(query, 'tsquery');
  return {
    text: `
      WITH recent AS MATERIALIZED (
        SELECT d.id, d.created_at, d.search_vector FROM knowledge.discoveries d WHERE ${where}
        ORDER BY d.created_at DESC LIMIT ${ALL.near}
      ), near AS MATERIALIZED (
        SELECT * FROM recent WHERE search_vector @@ ${q} ORDER BY created_at DESC LIMIT ${ALL.ranked}
      ), far AS MATERIALIZED (
        SELECT d.id, d.created_at, d.search_vector FROM knowledge.discoveries d
        WHERE ${where} AND d.search_vector @@ ${q}
          AND (SELECT count(*) FROM near) < ${ALL.ranked} AND (SELECT count(*) FROM recent) = ${ALL.near}
        ${NOT_BY_TIME} LIMIT ${ALL.ranked}
      ), hit AS MATERIALIZED (
        SELECT id, created_at, ts_rank(search_vector, ${q}, 1) AS score
        FROM (SELECT * FROM far UNION ALL SELECT * FROM near WHERE NOT EXISTS (SELECT FROM far)) c
      )
      SELECT ${COLUMNS}, s.score, n.considered, n.considered >= ${ALL.ranked} AS bounded
      FROM (SELECT * FROM hit ORDER BY ${ORDER[sort]} LIMIT ${values.add(limit, 'int')}) s
      CROSS JOIN (SELECT count(*) AS considered FROM hit) n
      JOIN knowledge.discoveries d ON d.id = s.id
      ORDER BY ${ORDER[sort].replace('created_at', 's.created_at')}`,
    values: values.list,
  };
};

/** An order by an expression keeps PostgreSQL from walking back through time for a word that nobody wrote lately. */
const NOT_BY_TIME = `ORDER BY d.created_at + interval '0' DESC`;

/**
 * Findings that match any of the terms (and `excluded` besides, when it is not empty), best first: those that hold more of
 * the terms, and rarer ones, and hold them in the summary. Every term has its own candidates, so that a rare word is not
 * lost among those of a common one. How rare a term is, its share among the newest findings says.
 */
export const selectMatchingAny = (
  terms: readonly string[],
  excluded: string,
  filter: Filter,
  sort: SortBy,
  limit: number,
): Statement => {
  const values = new Values();
  const where = conditions(filter, values);
  const perTerm = Math.max(LEAST_PER_TERM, Math.ceil(ANY.ranked / terms.length));
  const without = excluded === '' ? '' : ` && ${values.add(excluded, 'tsquery')}`;
  const queries = terms.map((term) => `(${values.add(term, 'tsquery')}${without})`);
  const marks = `ARRAY[${queries.map((q) => `v @@ ${q}`).join(', ')}]`;
  const far = queries.map(
    (q, i) => `
      far${i} AS MATERIALIZED (
        SELECT d.id FROM knowledge.discoveries d
        WHERE ${where} AND d.search_vector @@ ${q}
          AND (SELECT n[${i + 1}] FROM share) < ${OFTEN} AND (SELECT rows FROM share) = ${ANY.near}
        ${NOT_BY_TIME} LIMIT ${perTerm}
      )`,
  );
  const near = queries.map(
    (_, i) => `(SELECT id FROM marked WHERE m[${i + 1}] ORDER BY created_at DESC LIMIT ${perTerm})`,
  );
  const shares = queries.map((_, i) => `count(*) FILTER (WHERE m[${i + 1}])`);
  const weights = queries.map((_, i) => `ln(1 + ${ANY.near} / (n[${i + 1}] + 0.5))`);
  const bounded = queries
    .map((_, i) => `(SELECT n[${i + 1}] FROM share) >= ${OFTEN} OR (SELECT count(*) FROM far${i}) = ${perTerm}`)
    .join(' OR ');
  const weight = queries.map((_, i) => `CASE WHEN m[${i + 1}] THEN w[${i + 1}] ELSE 0 END`);
  return {
    text: `
      WITH recent AS (
        SELECT d.id, d.created_at, d.search_vector FROM knowledge.discoveries d WHERE ${where}
        ORDER BY d.created_at DESC LIMIT ${ANY.near}
      ), marked AS MATERIALIZED (
        SELECT id, created_at, ${marks} AS m
        FROM (SELECT id, created_at, ${IN_MEMORY} FROM recent OFFSET 0) r
      ), share AS MATERIALIZED (
        SELECT n, rows, ARRAY[${weights.join(', ')}] AS w
        FROM (SELECT ARRAY[${shares.join(', ')}] AS n, count(*) AS rows FROM marked) s
      ), ${far.join(', ')}, candidate AS (
        ${[...near, ...queries.map((_, i) => `(SELECT id FROM far${i})`)].join(' UNION ')}
      ), held AS MATERIALIZED (
        SELECT id, created_at, ${marks} AS m, ts_rank(v, ${queries.join(' || ')}, 1) AS rank
        FROM (SELECT d.id, d.created_at, ${IN_MEMORY}
              FROM candidate c JOIN knowledge.discoveries d ON d.id = c.id OFFSET 0) r
      ), hit AS MATERIALIZED (
        SELECT id, created_at, m, (${weight.join(' + ')} + rank) / (SELECT sum(x) + 1 FROM unnest(w) x) AS score
        FROM held CROSS JOIN share
      )
      SELECT ${COLUMNS}, s.score, s.m AS matched, t.considered, (SELECT rows FROM share) = ${ANY.near} AND (${bounded}) AS bounded
      FROM (SELECT * FROM hit ORDER BY ${ORDER[sort]} LIMIT ${values.add(limit, 'int')}) s
      CROSS JOIN (SELECT count(*) AS considered FROM hit) t
      JOIN knowledge.discoveries d ON d.id = s.id
      ORDER BY ${ORDER[sort].replace('created_at', 's.created_at')}`,
    values: values.list,
  };
};

/** Unpacks a vector once, where it is compared with many queries; each comparison would unpack it again. */
const IN_MEMORY = `search_vector || ''::tsvector AS v`;
