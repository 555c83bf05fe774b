import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const titles = globSync('{src,e2e}/**/*.test.ts', { cwd: root }).flatMap((file) =>
  [...readFileSync(`${root}${file}`, 'utf8').matchAll(/\b(?:it|test)(?:\.each)?\(\s*'(cases?|hazards?) ([^:]+):/g)].map(
    ([, kind, numbers]) => ({ kind: kind?.replace(/s$/, ''), numbers: numbers?.split(', ') ?? [] }),
  ),
);
const named = (kind: string) =>
  new Set(titles.filter((title) => title.kind === kind).flatMap(({ numbers }) => numbers));

it('every case of the identity specification is the title of a test, and no other', () => {
  const cases = [
    ...Array.from({ length: 104 }, (_, i) => `${i + 1}`),
    ...Array.from({ length: 10 }, (_, i) => `A${i + 1}`),
  ];
  expect([...named('case')].sort()).toEqual(cases.sort());
});

it('every hazard of the identity specification is the title of a test, and no other', () => {
  const hazards = Array.from({ length: 15 }, (_, i) => `${i + 1}`);
  expect([...named('hazard')].sort()).toEqual(hazards.sort());
});
