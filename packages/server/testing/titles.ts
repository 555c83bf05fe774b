import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const TITLE =
  /\b(?:it|test)(?:\.each(?:<[^(]*>)?\((?:(?!\n\s*(?:it|test)[.(])[\s\S])*?\))?\(\s*'(cases?|hazards?) ([^:]+):/g;

/** Numbers of the specification's cases (or hazards) that the tests of some files have in their titles. */
export const numbersInTitles = (kind: 'case' | 'hazard', files: readonly string[]): string[] => {
  const numbers = files
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .flatMap((file) => [...readFileSync(`${root}${file}`, 'utf8').matchAll(TITLE)])
    .filter(([, found]) => found?.replace(/s$/, '') === kind)
    .flatMap(([, , listed]) => listed?.split(', ') ?? []);
  return [...new Set(numbers)].sort();
};
