import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ADAPTERS } from './adapters.ts';
import { matches } from './compare.ts';

/** One expectation that the code missed. */
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
  readonly failed: number;
  /** The first missed expectation of each failed case. */
  readonly failures: readonly Failure[];
  /** Why the file could not be run: not a vector file, an unknown group, or no cases at all. */
  readonly error?: string;
}

interface VectorFile {
  readonly schema: string;
  readonly cases: readonly { readonly id: string }[];
}

const unusable = (file: string, schema: string, error: string): FileReport => ({
  file,
  schema,
  passed: 0,
  failed: 0,
  failures: [],
  error,
});

const isVectorFile = (value: unknown): value is VectorFile =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<VectorFile>).schema === 'string' &&
  Array.isArray((value as Partial<VectorFile>).cases);

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
  if (adapter === undefined) return unusable(file, schema, `unknown group "${schema}"`);
  if (cases.length === 0) return unusable(file, schema, 'no cases');
  const failures: Failure[] = [];
  for (const vector of cases) {
    const missed = adapter.run(vector).find((check) => !matches(check.got, check.expected, adapter.tolerance));
    if (missed !== undefined) failures.push({ id: vector.id, ...missed });
  }
  return { file, schema, passed: cases.length - failures.length, failed: failures.length, failures };
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
