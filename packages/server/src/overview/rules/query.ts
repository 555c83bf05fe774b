import { accept, refuse, type Outcome } from '@breakwater/contract';
import { AGENT_SORTS, AGENT_STATUS_FILTERS, VERDICTS } from '@breakwater/contract/overview';
import type { AgentsQuery } from './agents.ts';

/** What stands behind the question mark of an address, as the server has read it. */
export type RawQuery = Readonly<Record<string, unknown>>;

const MAX_TEXT = 200;
const REVIEW_STATUSES = ['open', 'waiting', 'resolved', 'failed', 'all'] as const;

const wrong = (field: string, message: string) =>
  refuse('BAD_REQUEST', `"${field}" ${message}.`, {
    details: { field },
    recovery: { action: `Correct "${field}" in the query of the address, or leave it out.` },
  });

/** Reads one field after the other, and keeps the first refusal. */
class Reader {
  readonly #raw: RawQuery;
  #refused: ReturnType<typeof wrong> | undefined;

  constructor(raw: RawQuery, known: readonly string[]) {
    this.#raw = raw;
    const unknown = Object.keys(raw).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      this.#refused = wrong(unknown, `is no field of this query; known are ${known.join(', ') || 'none'}`);
    }
  }

  text(field: string): string | undefined {
    const value = this.#raw[field];
    if (value === undefined || value === '') return undefined;
    if (typeof value === 'string' && value.length <= MAX_TEXT && !/\p{Cc}/u.test(value)) return value;
    this.#refused ??= wrong(field, `must be one text of at most ${MAX_TEXT} characters, on one line`);
    return undefined;
  }

  word<W extends string>(field: string, words: readonly W[]): W | undefined {
    const value = this.text(field);
    if (value === undefined) return undefined;
    const found = words.find((word) => word === value);
    if (found === undefined) this.#refused ??= wrong(field, `must be one of ${words.join(', ')}`);
    return found;
  }

  number(field: string, from: number, to: number): number | undefined {
    const value = this.text(field);
    if (value === undefined) return undefined;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= from && number <= to) return number;
    this.#refused ??= wrong(field, `must be a whole number from ${from} to ${to}`);
    return undefined;
  }

  done<T>(value: T): Outcome<T> {
    return this.#refused ?? accept(value);
  }
}

/** Reads the query of a list of agents. Refuses BAD_REQUEST, naming the field and what it may be. */
export const readAgentsQuery = (raw: RawQuery): Outcome<AgentsQuery> => {
  const read = new Reader(raw, ['search', 'status', 'verdict', 'tag', 'sort', 'order', 'offset', 'limit']);
  const sort = read.word('sort', AGENT_SORTS) ?? 'activity';
  const order = read.word('order', ['asc', 'desc']) ?? (sort === 'name' || sort === 'status' ? 'asc' : 'desc');
  return read.done({
    search: read.text('search'),
    status: read.word('status', AGENT_STATUS_FILTERS) ?? 'present',
    verdict: read.word('verdict', VERDICTS),
    tag: read.text('tag'),
    sort,
    descending: order === 'desc',
    offset: read.number('offset', 0, 1_000_000) ?? 0,
    limit: read.number('limit', 1, 1000) ?? 50,
  });
};

/** Which reviews a list shows. */
export interface ReviewsQuery {
  readonly status: (typeof REVIEW_STATUSES)[number];
  readonly agent: string | undefined;
  readonly offset: number;
  readonly limit: number;
}

/** Reads the query of a list of reviews. Refuses BAD_REQUEST. */
export const readReviewsQuery = (raw: RawQuery): Outcome<ReviewsQuery> => {
  const read = new Reader(raw, ['status', 'agent', 'offset', 'limit']);
  return read.done({
    status: read.word('status', REVIEW_STATUSES) ?? 'all',
    agent: read.text('agent'),
    offset: read.number('offset', 0, 1_000_000) ?? 0,
    limit: read.number('limit', 1, 200) ?? 50,
  });
};

/** Reads how many rows are asked for. Refuses BAD_REQUEST. */
export const readLimit = (raw: RawQuery, most: number, usual: number): Outcome<number> => {
  const read = new Reader(raw, ['limit']);
  return read.done(read.number('limit', 1, most) ?? usual);
};

/** Reads which rows of a trail are asked for: `limit` of them, before the index `before`. Refuses BAD_REQUEST. */
export const readTrailQuery = (
  raw: RawQuery,
): Outcome<{ readonly before: number | undefined; readonly limit: number }> => {
  const read = new Reader(raw, ['before', 'limit']);
  return read.done({ before: read.number('before', 1, 1e15), limit: read.number('limit', 1, 200) ?? 50 });
};

/** Reads texts that a feature reads further. Refuses BAD_REQUEST. */
export const readTexts = <F extends string>(
  raw: RawQuery,
  fields: readonly F[],
): Outcome<Readonly<Partial<Record<F, string>>>> => {
  const read = new Reader(raw, fields);
  const texts: Partial<Record<F, string>> = {};
  for (const field of fields) {
    const text = read.text(field);
    if (text !== undefined) texts[field] = text;
  }
  return read.done(texts);
};
