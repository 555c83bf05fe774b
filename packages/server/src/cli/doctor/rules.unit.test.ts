import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { driftSql } from './drift-sql.ts';
import type { DatabaseFacts, Facts, ServerFacts } from './facts.ts';
import { CHECKS, diagnose, exitCodeOf, overall, type Finding } from './rules.ts';

const NOW = Date.UTC(2026, 4, 10, 12);
const GB = 2 ** 30;
const MB = 2 ** 20;
const table = { table: 'events', thisMonth: true, nextMonth: true, overdue: [] };

const database: DatabaseFacts = {
  name: 'the database of DATABASE_URL',
  version: 180_004,
  migrations: { current: 9, target: 9, pending: [] },
  drift: { lines: [], missingTables: [], strayTables: [] },
  tables: [table],
  deadLetters: 0,
  outbox: { waiting: 0, oldest: null },
  dropped: 0,
  skew: { ms: 3, uncertainty: 2 },
};
const answering: ServerFacts['found'] = { kind: 'server', version: '0.1.0', ready: true, notReady: [], since: null };
const server: ServerFacts = { url: 'http://127.0.0.1:8767', isAsked: false, holder: 7, found: answering };
const well: Facts = {
  now: NOW,
  version: '0.1.0',
  node: 'v24.1.0',
  configuration: [],
  place: ' --data-dir /data',
  dataDir: { asked: '/data', home: '/data', isWritable: true, owner: 1000, user: 1000 },
  disk: { path: '/data', free: 50 * GB, total: 100 * GB },
  database,
  server,
  console: { folder: '/console/dist', isBuilt: true },
};

const about = (check: Finding['check'], facts: Partial<Facts>): Finding => {
  const found = diagnose({ ...well, ...facts }).find((one) => one.check === check);
  if (found === undefined) throw new Error(`no finding about ${check}`);
  return found;
};
const inside = (check: Finding['check'], facts: Partial<DatabaseFacts>): Finding =>
  about(check, { database: { ...database, ...facts } });
const answered = (check: Finding['check'], found: ServerFacts['found'], more: Partial<ServerFacts> = {}): Finding =>
  about(check, { server: { ...server, ...more, found } });

