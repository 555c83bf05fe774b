import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Check } from './adapter.ts';
import { ADAPTERS } from './adapters.ts';
import { matches } from './compare.ts';
import { ABSENT, DEVIATIONS } from './deviations.ts';

/** One expectation that the code missed; `expected` is our own value where the code is meant to differ. */
interface Failure {
  readonly id: string;
  readonly at: string;
  readonly got: unknown;
  readonly expected: unknown;
}

/** What came of one file. A case passes when all of its expectations are met. */
export interface FileReport {
  readonly file: string;
  readonly schema: string;
  readonly passed: number;
  /** Cases in which the code differs on purpose, and just as `deviations.ts` says. */
  readonly differing: number;
  /** Cases of something that the code does not have, by `deviations.ts`. */
  readonly absent: number;
  readonly failed: number;
  /** The first missed expectation of each failed case. */
  readonly failures: readonly Failure[];
  /** Why the file could not be run: not a vector file, an unknown group, or no cases at all. */
  readonly error?: string;
}

interface VectorFile {
  readonly schema: string;
  readonly cases: readonly { readonly id: string; readonly kind?: string }[];
}

const unusable = (file: string, schema: string, error: string): FileReport => ({
  file,
  schema,
  passed: 0,
  differing: 0,
  absent: 0,
  failed: 0,
  failures: [],
  error,
});

const isVectorFile = (value: unknown): value is VectorFile =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<VectorFile>).schema === 'string' &&
  Array.isArray((value as Partial<VectorFile>).cases);

/** What the code is meant to give in a case in which it differs on purpose, by the step. */
const deviationOf = (schema: string, id: string): Readonly<Record<string, unknown>> | undefined =>
  DEVIATIONS[schema]?.find(({ ours }) => id in ours)?.ours[id];

/**
 * The first expectation that is missed. Where the code is meant to differ, its own value is wanted, and one that is no
 * different from the vector's is missed too: what no longer deviates is no deviation.
 */
const missedOf = (
  checks: readonly Check[],
  ours: Readonly<Record<string, unknown>> = {},
  tolerance: number,
): Check | undefined => {
  const unknown = Object.keys(ours).find((at) => !checks.some((check) => check.at === at));
  if (unknown !== undefined) return { at: unknown, got: 'no such step', expected: ours[unknown] };
  for (const check of checks) {
    const { at, got, expected } = check;
    if (!(at in ours)) {
      if (!matches(got, expected, tolerance)) return check;
    } else if (!matches(got, ours[at], tolerance)) return { at, got, expected: ours[at] };
    else if (matches(got, expected, tolerance)) return { at, got, expected: 'another value: this deviates no longer' };
  }
  return undefined;
};

const runFile = (file: string, text: string): FileReport => {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    return unusable(file, '', `not JSON: ${error instanceof Error ? error.message : 'unreadable'}`);
  }
  if (!isVectorFile(content)) return unusable(file, '', 'not a vector file: no schema or no cases');
  const { schema, cases } = content;
  const adapter = ADAPTERS[schema];
  if (adapter === undefined && ABSENT[schema] === undefined) return unusable(file, schema, `unknown group "${schema}"`);
  if (cases.length === 0) return unusable(file, schema, 'no cases');
  const [failures, counts] = [[] as Failure[], { passed: 0, differing: 0, absent: 0, failed: 0 }];
  for (const vector of cases) {
    if (adapter === undefined || ABSENT[`${schema} ${vector.kind}`] !== undefined) {
      counts.absent += 1;
      continue;
    }
    const ours = deviationOf(schema, vector.id);
    const missed = missedOf(adapter.run(vector), ours, adapter.tolerance);
    if (missed === undefined) counts[ours === undefined ? 'passed' : 'differing'] += 1;
    else {
      counts.failed += 1;
      failures.push({ id: vector.id, ...missed });
    }
  }
  return { file, schema, ...counts, failures };
};

/** Runs every vector file of a directory, in the order of their names. Throws when the directory cannot be read. */
export const runVectors = (directory: string): FileReport[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => runFile(name, readFileSync(path.join(directory, name), 'utf8')));

/** Whether everything was run and everything matched; an empty directory proves nothing. */
export const allPassed = (reports: readonly FileReport[]): boolean =>
  reports.length > 0 && reports.every((report) => report.failed === 0 && report.error === undefined);
