import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { testDatabase } from '../../../testing/database.ts';
import { FORMATS } from './format.ts';
import { KIND_NAMES, KINDS, type KindName } from './kinds.ts';
import { runExport, type ExportOrder } from './run.ts';
import { fileSink, type Sink } from './sink.ts';

const NOW = Date.UTC(2026, 4, 20, 12);
const AT = '2026-05-10T10:00:00Z';
const ID = '00000000-0000-4000-8000-00000000000';
const SECRET = 'sEcReT';
const { database, open } = await testDatabase({ at: NOW });

beforeAll(async () => {
  // Whatever could hold a secret holds one.
  await database.query({
    text: `
    INSERT INTO core.agents (id, api_key, label, notes, created_at) VALUES
      ('${ID}1', '${SECRET}', 'Ada', '=1+1', '${AT}'), ('${ID}2', '${SECRET}', 'Old', NULL, '2020-01-01Z');
    INSERT INTO core.identities (agent_id, api_key_hash, active_session_key, metadata, last_activity_at, update_count) VALUES
      ('${ID}1', '${SECRET}', '${SECRET}', '{"key": "${SECRET}"}', '${AT}', 2000), ('${ID}2', '', NULL, '{}', '2020-01-02Z', 1);
    INSERT INTO core.agent_state (identity_id, recorded_at, sequence, update_index, entropy, state_json)
      SELECT identity_id, '${AT}'::timestamptz + n * interval '1 second', n, n, 0.1::float8 + 0.2::float8, jsonb_build_object('n', n)
      FROM core.identities, generate_series(1, 2000) n WHERE agent_id = '${ID}1';
    INSERT INTO audit.outcome_events (ts, outcome_id, agent_id, session_id, outcome_type, outcome_score, is_bad, detail,
        prediction_source, corroboration_grade, evidence_weight, graded) VALUES
      ('${AT}', '${ID}3', '${ID}1', '${SECRET}', 'test_passed', 0.1, false, '{"command": "npm test, \\"all\\""}',
        'registry', 'self', 0.5, true);
    INSERT INTO audit.events (ts, event_id, agent_id, session_id, event_type, payload, raw_hash, chain_index, prev_hash)
      VALUES ('${AT}', '${ID}4', '${ID}1', '${SECRET}', 'onboard', '{"a": [1, null]}', 'h', 1, ''),
        ('2026-05-20T11:59:59.999Z', '${ID}5', '${ID}1', NULL, 'inside', '{}', 'h', 2, 'h'),
        ('2026-05-20T12:00:00Z', '${ID}6', '${ID}1', NULL, 'outside', '{}', 'h', 3, 'h');
    INSERT INTO core.dialectic_sessions (session_id, paused_agent_id, reason, created_at)
      VALUES ('${ID}7', '${ID}1', 'two' || chr(10) || 'lines', '${AT}');
    INSERT INTO core.dialectic_messages (session_id, agent_id, message_type, "timestamp", reasoning)
      VALUES ('${ID}7', '${ID}1', 'thesis', '${AT}', 'first'), ('${ID}7', '${ID}2', 'antithesis', '${AT}', 'second');
    INSERT INTO knowledge.discoveries (id, agent_id, type, created_at, summary, tags, provenance)
      VALUES ('k1', '${ID}1', 'note', '${AT}', 'It is so', '{a,b}', '{"session_key": "${SECRET}"}');
    INSERT INTO core.bindings (credential_hash, kind, agent_id, created_at, expires_at)
      VALUES ('${'a'.repeat(64)}', 'session', '${ID}1', '${AT}', '${AT}');`,
  });
});

const window = { from: NOW - 30 * 86_400_000, to: NOW };

const memorySink = (texts: string[]): Sink => ({
  write: async (text) => void texts.push(text),
  finish: async () => undefined,
  discard: async () => undefined,
});