describe('the doctor', () => {
  it('finds nothing where all is well, and says so of every check', () => {
    const findings = diagnose(well);
    expect(findings.map(({ check }) => check)).toEqual([...CHECKS]);
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([]);
    expect(findings.every(({ mend }) => mend === null)).toBe(true);
  });

  it('has something to mend exactly where something is wrong', () => {
    const cases: readonly Finding[] = [
      about('node', { node: 'v22.3.0' }),
      about('configuration', { configuration: ['BREAKWATER_PROT is unknown'] }),
      about('data_directory', { dataDir: { ...well.dataDir!, isWritable: false } }),
      about('data_directory', { dataDir: { ...well.dataDir!, owner: 70 } }),
      about('disk', { disk: { path: '/data', free: 5 * GB, total: 100 * GB } }),
      about('database', { database: { unreachable: { message: 'PostgreSQL is away.', wayOut: 'Start it.' } } }),
      inside('postgresql', { version: 140_010 }),
      inside('clock', { skew: { ms: 40_000, uncertainty: 5 } }),
      inside('migrations', { migrations: { current: 8, target: 9, pending: ['9 retention'] } }),
      inside('migrations', { migrations: { message: 'A newer server made it.', wayOut: 'Upgrade this one.' } }),
      inside('drift', { drift: { lines: ['+ core.agents column x int'], missingTables: [], strayTables: [] } }),
      inside('partitions', { tables: [{ ...table, thisMonth: false }] }),
      inside('retention', { tables: [{ ...table, overdue: ['events_2020_01'] }] }),
      inside('sagas', { deadLetters: 1 }),
      inside('outbox', { outbox: { waiting: 2, oldest: NOW - 120_000 } }),
      inside('channel', { dropped: 3 }),
      answered('server', { kind: 'nothing', reason: 'ECONNREFUSED' }),
      answered('server', { kind: 'stranger', what: 'HTTP 200, text/html' }),
      answered('server', { ...answering, version: '9.9.9' }),
      answered('readiness', { ...answering, ready: false, notReady: ['postgres'], since: NOW - 60_000 }),
      about('console', { console: { folder: '/console/dist', isBuilt: false } }),
    ];
    for (const { check, state, what, mend } of cases) {
      expect(['warning', 'failure'], check).toContain(state);
      expect(what.length, check).toBeGreaterThan(0);
      expect(mend?.what.length, check).toBeGreaterThan(0);
    }
    expect(new Set(cases.map(({ check }) => check))).toEqual(new Set(CHECKS));
  });

  it('calls a disk low below 10 % or 1 GB, and full below 2 % or 200 MB', () => {
    verifies('BW-cli.02');
    const state = (free: number, total: number) => about('disk', { disk: { path: '/data', free, total } }).state;
    expect(state(10 * GB, 100 * GB)).toBe('ok');
    expect(state(10 * GB - 1, 100 * GB)).toBe('warning');
    expect(state(GB, 2 * GB)).toBe('ok');
    expect(state(GB - 1, 2 * GB)).toBe('warning');
    expect(state(20 * GB, 1000 * GB)).toBe('warning');
    expect(state(20 * GB - 1, 1000 * GB)).toBe('failure');
    expect(state(200 * MB, GB)).toBe('warning');
    expect(state(200 * MB - 1, GB)).toBe('failure');
    const full = about('disk', { disk: { path: '/data', free: 0, total: 100 * GB } });
    expect(full.what).toBe('0 MB of 100.0 GB (0 %) are free on the disk of /data.');
    expect(full.mend).toEqual({
      what: expect.stringMatching(/^Free space on that disk/) as string,
      commands: ['breakwater retention run --data-dir /data'],
    });
  });

  it('holds clocks that differ against them, but not what the way between them may hide', () => {
    verifies('BW-cli.02');
    const clock = (ms: number, uncertainty: number) => inside('clock', { skew: { ms, uncertainty } });
    expect(clock(2_000, 0).state).toBe('ok');
    expect(clock(2_001, 0).state).toBe('warning');
    expect(clock(-2_001, 0).state).toBe('warning');
    expect(clock(2_500, 600).state).toBe('ok');
    expect(clock(30_000, 0).state).toBe('warning');
    expect(clock(-30_001, 0).state).toBe('failure');
    expect(clock(-90_000, 4)).toMatchObject({
      what: expect.stringContaining('90 s behind') as string,
      mend: { what: expect.stringContaining('NTP') as string, commands: ['sudo timedatectl set-ntp true'] },
    });
  });

  it('lets a server start in peace, and calls one stale that is not ready for longer', () => {
    verifies('BW-cli.02');
    const not = (since: number | null) =>
      answered('readiness', { ...answering, ready: false, notReady: ['agents'], since });
    expect(not(NOW - 9_999).state).toBe('warning');
    expect(not(NOW - 10_000)).toMatchObject({
      state: 'failure',
      what: 'The server is not ready for 10 s: agents. Callers get 503.',
      evidence: ['not ready since 2026-05-10T11:59:50.000Z'],
    });
    expect(not(null).state).toBe('failure');
    const away = answered('readiness', { ...answering, ready: false, notReady: ['postgres'], since: NOW - 20_000 });
    expect(away.mend?.what).toContain('PostgreSQL');
  });

  it('calls a month without a partition a failure when it is this one or close', () => {
    const tables = [{ ...table, nextMonth: false }];
    expect(inside('partitions', { tables })).toMatchObject({
      state: 'warning',
      evidence: ['audit.events has none for 2026-06'],
      mend: { commands: ['breakwater db migrate --data-dir /data'] },
    });
    const late = { now: Date.UTC(2026, 4, 28), database: { ...database, tables } };
    expect(about('partitions', late).state).toBe('failure');
  });

  it('expects a server that was named, and only misses one that was not', () => {
    const nothing = { kind: 'nothing', reason: 'ECONNREFUSED' } as const;
    expect(answered('server', nothing, { holder: undefined }).state).toBe('warning');
    expect(answered('server', nothing, { isAsked: true }).state).toBe('failure');
    expect(answered('server', nothing, { holder: 42 }).what).toContain('Process 42');
    expect(answered('server', { kind: 'stranger', what: 'x' }).mend?.commands).toEqual([
      'breakwater serve --port 8768 --data-dir /data',
    ]);
  });

  it('says of what it could not look at why, and gives nobody the blame for it', () => {
    const unreachable = { unreachable: { message: 'PostgreSQL is away.', wayOut: 'Start it.' } };
    const findings = diagnose({ ...well, database: unreachable });
    expect(findings.filter(({ state }) => state === 'unknown').map(({ check }) => check)).toEqual(
      CHECKS.slice(CHECKS.indexOf('postgresql'), CHECKS.indexOf('server')),
    );
    expect(exitCodeOf(diagnose({ ...well, database: 'none' }), true)).toBe(0);
    const nothing = diagnose({
      ...well,
      configuration: ['x'],
      database: undefined,
      dataDir: undefined,
      disk: undefined,
      server: undefined,
      console: undefined,
    });
    expect(nothing.filter(({ state }) => state === 'failure').map(({ check }) => check)).toEqual(['configuration']);
  });

  it('ends with 2 for a failure, with 1 for a warning when it is strict', () => {
    verifies('BW-cli.01');
    const of = (...states: Finding['state'][]) => states.map((state) => ({ state }));
    expect([exitCodeOf(of('ok', 'unknown'), true), exitCodeOf(of('ok', 'unknown'), false)]).toEqual([0, 0]);
    expect([exitCodeOf(of('ok', 'warning'), true), exitCodeOf(of('ok', 'warning'), false)]).toEqual([1, 0]);
    expect([exitCodeOf(of('failure', 'warning'), true), exitCodeOf(of('failure'), false)]).toEqual([2, 2]);
    expect([overall(of('ok')), overall(of('warning', 'ok')), overall(of('warning', 'failure'))]).toEqual([
      'ok',
      'warning',
      'failure',
    ]);
  });
});

