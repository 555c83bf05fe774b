import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BUILT_FEATURES, LATER } from './clauses.ts';

interface Clause {
  readonly id: string;
  readonly feature: string;
  readonly tier: 'must' | 'should';
}

const clauses = JSON.parse(readFileSync('packages/contract/clauses.json', 'utf8')) as Clause[];
const cited = new Map<string, string[]>();
for (const path of globSync('{packages,checks}/**/*.test.ts', { exclude: (name) => name.includes('node_modules') })) {
  for (const [, list] of readFileSync(path, 'utf8').matchAll(/verifies\(([^)]*)\)/g)) {
    for (const [, id] of (list ?? '').matchAll(/['"]([^'"]+)['"]/g)) {
      if (id !== undefined) cited.set(id, [...(cited.get(id) ?? []), path]);
    }
  }
}

test('every citation names a clause that exists', () => {
  const known = new Set(clauses.map((clause) => clause.id));
  expect([...cited.keys()].filter((id) => !known.has(id))).toEqual([]);
});

test('every must clause of a built feature is proven by a test, or waits for a named reason', () => {
  const missing = clauses
    .filter(({ feature, tier }) => BUILT_FEATURES.includes(feature) && tier === 'must')
    .map(({ id }) => id)
    .filter((id) => !cited.has(id) && !(id in LATER));
  expect(missing).toEqual([]);
});

test('no clause waits although it is proven', () => {
  expect(Object.keys(LATER).filter((id) => cited.has(id))).toEqual([]);
});