const exported = async (kinds: readonly KindName[], order: Partial<ExportOrder> = {}) => {
  const texts: string[] = [];
  const written = await runExport(database, {
    kinds,
    window,
    format: 'jsonl',
    sink: async () => memorySink(texts),
    onProgress: () => undefined,
    stopping: new AbortController().signal,
    ...order,
  });
  return { text: texts.join(''), pieces: texts.length, written };
};
const objects = async (kind: KindName) =>
  (await exported([kind])).text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('an export', () => {
  it('has what happened in its window, each record with its kind and its columns', async () => {
    expect(await objects('agents')).toEqual([
      expect.objectContaining({ kind: 'agents', agent_id: `${ID}1`, name: 'Ada', status: 'active', check_ins: 2000 }),
    ]);
    expect((await objects('audit')).map((row) => row['event_type'])).toEqual(['onboard', 'inside']);
    expect(await objects('outcomes')).toEqual([
      expect.objectContaining({ ts: '2026-05-10T10:00:00+00:00', confidence: null, graded: true }),
    ]);
    const [review] = await objects('reviews');
    expect(review).toMatchObject({
      review_id: `${ID}7`,
      reason: 'two\nlines',
      messages: [{ reasoning: 'first' }, { reasoning: 'second' }],
    });
    expect(await objects('knowledge')).toEqual([expect.objectContaining({ id: 'k1', tags: ['a', 'b'] })]);
    for (const kind of KIND_NAMES) {
      const [row] = await objects(kind);
      expect(Object.keys(row!), kind).toEqual(['kind', ...KINDS[kind].columns]);
    }
  });

  it('gives numbers back as they are, and many rows in pieces that fit in memory', async () => {
    const { text, pieces, written } = await exported(['states']);
    const rows = text.trimEnd().split('\n');
    expect(rows).toHaveLength(2000);
    expect(JSON.parse(rows[1999]!)).toMatchObject({ E: 0.30000000000000004, state: { n: 2000 } });
    expect(pieces).toBe(4);
    expect(written).toEqual([{ what: 'states', rows: 2000, bytes: Buffer.byteLength(text) }]);
  });

  it('is of one instant, whatever is written meanwhile', async () => {
    const kinds: KindName[] = ['states', 'knowledge'];
    const other = open();
    const late = async (kind: KindName): Promise<Sink> => {
      if (kind === 'knowledge') {
        await other.query({
          text: `INSERT INTO knowledge.discoveries (id, agent_id, type, created_at, summary)
                 VALUES ('late', '${ID}1', 'note', '${AT}', 'late')`,
        });
      }
      return memorySink([]);
    };
    const { written } = await exported(kinds, { sink: late });
    expect(written.map(({ rows }) => rows)).toEqual([2000, 1]);
    expect((await exported(['knowledge'])).written[0]?.rows).toBe(2);
  });

  it('never has a secret, a hash of one, or a session id', async () => {
    const all = (await Promise.all((['jsonl', 'csv'] as const).map((format) => exported(KIND_NAMES, { format }))))
      .map(({ text }) => text)
      .join('');
    expect(all).toContain('onboard');
    expect(all).not.toContain(SECRET);
    expect(all).not.toContain('a'.repeat(64));
  });

  it('in CSV has a heading, quotes what needs it, and no formula of an agent', async () => {
    const { text } = await exported(['agents'], { format: 'csv' });
    const [heading, row] = text.split('\r\n');
    expect(heading).toBe(KINDS.agents.columns.join(','));
    expect(row).toContain(",'=1+1,");
    for (const sign of ['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
      expect(FORMATS.csv.line('x', ['a'], { a: `${sign}1` }), sign).toBe(`'${sign}1\r\n`);
    }
    expect(FORMATS['csv-bom'].head(['a'])).toBe('\uFEFFa\r\n');
    expect(FORMATS.csv.head(['a'])).toBe('a\r\n');
    const line = FORMATS.csv.line('x', ['a', 'b', 'c', 'd', 'e'], {
      a: -1.5,
      b: '-1',
      c: 'say "hi",\nthere',
      d: null,
      e: { k: [1] },
    });
    expect(line).toBe(`-1.5,'-1,"say ""hi"",\nthere",,"{""k"":[1]}"\r\n`);
  });
});

describe('a file', () => {
  const folderOf = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'breakwater-export-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return folder;
  };

  it('is there whole, for its owner alone, in the place of an older one', async () => {
    const folder = folderOf();
    const path = join(folder, 'agents.jsonl');
    writeFileSync(path, 'older');
    let meanwhile: string[] = [];
    await exported(['agents'], {
      sink: () => fileSink(path),
      onProgress: () => (meanwhile = [...readdirSync(folder), readFileSync(path, 'utf8')]),
    });
    expect(meanwhile).toEqual([`.agents.jsonl.${process.pid}.partial`, 'agents.jsonl', 'older']);
    expect(readdirSync(folder)).toEqual(['agents.jsonl']);
    expect(readFileSync(path, 'utf8')).toContain('"name":"Ada"');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('is not there at all when the export is broken off or fails', async () => {
    const folder = folderOf();
    const end = new AbortController();
    const sink = (kind: KindName) => fileSink(join(folder, kind));
    const broken = exported(['agents', 'states'], { sink, stopping: end.signal, onProgress: () => end.abort() });
    await expect(broken).rejects.toThrow('aborted');
    expect(readdirSync(folder)).toEqual([]);
    const failed = exported(['agents', 'states'], {
      sink: (kind) => (kind === 'states' ? Promise.reject(new Error('disk full')) : sink(kind)),
    });
    await expect(failed).rejects.toThrow('disk full');
    expect(readdirSync(folder)).toEqual([]);
  });
});