describe('the SQL that takes drift back', () => {
  it.each([
    ['+ core.agents column stray integer', 'ALTER TABLE core.agents DROP COLUMN stray;'],
    ['- core.agents column notes text', 'ALTER TABLE core.agents ADD COLUMN notes text;'],
    [
      "- core.agents column tags text[] not null default '{}'::text[]",
      "ALTER TABLE core.agents ADD COLUMN tags text[] not null default '{}'::text[];",
    ],
    [
      '- core.agents index CREATE INDEX agents_parent ON core.agents USING btree (parent_agent_id)',
      'CREATE INDEX agents_parent ON core.agents USING btree (parent_agent_id);',
    ],
    ['+ core.agents index CREATE UNIQUE INDEX odd ON core.agents USING btree (label)', 'DROP INDEX core.odd;'],
    ['+ core.agents index CREATE INDEX odd ON core.agents USING btree (label) INVALID', 'REINDEX INDEX core.odd;'],
    ['- core.agents constraint c CHECK ((a > 0))', 'ALTER TABLE core.agents ADD CONSTRAINT c CHECK ((a > 0));'],
    ['+ core.agents constraint c CHECK ((a > 0))', 'ALTER TABLE core.agents DROP CONSTRAINT c;'],
    [
      '+ core.agents trigger CREATE TRIGGER t BEFORE INSERT ON core.agents FOR EACH ROW EXECUTE FUNCTION f()',
      'DROP TRIGGER t ON core.agents;',
    ],
  ])('of %s', (line, sql) => {
    expect(driftSql([line])).toEqual([sql]);
  });

  it.each([
    ['a column that must have values', ['- core.agents column name text not null']],
    ['a generated column', ['- core.agents column x text generated (y)']],
    ['a change of type', ['- core.agents column notes text', '+ core.agents column notes integer']],
    ['a name that would have to be quoted', ['+ core.agents column "; DROP TABLE x" integer']],
    ['the partition key', ['- audit.events partitioned by RANGE (ts)']],
  ])('is not made of %s, where it could lose data', (_, lines) => {
    expect(driftSql(lines)).toEqual([]);
  });

  it('drops a column once, with what stands on it', () => {
    expect(
      driftSql([
        '+ core.agents index CREATE INDEX stray_i ON core.agents USING btree (stray)',
        '+ core.agents column stray integer',
      ]),
    ).toEqual(['ALTER TABLE core.agents DROP COLUMN stray;']);
  });
});
