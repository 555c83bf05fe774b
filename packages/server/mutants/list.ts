import { readFileSync } from 'node:fs';

/** A small change of meaning, and the test that must fail under it. Paths are relative to the repository. */
export interface Mutant {
  readonly id: string;
  readonly file: string;
  /** Occurs in the file exactly once; the longer, the surer that it is still the same place. */
  readonly find: string;
  readonly replace: string;
  /** What a caller or an operator would suffer. */
  readonly breaks: string;
  /** The clause that promises otherwise, where there is one. */
  readonly clause?: string;
  readonly test: string;
  readonly title: string;
}

/** A change that no test can tell, and why. */
interface Untestable {
  readonly id: string;
  readonly reason: string;
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

export const MUTANTS = read('mutants.json') as readonly Mutant[];
export const UNTESTABLE = read('untestable.json') as readonly Untestable[];
