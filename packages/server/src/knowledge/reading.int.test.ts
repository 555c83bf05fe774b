import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operator } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { agent, as, found, idsOf, store } from './testing/library.ts';
import { DAY_MS } from '../runtime/index.ts';

describe('search', async () => {
  const w = await testWorld();
  const ann = await agent(w, { name: 'Ann' });
  const bob = await agent(w, { name: 'Bob' });
  const lock = await store(w, ann, {
    summary: 'Two nodes deadlock on row locks',
    content: `The order is wrong in src/agents/sql.ts, seen by ${bob.uuid} in trace 5f0c1a52-1111-4222-8333-123456789abc.`,
    type: 'bug_found',
    severity: 'high',
    tags: ['Locks', 'PostgreSQL'],
  });
  w.clock.advance(1000);
  const order = await store(w, bob, {
    summary: 'Take row locks in id order',
    details: 'x'.repeat(3000),
    tags: ['locks'],
    type: 'pattern',
  });
  w.clock.advance(1000);
  const cache = await store(w, bob, {
    summary: 'The cache is cold after a restart',
    tags: ['cache'],
    severity: 'medium',
  });
  const search = (args: Json) => w.call('search_shared_memory', args);

  it('finds what holds all words, by their stems, and says so', async () => {
    verifies('BW-knowledge.01', 'BW-knowledge.02');
    const { body } = await search({ query: 'deadlocking node' });
    expect(idsOf(body)).toEqual([lock]);
    expect(body).toMatchObject({
      count: 1,
      total_count: 1,
      search_mode_used: 'fts',
      search_mode_requested: 'auto',
      operator_used: 'AND',
      fallback_used: false,
      fields_searched: ['summary', 'details', 'tags'],
    });
    expect(body['results']).toEqual(body['discoveries']);
  });

  it('falls back to any of the words, the most telling first, and says so', async () => {
    verifies('BW-knowledge.02');
    const { body } = await search({ query: 'row locks deadlock zebra' });
    expect(idsOf(body)).toEqual([lock, order]);
    expect(body).toMatchObject({
      operator_used: 'OR',
      fallback_used: true,
      explanation: expect.stringMatching(/some of its 4 words/) as string,
    });
    expect(found(body).map(({ matched }) => matched)).toEqual([
      ['row', 'locks', 'deadlock'],
      ['row', 'locks'],
    ]);
    expect(body).not.toHaveProperty('low_confidence');
    const weak = await search({ query: 'zebra quagga okapi cache' });
    expect(idsOf(weak.body)).toEqual([cache]);
    expect(weak.body).toMatchObject({ low_confidence: true, confidence_note: expect.any(String) as string });
  });

  it('does as it is told about words', async () => {
    verifies('BW-knowledge.02');
    const strict = await search({ query: 'row locks zebra', operator: 'and' });
    expect(strict.body).toMatchObject({ count: 0, operator_used: 'AND', fallback_used: false });
    const loose = await search({ query: 'deadlock cache', operator: 'OR' });
    expect(idsOf(loose.body).sort()).toEqual([lock, cache].sort());
    expect(loose.body).toMatchObject({ operator_used: 'OR', fallback_used: false });
    expect(idsOf((await search({ query: 'locks -"deadlock"' })).body)).toEqual([order]);
    expect(idsOf((await search({ query: '"row locks" zebra -"deadlock"' })).body)).toEqual([order]);
    expect((await search({ query: '"locks row"' })).body['count']).toBe(0);
  });

  it.each(['src/agents/sql.ts', 'agents/sql.ts', 'agents sql', 'sql.ts', 'AGENTS'])(
    'finds a path by %s',
    async (query) => {
      verifies('BW-knowledge.01');
      expect(idsOf((await search({ query })).body)).toEqual([lock]);
    },
  );

  it('without a query gives the newest first', async () => {
    const { body } = await search({});
    expect(idsOf(body)).toEqual([cache, order, lock]);
    expect(body).toMatchObject({ search_mode_used: 'filters' });
  });

  it.each([
    [{ query: ' ' }, 'query'],
    [{ query: 'the and of' }, 'query'],
    [{ query: '-"cache"' }, 'query'],
    [{ query: 'cache or -"deadlock"' }, 'query'],
    [{ tags: ['???'] }, 'tags'],
    [{ query: 'cache', severity: 'warn' }, 'severity'],
    [{ query: 'cache', limit: 0 }, 'limit'],
    [{ query: 'cache', limit: -1 }, 'limit'],
  ])('refuses what could only find everything or nothing: %j', async (args, parameter) => {
    verifies('BW-knowledge.02');
    expect(await search(args)).toMatchObject({ code: 'PARAMETER_ERROR', body: { parameter } });
  });

  it('refuses a text that is longer than any search', async () => {
    const refused = await search({ query: 'x'.repeat(8001) });
    expect(refused).toMatchObject({ code: 'PARAMETER_ERROR', body: { parameter: 'query' } });
  });

  it('by meaning is refused with what there is', async () => {
    verifies('BW-knowledge.02');
    const refused = await search({ query: 'cache', search_mode: 'semantic' });
    expect(refused).toMatchObject({ code: 'SEARCH_MODE_UNAVAILABLE', body: { available: ['auto', 'fts'] } });
    expect((await search({ query: 'cache', search_mode: 'fts' })).body).toMatchObject({
      search_mode_requested: 'fts',
      count: 1,
    });
  });

  it('narrows, with words and without', async () => {
    verifies('BW-knowledge.01', 'BW-knowledge.02');
    expect(idsOf((await search({ tags: 'LOCKS, other' })).body)).toEqual([order, lock]);
    expect((await search({ tags: ['locks'] })).body).toMatchObject({
      search_mode_used: 'filters',
      operator_used: null,
    });
    expect(idsOf((await search({ query: 'row', discovery_type: 'pattern' })).body)).toEqual([order]);
    expect(idsOf((await search({ query: 'row', severity: 'high' })).body)).toEqual([lock]);
    expect(idsOf((await search({ query: 'row', agent_id_filter: 'Bob' })).body)).toEqual([order]);
    expect(idsOf((await search({ query: 'row', agent_id_filter: ann.uuid })).body)).toEqual([lock]);
    expect(idsOf((await search({ query: 'row', exclude_agent_labels: ['Ann'] })).body)).toEqual([order]);
    expect((await search({ query: 'row', agent_id_filter: 'Nobody' })).code).toBe('AGENT_NOT_FOUND');
    const since = new Date(w.clock.now()).toISOString();
    expect(idsOf((await search({ created_after: since })).body)).toEqual([cache]);
    expect(idsOf((await search({ query: 'row locks', created_before: since, sort_by: 'created_at' })).body)).toEqual([
      order,
      lock,
    ]);
  });

  it('says as much as it is asked for', async () => {
    verifies('BW-knowledge.01');
    const [hit] = found((await search({ query: 'id order' })).body);
    expect(hit).toMatchObject({ id: order, by: 'Bob', details_truncated: true });
    expect(hit?.['details']).toHaveLength(2000);
    const [whole] = found((await search({ query: 'id order', include_details: true })).body);
    expect(whole?.['details']).toHaveLength(3000);
    const [bare] = found((await search({ query: 'id order', include_details: false })).body);
    expect(bare).not.toHaveProperty('details');
    expect(bare).not.toHaveProperty('details_preview');
    const [lean] = found((await search({ query: 'id order', response_mode: 'lean' })).body);
    expect(Object.keys(lean ?? {}).sort()).toEqual(['id', 'score', 'severity', 'status', 'summary', 'type']);
    const { body } = await search({ query: 'id order', limit: 101 });
    expect(body).toMatchObject({ limit: 100, limit_clamped_from: 101 });
  });

  it('takes ids of agents out of what others read, and leaves every other id', async () => {
    const details = async (args: Json, seen = {}) => {
      const { body } = await w.call('search_shared_memory', { query: 'deadlock', ...args }, seen);
      return String(found(body)[0]?.['details']);
    };
    for (const told of [await details({}), await details(as(ann))]) {
      expect(told).toMatch(/agent-redacted-[0-9a-f]{12} in trace 5f0c1a52-1111-4222-8333-123456789abc/);
      expect(told).not.toContain(bob.uuid);
    }
    expect(await details(as(bob))).toContain(bob.uuid);
    const reader = { operatorSecret: await operator(w.node, w.database, 'operator:read', 'rob') };
    expect(await details({}, reader)).toContain(bob.uuid);
  });

  it('that finds nothing says what to try', async () => {
    verifies('BW-knowledge.02');
    const { body } = await search({ query: 'zebra', tags: ['zoo'] });
    expect(body).toMatchObject({ count: 0, discoveries: [], results: [], message: 'Nothing was found.' });
    expect(body['empty_results_hints']).toContainEqual(expect.stringContaining('tags'));
  });

  it('is written down without what it should not keep', async () => {
    await search(as(ann, { query: 'cache password=hunter2 ann@example.org' }));
    const [row] = await w.rows(
      `SELECT agent_id, payload, chain_index FROM audit.events WHERE event_type = 'knowledge_read'
       AND payload ->> 'query' LIKE 'cache%[%'`,
    );
    expect(row).toEqual({
      agent_id: ann.uuid,
      payload: { action: 'search', query: 'cache […] […]', filters: {}, count: 1 },
      chain_index: null,
    });
  });

  it('leaves the archive out, and shows it when it is asked for', async () => {
    verifies('BW-knowledge.04');
    const id = await store(w, ann, { summary: 'an axolotl', tags: ['temp'] });
    const count = async (args: Json = {}) => (await search({ query: 'axolotl', ...args })).body['count'];
    await w.call('update_finding', as(ann, { discovery_id: id, status: 'archived' }));
    expect([await count(), await count({ include_archived: true }), await count({ status: 'archived' })]).toEqual([
      0, 1, 1,
    ]);
    await w.rows(`UPDATE knowledge.discoveries SET status = 'cold' WHERE id = $1`, id);
    expect([
      await count({ include_archived: true }),
      await count({ include_archived: true, include_cold: true }),
    ]).toEqual([0, 1]);
  });

  it('compares the newest of many matches, says so, and finds a rare word among common ones', async () => {
    verifies('BW-knowledge.02');
    await w.rows(
      `INSERT INTO knowledge.discoveries (id, agent_id, type, created_at, summary)
       SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'many', 'note', at, 'walrus ' || CASE i WHEN 3 THEN 'narwhal' ELSE 'tusk' END
       FROM (SELECT i, '2020-01-01'::timestamptz + i * interval '1 minute' AS at FROM generate_series(1, 1500) AS i) m`,
    );
    const common = await search({ query: 'walrus' });
    expect(common.body).toMatchObject({ total_count: null, candidates: { compared: 200, more: true } });
    expect(common.body['explanation']).toMatch(/newest 200/);
    expect(found(common.body)[0]?.['created_at']).toMatch(/^2020-01-02/);
    const rare = await search({ query: 'narwhal zebra walrus' });
    expect(found(rare.body)[0]).toMatchObject({ matched: ['narwhal', 'walrus'] });
    expect((await search({ query: 'narwhal' })).body['count']).toBe(1);
  });

  it('loses nothing in a restart', async () => {
    await w.restart();
    expect(idsOf((await search({ query: 'deadlock row' })).body)).toEqual([lock]);
    expect((await w.call('store_finding', as(ann, { summary: 'after the restart', type: 'note' }))).body).toMatchObject(
      {
        budget: { left: 17 },
      },
    );
  });
});

