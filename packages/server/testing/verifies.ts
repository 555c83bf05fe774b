import { readFileSync } from 'node:fs';

interface Clause {
  readonly id: string;
}

const known = new Set(
  (JSON.parse(readFileSync(new URL('../../contract/clauses.json', import.meta.url), 'utf8')) as Clause[]).map(
    (c) => c.id,
  ),
);

/**
 * Cites the clauses that a test proves, as its first statement. An unknown id throws, so that a citation cannot be a
 * typing error; which clauses still lack one is the clause check's business (`checks/clauses.unit.test.ts`).
 */
export const verifies = (...ids: string[]): void => {
  for (const id of ids) if (!known.has(id)) throw new Error(`verifies: no clause "${id}"`);
};
