import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const FOLDER = 'packages/server/e2e';

/** Titles of the tests that stand for the reference's clients. */
const titles = readdirSync(FOLDER)
  .filter((name) => /^reference-.*\.test\.ts$/.test(name))
  .flatMap((name) => [
    ...readFileSync(`${FOLDER}/${name}`, 'utf8').matchAll(/^\s*(?:it|test)\((['"`])(.+?)\1, async/gm),
  ])
  .map(([, , title = '']) => title);

/** Last cells of the rows that say what runs. */
const page = readFileSync('docs/compatibility.md', 'utf8');
const runs = page.slice(page.indexOf('## What runs'), page.indexOf('## What does not'));
const held = [...runs.matchAll(/^\|.*\|\s*([^|]+?)\s*\|$/gm)]
  .map(([, cell = '']) => cell)
  .filter((cell) => cell !== 'held by' && !/^-+$/.test(cell));

it('every client that is said to run is held by a test, and every such test has its row', () => {
  expect(titles.length).toBeGreaterThan(12);
  expect([...held].sort()).toEqual([...titles].sort());
});

it('the README leads to the list', () => {
  expect(readFileSync('README.md', 'utf8')).toContain('docs/compatibility.md');
});