describe('get, list, details, stats and audit', async () => {
  const w = await testWorld();
  const ann = await agent(w, { name: 'Ann' });
  const bob = await agent(w, { name: 'Bob' });
  const question = await store(w, ann, {
    summary: 'Why is it slow?',
    type: 'question',
    details: `${'ä😀'.repeat(1500)}end`,
    tags: ['speed'],
  });
  w.clock.advance(1000);
  const answer = await store(w, bob, {
    summary: 'An index is missing',
    type: 'insight',
    tags: ['speed'],
    response_to: { discovery_id: question, response_type: 'answers' },
  });
  w.clock.advance(1000);
  const doubt = await store(w, ann, {
    summary: 'It is there',
    response_to: { discovery_id: answer, response_type: 'disagrees' },
  });
  const call = (action: string, args: Json = {}) => w.call('knowledge', { action, ...args });

  it('get gives one finding, or those of an agent', async () => {
    verifies('BW-knowledge.01');
    const one = await call('get', { discovery_id: answer });
    expect(one.body).toMatchObject({
      discovery: { id: answer, response_to: { discovery_id: question, response_type: 'answer' }, by: 'Bob' },
      count: 1,
    });
    expect(idsOf((await call('get', { agent_id: 'Ann' })).body)).toEqual([doubt, question]);
    expect(idsOf((await call('get', as(bob))).body)).toEqual([answer]);
    expect((await call('get', { discovery_id: 'x' })).code).toBe('DISCOVERY_NOT_FOUND');
    expect((await call('get')).code).toBe('MISSING_PARAMETER');
  });

  it('list gives them newest first, page by page, and how many there are', async () => {
    verifies('BW-knowledge.01');
    const first = await call('list', { limit: 2 });
    expect(idsOf(first.body)).toEqual([doubt, answer]);
    expect(first.body).toMatchObject({
      has_more: true,
      next_offset: 2,
      total_discoveries: 3,
      by_type: { question: 1 },
    });
    const second = await call('list', { limit: 2, offset: 2 });
    expect(idsOf(second.body)).toEqual([question]);
    expect(second.body).toMatchObject({ has_more: false });
    expect(idsOf((await call('list', { discovery_type: 'insight' })).body)).toEqual([answer]);
    expect((await call('list', { tags: ['!'] })).code).toBe('PARAMETER_ERROR');
  });

  it('details come in pages that halve no character, and join to the whole', async () => {
    verifies('BW-knowledge.01');
    let text = '';
    for (let offset: unknown = 0; offset !== undefined;) {
      const { body } = await call('details', { discovery_id: question, offset, length: 999 });
      expect(String(body['details']).isWellFormed()).toBe(true);
      expect(body['total_length']).toBe(3003);
      text += String(body['details']);
      offset = body['next_offset'];
    }
    expect(text).toBe(`${'ä😀'.repeat(1500)}end`);
    expect((await call('details', { discovery_id: question })).body).toMatchObject({ length: 2000, has_more: true });
    expect((await call('details', { discovery_id: question, offset: 9999 })).body).toMatchObject({
      details: '',
      has_more: false,
    });
    expect((await call('details')).code).toBe('MISSING_PARAMETER');
    expect((await call('details', { discovery_id: 'x' })).code).toBe('DISCOVERY_NOT_FOUND');
  });

  it('details show the conversation', async () => {
    verifies('BW-knowledge.01');
    const { body } = await w.call('get_response_chain_graph', { discovery_id: answer });
    expect(body).toMatchObject({
      responses_from: [{ id: doubt, response_type: 'disagree', by: 'Ann' }],
      response_chain: [
        { depth: -1, id: question, response_type: null },
        { depth: 0, id: answer, response_type: 'answer' },
        { depth: 1, id: doubt, response_type: 'disagree' },
      ],
    });
    expect((body['links'] as Json[]).map(({ id, link, direction }) => [id, link, direction]).sort()).toEqual(
      [
        [doubt, 'responds_to', 'from'],
        [question, 'related_to', 'to'],
        [question, 'responds_to', 'to'],
      ].sort(),
    );
    const near = await call('details', { discovery_id: question, include_response_chain: true, max_chain_depth: 1 });
    expect(near.body['response_chain']).toHaveLength(2);
  });

  it('stats count, and tell strangers no ids', async () => {
    verifies('BW-knowledge.01');
    const { body } = await call('stats');
    expect(body).toMatchObject({
      total_discoveries: 3,
      by_status: { open: 3 },
      by_type: { question: 1, insight: 1, note: 1 },
      by_severity: { low: 3 },
      top_tags: { speed: 2 },
      lifecycle: { active: 3, archived: 0, cold: 0 },
    });
    expect(body['by_agent']).toMatchObject([
      { name: 'Ann', count: 2 },
      { name: 'Bob', count: 1 },
    ]);
    expect(JSON.stringify(body)).not.toContain(ann.uuid);
    expect((await w.call('get_lifecycle_stats')).body).toMatchObject({ total_discoveries: 3 });
  });

  it('audit puts what is open into buckets by the time since anybody touched it', async () => {
    verifies('BW-knowledge.01');
    const at = w.clock.now();
    const old = (days: number, more = '') =>
      w.rows(
        `INSERT INTO knowledge.discoveries (id, agent_id, type, created_at, summary, tags)
         VALUES ('old-${days}${more}', $1, 'note', $2, 's', $3)`,
        ann.uuid,
        new Date(at - days * DAY_MS),
        more === '' ? [] : [more],
      );
    for (const days of [13, 14, 30, 89, 90]) await old(days);
    await old(400, 'decision');
    const { body } = await call('audit', { top_n: '2' });
    expect(body).toMatchObject({
      total: 9,
      buckets: { healthy: 4, aging: 1, stale: 2, candidate_for_archive: 1, permanent: 1 },
      top_stale: [{ id: 'old-90', untouched_days: 90, likely_stale: true }, { id: 'old-89' }],
      model_used: false,
      audit: {
        total_audited: 9,
        buckets: { healthy: 4, aging: 1, stale: 2, candidate_for_archive: 1, permanent: 1 },
        top_stale: [{ id: 'old-90' }, { id: 'old-89' }],
      },
    });
    const byAgent = await call('audit', { scope: 'by_agent' });
    expect(byAgent.body['by_agent']).toMatchObject([{ name: 'Ann' }, { name: 'Bob', buckets: { healthy: 1 } }]);
    await w.call('update_finding', as(ann, { discovery_id: 'old-90', status: 'resolved' }));
    expect((await call('audit')).body).toMatchObject({ total: 8, buckets: { candidate_for_archive: 0 } });
    expect((await call('audit', { scope: 'all' })).body).toMatchObject({ total: 9, buckets: { healthy: 5 } });
  });

  it('leave a row in the audit trail each, outside of every chain', async () => {
    const actions = await w.rows(
      `SELECT DISTINCT payload ->> 'action' AS action FROM audit.events
       WHERE event_type = 'knowledge_read' AND chain_index IS NULL ORDER BY 1`,
    );
    expect(actions.map(({ action }) => action)).toEqual(['audit', 'details', 'get', 'list', 'stats']);
  });
});

