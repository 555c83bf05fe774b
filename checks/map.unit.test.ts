import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FLOORS } from './floors.ts';

const SRC = 'packages/server/src';
const map = readFileSync('docs/development.md', 'utf8');

/** The cells of the rows of a table that begin with a number. */
const rowsOf = (text: string): string[][] =>
  [...text.matchAll(/^\| *\d+ .*$/gm)].map(([line]) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const codeIn = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

test('the table of floors names every folder, on the floor that the imports are held to', () => {
  const drawn = rowsOf(map.slice(0, map.indexOf('<!-- way -->'))).map(([, folders]) =>
    codeIn(folders).map((name) => name.replace('/', '')),
  );
  const built = new Set(
    readdirSync(SRC, { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : [])),
  );
  const held = FLOORS.toReversed().map((floor) => floor.filter((name) => built.has(name)));
  expect(drawn.map((floor) => floor.toSorted())).toEqual(held.map((floor) => floor.toSorted()));
  expect([...built].filter((name) => !held.flat().includes(name))).toEqual([]);
});

test('every step on the way of a check-in is in the file that the map says', () => {
  const way = rowsOf(map.slice(map.indexOf('<!-- way -->'), map.indexOf('<!-- /way -->')));
  expect(way.length).toBeGreaterThan(5);
  const astray = way.flatMap(([step = '', file, what]) => {
    const [path = ''] = codeIn(file);
    const [name = ''] = codeIn(what);
    if (!existsSync(`${SRC}/${path}`)) return [`${step}: ${path} is not there`];
    const declared = new RegExp(`^export (const|class|function|abstract class) ${name}\\b`, 'm');
    return declared.test(readFileSync(`${SRC}/${path}`, 'utf8')) ? [] : [`${step}: ${path} exports no ${name}`];
  });
  expect(astray).toEqual([]);
});
