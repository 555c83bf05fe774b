import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { verifies } from '../testing/verifies.ts';
import { ADAPTERS } from './adapters.ts';
import { matches } from './compare.ts';
import { ABSENT, DEVIATIONS } from './deviations.ts';
import { allPassed, runVectors, type FileReport } from './run.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/golden', import.meta.url));
const scratch = mkdtempSync(path.join(tmpdir(), 'golden-'));
afterAll(() => rmSync(scratch, { recursive: true }));

/** A directory with these files. */
const directoryOf = (files: Readonly<Record<string, unknown>>): string => {
  const directory = mkdtempSync(path.join(scratch, 'd-'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
};

interface VectorFile {
  schema: string;
  cases: { id: string; [key: string]: unknown }[];
}
/** The cases that have to match: neither absent from the code nor meant to differ. */
const comparable = (file: VectorFile): VectorFile => ({
  ...file,
  cases: file.cases.filter(
    ({ id, kind }) =>
      ABSENT[file.schema] === undefined &&
      ABSENT[`${file.schema} ${String(kind)}`] === undefined &&
      DEVIATIONS[file.schema]?.some(({ ours }) => id in ours) !== true,
  ),
});
const fixture = (name: string) => JSON.parse(readFileSync(path.join(FIXTURES, name), 'utf8')) as VectorFile;

describe('golden vectors', () => {
  it('match the code, every case of every file', () => {
    verifies('BW-checkin.01', 'BW-dialectic.01', 'W3-5.01', 'W3-5.02');
    const reports = runVectors(FIXTURES);
    expect(
      reports.flatMap(({ file, failures, error }) => [
        ...failures.map((f) => `${file} ${f.id}`),
        ...(error ? [error] : []),
      ]),
    ).toEqual([]);
    expect(allPassed(reports)).toBe(true);
    expect(reports.map(({ file }) => file)).toEqual(readdirSync(FIXTURES).sort());
    const groups = [...Object.keys(ADAPTERS), ...Object.keys(ABSENT).filter((name) => !name.includes(' '))];
    expect(reports.map(({ schema }) => schema).sort()).toEqual(groups.sort());
    const total = (count: (report: FileReport) => number) => reports.reduce((sum, report) => sum + count(report), 0);
    const differing = Object.values(DEVIATIONS).flatMap((all) => all.flatMap(({ ours }) => Object.keys(ours)));
    expect(new Set(differing).size).toBe(differing.length);
    // Each that is named is met, and nothing else differs.
    expect(total((report) => report.differing)).toBe(differing.length);
    expect(total(({ passed, absent }) => passed + absent) + differing.length).toBe(
      readdirSync(FIXTURES).reduce((sum, name) => sum + fixture(name).cases.length, 0),
    );
    expect(reports.filter(({ absent }) => absent > 0).map(({ file, absent }) => [file, absent])).toEqual([
      ['dialectic_handler_helpers.json', 23],
      ['dialectic_message_sign.json', 12],
      ['dialectic_outcomes.json', 27],
    ]);
  });

  it('fail where a deviation gives another value than its own, or deviates no longer', () => {
    const file = fixture('dialectic_condition_parse.json');
    const one = file.cases.find(({ id }) => id === 'condition_parse-029')!;
    const failures = (vector: VectorFile['cases'][number]) =>
      runVectors(directoryOf({ 'a.json': { ...file, cases: [vector] } }))[0]?.failures;
    expect(failures(one)).toEqual([]);
    const expected = { action: 'reduce', target: 'complexity', value: 0.3, unit: null };
    expect(failures({ ...one, expected })).toMatchObject([
      { id: one.id, got: expected, expected: 'another value: this deviates no longer' },
    ]);
    expect(failures({ ...one, input: 'Reduce complexity to 0.4.' })).toMatchObject([
      { id: one.id, got: { value: 0.4 }, expected: { value: 0.3 } },
    ]);
  });

  it('show a case whose expectation is off by more than the tolerance', () => {
    for (const name of readdirSync(FIXTURES)) {
      const file = comparable(fixture(name));
      if (file.cases.length === 0) continue;
      const spoilt = JSON.parse(
        JSON.stringify(file.cases.at(-1), (_key, value: unknown) => (value === undefined ? null : value)),
      ) as Record<string, unknown>;
      spoil(spoilt);
      const [report] = runVectors(directoryOf({ [name]: { ...file, cases: [...file.cases.slice(0, -1), spoilt] } }));
      expect(report, name).toMatchObject({ passed: file.cases.length - 1, failed: 1 });
      expect(report?.failures[0]?.id, name).toBe(file.cases.at(-1)?.id);
    }
  });

  it('refuse a group without an adapter, a file that is none, and an empty directory', () => {
    const reports = runVectors(
      directoryOf({
        'a.json': { schema: 'dialectic.merge.v1', cases: [{ id: 'x' }] },
        'b.json': 'not json',
        'c.json': { cases: [] },
        'd.json': { schema: 'checkin.basin.v1', cases: [] },
      }),
    );
    expect(reports.map(({ error }) => error?.split(':')[0])).toEqual([
      'unknown group "dialectic.merge.v1"',
      'not JSON',
      'not a vector file',
      'no cases',
    ]);
    expect(allPassed(reports)).toBe(false);
    expect(allPassed(runVectors(directoryOf({})))).toBe(false);
  });

  it('end the program with 0 when all match and with 1 when one does not', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), ...args], { encoding: 'utf8' });
    const json = path.join(scratch, 'report.json');
    const good = run('--json', json);
    expect(good.status, good.stderr).toBe(0);
    expect(good.stdout).toContain('checkin_basin.json');
    expect(JSON.parse(readFileSync(json, 'utf8'))).toHaveLength(readdirSync(FIXTURES).length);
    const basin = fixture('checkin_basin.json');
    const bad = run(directoryOf({ 'basin.json': { ...basin, cases: [{ ...basin.cases[0], expected: 'high' }] } }));
    expect(bad.status).toBe(1);
    expect(bad.stdout).toContain('expected "high"');
    expect(run(directoryOf({ 'x.json': { schema: 'x.v1', cases: [{}] } })).status).toBe(1);
    expect(run('--help').stdout).toContain('--json FILE');
    expect(run('/no/such/directory').status).toBe(1);
  });
});