describe('what is stored is found', async () => {
  const w = await testWorld();
  const search = async (query: string) => (await w.call('search_shared_memory', { query, limit: 100 })).body;
  const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Hangul}]+/gu;

  /** What a reader may remember of a text: its words, their parts, pairs of neighbouring characters, and all without accents. */
  const remembered = (text: string): Set<string> => {
    const words = text.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word) && !/"/.test(word));
    const parts = words.flatMap((word) => word.split(/[^\p{L}\p{N}\p{M}]+/u));
    const names = parts.filter((part) => /\p{Ll}\p{Lu}/u.test(part));
    const humps = names.flatMap((part) => part.match(/\p{Lu}?[\p{Ll}\p{N}]+|\p{Lu}+(?!\p{Ll})/gu) ?? []);
    const runs = text.normalize('NFC').match(WITHOUT_SPACES) ?? [];
    const pairs = runs.flatMap((run) => Array.from(run).map((character, i, all) => character + (all[i + 1] ?? '')));
    const all = [...words, ...parts, ...humps, ...pairs];
    // The marks of kana and Thai are no accents.
    const plain = all.map((one) =>
      one
        .normalize('NFD')
        .replaceAll(/[\u0300-\u036f]/g, '')
        .normalize('NFC'),
    );
    return new Set([...all, ...plain].filter((one) => one !== ''));
  };
  /** Whether nothing can be searched by it: each of its words is a stop word of PostgreSQL's English. */
  const isStop = async (text: string): Promise<boolean> => {
    const words =
      text
        .normalize('NFKD')
        .replaceAll(/\p{Mn}/gu, '')
        .toLowerCase()
        .match(/[\p{L}\p{N}]+/gu) ?? [];
    const [row] = await w.rows(
      `SELECT coalesce(bool_and(ts_lexize('english_stem', word) = '{}'), true) AS stop FROM unnest($1::text[]) AS word`,
      words,
    );
    return row?.['stop'] === true;
  };

  /** Stores a text, and names what of it does not find it again, or is not found without a word about it. */
  const lost = async (text: string, where: 'summary' | 'details' = 'summary'): Promise<string[]> => {
    const writer = await agent(w, { name: 'Ann' });
    const finding = where === 'summary' ? { summary: text } : { summary: 'In the details', details: text };
    const id = await store(w, writer, { ...finding, tags: [] });
    const missed: string[] = [];
    for (const query of [text, text.normalize('NFC'), text.normalize('NFD'), ...remembered(text)]) {
      const body = await search(query);
      const told = body['success'] === false ? await isStop(query) : idsOf(body).includes(id);
      if (!told) missed.push(`${query} → ${JSON.stringify(body['error'] ?? idsOf(body).length)}`);
    }
    return missed;
  };

  it.each([
    'kubectl -n prod rollout restart deploy/api',
    'git push --force-with-lease origin main',
    'grep -v -5 access.log | head -n -1',
    'curl -H Accept:text/plain http://db-01.example.com:8080/health?deep=1#top',
    'postgres on db-01.example.com, not on DB-02.example.com.',
    'cafe\u0301 de\u0301ploye\u0301 a\u0300 neuf',
    'Überläufe in der Größe, naïve Ångström, Łódź, smørrebrød, œuvre',
    '数据库 连接 失败',
    '生产环境的数据库连接池耗尽，重启redis缓存后恢复。',
    'データベース接続が失敗した（タイムアウト）',
    'การเชื่อมต่อฐานข้อมูลล้มเหลว',
    '데이터베이스 연결이 끊어졌다',
    'Сервер «База-01» не отвечает…',
    'snake_case and camelCaseName in parseQuery() of HTTPServer.startNow, utf8mb4',
    "it's a don't-care, not -a- trap",
    'use <div class=wide> and &nbsp; in page.html',
    '--no-verify',
    'ﬁle ＡＢＣ１２３ costs 5€ → 6€—more',
    'v1.2.3-rc.1+build.7, 3.14e-5, 0xff, -42, 1_000, 50%',
    'C++ and C# and .NET and node:fs and @types/node and a@b.example.org',
    'user=alice;role=admin path=/var/lib/x.y/z error[E0599] $HOME/.config ~/bin {"key":1}',
  ])('%s: whole, by each of its words, and by their parts', async (text) => {
    verifies('BW-knowledge.02');
    expect(await lost(text)).toEqual([]);
    expect(await lost(text, 'details')).toEqual([]);
  });

  it('whatever words are put together with whatever symbols', { timeout: 120_000 }, async () => {
    verifies('BW-knowledge.02');
    const word = fc.constantFrom(
      'deploy', 'Tokens', 'réseau', 'parseJson', 'IOError', 'x9', '2026', '数据库', 'サーバー', 'Größe', 'сеть', 'the', 'ฐานข้อมูล',
    ); // prettier-ignore
    const joint = fc.constantFrom(' ', ' ', '-', '_', '.', '/', ':', '::', '=', '--', '@', '…', '“', '，', '→', ' -', '(', ')', '&', '<', '>', '#', "'"); // prettier-ignore
    const text = fc
      .array(fc.tuple(word, joint), { minLength: 1, maxLength: 6 })
      .map((pieces) => pieces.flat().join('').trim());
    const samples = fc.sample(text, { numRuns: 40, seed: 7 });
    for (const sample of samples) {
      if (!(await isStop(sample))) expect(await lost(sample), sample).toEqual([]);
    }
  });

  it('and what a search could not use is said', async () => {
    verifies('BW-knowledge.02');
    const writer = await agent(w, { name: 'Bea' });
    const id = await store(w, writer, { summary: 'The gateway is slow', tags: [] });
    const body = await search('the gateway is -- slow');
    expect(idsOf(body)).toEqual([id]);
    expect(body['not_searched']).toEqual(['the', 'is', '--']);
    expect(await search('gateway slow')).not.toHaveProperty('not_searched');
    expect(await search('the --')).toMatchObject({
      success: false,
      error: expect.stringMatching(/in every text/) as string,
    });
  });
});
