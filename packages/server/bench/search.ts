import { ensurePartitions, migrate, openDatabase, startEmbedded, type Database } from '../src/postgres/index.ts';
import { seededRandom, type Random } from '../src/runtime/index.ts';
import { callsOf, dispatcherOf } from '../testing/calls.ts';
import { testNode } from '../testing/node.ts';
import type { Json } from '../testing/rest.ts';

/** How long searches of one kind take, from the call to the answer; ms. */
export interface SearchCost {
  readonly kind: string;
  readonly searches: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

const WORDS = 20_000;
const SEARCHES = 600;
const WARM_UP = 60;

/** Words of four syllables, no two alike; the first of them are as frequent in the texts as "the" and "of" are in ours. */
const VOCABULARY = `
  CREATE UNLOGGED TABLE bench_words AS
  SELECT rank, (SELECT string_agg(substr('bdfgklmnprstvz', 1 + (rank / s.consonant) % 14, 1) ||
                                  substr('aeiou', 1 + (rank / s.vowel) % 5, 1), '' ORDER BY s.n)
                FROM (VALUES (1, 1, 3), (2, 14, 17), (3, 196, 85), (4, 7, 11)) AS s (n, consonant, vowel)) AS word
  FROM generate_series(1, ${WORDS}) AS rank`;

/**
 * Texts of 40 to 400 words, drawn so that a word's frequency is one over its rank; a path in each, tags drawn alike, the
 * kinds and states mixed, over two years.
 */
const FINDINGS = `
  INSERT INTO knowledge.discoveries (id, agent_id, type, severity, status, created_at, resolved_at, archived_at, summary,
    details, tags)
  SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'bench-' || i % 200,
    (ARRAY['note', 'insight', 'bug_found', 'learning', 'observation', 'question', 'pattern'])[1 + i % 7],
    (ARRAY['low', 'low', 'low', 'medium', 'medium', 'high', 'critical'])[1 + i % 7], state, at,
    CASE WHEN state <> 'open' THEN at + interval '1 day' END,
    CASE WHEN state IN ('archived', 'cold') THEN at + interval '31 days' END,
    array_to_string(words[1:14], ' '),
    array_to_string(words[15:], ' ') || format(' src/%s/%s.ts', words[1], words[2]),
    ARRAY(SELECT DISTINCT word FROM unnest(words[3:5]) AS word)
  FROM (
    SELECT i, now() - (n.count - i) * (interval '2 years' / n.count) AS at, array_agg(word) AS words,
      (ARRAY['open', 'open', 'open', 'open', 'open', 'open', 'resolved', 'open', 'archived', 'cold'])[1 + i % 10] AS state
    FROM (SELECT $1::int AS count) n, LATERAL (
      SELECT i, exp(random() * ln(${WORDS}))::int AS rank
      FROM generate_series(1, n.count) AS i, LATERAL generate_series(1, 40 + (i * 7919) % 361)
    ) drawn JOIN bench_words USING (rank) GROUP BY i, n.count
  ) f`;

const SEARCH_INDEX = `SELECT indexdef FROM pg_indexes WHERE schemaname = 'knowledge' AND indexname = 'discoveries_search'`;

const fill = async (database: Database, findings: number): Promise<void> => {
  await database.transaction(async (tx) => {
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    await tx.query({ text: 'SELECT setseed(0.5)' });
    await tx.query({ text: VOCABULARY });
    // Built at once in the end: a hundred thousand insertions into it would be most of the time.
    const [index] = await tx.query<{ indexdef: string }>({ text: SEARCH_INDEX });
    if (index === undefined) throw new Error('there is no index to search by');
    await tx.query({ text: 'DROP INDEX knowledge.discoveries_search' });
    await tx.query({ text: FINDINGS, values: [findings] });
    await tx.query({ text: index.indexdef });
  });
  await database.query({ text: 'VACUUM ANALYZE knowledge.discoveries' });
};

/** The searches of a fleet: topics that somebody wrote about, single words, the commonest words, sentences, filters. */
const queriesOf = async (database: Database, random: Random): Promise<{ kind: string; args: Json }[]> => {
  const rows = await database.query<{ word: string }>({ text: 'SELECT word FROM bench_words ORDER BY rank' });
  const word = (least = 1, most = WORDS): string => {
    const rank = Math.floor(least * (most / least) ** random());
    return rows[Math.min(most, rank) - 1]?.word ?? '';
  };
  const written = await database.query<{ details: string; tag: string }>({
    text: `SELECT details, tags[1] AS tag FROM knowledge.discoveries WHERE status = 'open' ORDER BY md5(id) LIMIT 1000`,
  });
  const kinds: Readonly<Record<string, (i: number) => Json>> = {
    topic: (i) => {
      const words = (written[i]?.details ?? '').split(' ');
      const pick = () => words[Math.floor(random() * words.length)] ?? '';
      return { query: `${pick()} ${pick()} ${pick()}` };
    },
    'one word': () => ({ query: word(20) }),
    'common words': () => ({ query: `${word(1, 60)} ${word(1, 60)}` }),
    sentence: () => ({ query: Array.from({ length: 8 }, () => word(5)).join(' ') }),
    'word and filters': (i) => ({
      query: word(1, 500),
      ...(i % 2 === 0 ? { discovery_type: 'bug_found', severity: 'low' } : { tags: [written[i]?.tag ?? 'x'] }),
    }),
    'filters alone': (i) => ({ tags: [written[i]?.tag ?? 'x'], status: 'open' }),
  };
  return Object.entries(kinds).flatMap(([kind, args]) =>
    Array.from({ length: SEARCHES / Object.keys(kinds).length }, (_, i) => ({ kind, args: args(i) })),
  );
};

const costOf = (kind: string, taken: readonly number[]): SearchCost => {
  const sorted = taken.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { kind, searches: taken.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
};

/**
 * Fills a fresh database with findings and searches it, one search after another, through the whole chain of a call and with
 * its row in the audit trail. Gives the cost of all searches first, then of each kind.
 */
export const searchMs = async (dataDir: string, findings = 100_000): Promise<SearchCost[]> => {
  const server = await startEmbedded({ dataDir });
  const database = openDatabase({ target: server.target, onError: () => undefined });
  await migrate(database);
  await ensurePartitions(database, Date.now());
  await fill(database, findings);
  const node = await testNode(database);
  const call = callsOf(dispatcherOf(node, database));
  const random = seededRandom(1);
  const queries = (await queriesOf(database, random))
    .map((query) => ({ query, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ query }) => query);
  const taken = new Map<string, number[]>();
  for (const [i, { kind, args }] of [...queries.slice(0, WARM_UP), ...queries].entries()) {
    const started = performance.now();
    const { ok, body } = await call('search_shared_memory', args);
    if (!ok) throw new Error(`a search was refused: ${JSON.stringify(body)}`);
    if (i >= WARM_UP) taken.set(kind, [...(taken.get(kind) ?? []), performance.now() - started]);
  }
  await node.stop();
  await database.close();
  await server.stop();
  return [costOf('all', [...taken.values()].flat()), ...[...taken].map(([kind, each]) => costOf(kind, each))];
};