/** Moves every number under an expectation by twice the widest tolerance, and changes all else: some of it is not compared. */
const spoil = (vector: Record<string, unknown>): void => {
  const steps = vector['steps'] as Record<string, unknown>[] | undefined;
  const holder = steps === undefined ? vector : steps.at(-1)!;
  const key = ['expected', 'expected_utf8'].find((name) => name in holder) ?? 'E';
  holder[key] = spoilt(holder[key]);
};
const spoilt = (value: unknown): unknown => {
  if (typeof value === 'number') return value + 2e-4;
  if (typeof value === 'string') return `${value}?`;
  if (typeof value === 'boolean') return !value;
  if (value === null) return 0;
  if (Array.isArray(value)) return value.length === 0 ? ['?'] : value.map(spoilt);
  return Object.fromEntries(Object.entries(value as object).map(([key, one]) => [key, spoilt(one)]));
};

describe('the comparison', () => {
  it('is exact for what is no fraction and within the tolerance for what is', () => {
    expect(matches(0.5 + 5e-10, 0.5, 1e-9)).toBe(true);
    expect(matches(0.5 + 5e-9, 0.5, 1e-9)).toBe(false);
    expect(matches(Number.NaN, 0.5, 1e-9)).toBe(false);
    expect(matches(null, 0, 1e-9)).toBe(false);
    expect(matches('a', 'b', 1e-9)).toBe(false);
    expect(matches([1], [1, 2], 1e-9)).toBe(false);
    expect(matches({ a: 1 }, { a: 1, b: null }, 1e-9)).toBe(false);
    expect(matches({ a: 1, more: 2 }, { a: 1 }, 1e-9)).toBe(true);
  });
});
