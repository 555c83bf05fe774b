import { seededRandom } from '../src/runtime/index.ts';
import { effort, isMet, type Figure, type Row } from './figure.ts';

/** The seed of a row: of the run's and the row's name, so that a row alone gives what it gives among others. */
const seedOf = (name: string, seed: number): number => {
  let hash = 2_166_136_261 ^ seed;
  for (const letter of name) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16_777_619);
  return hash >>> 0;
};

/** Simulates one row. Equal arguments give equal figures. `scale` is 1 for a full run. */
export const runRow = (row: Row, seed: number, scale = 1): readonly Figure[] =>
  row.run(seededRandom(seedOf(row.name, seed)), effort(scale)).map((figure) => ({ ...figure, met: isMet(figure) }));
