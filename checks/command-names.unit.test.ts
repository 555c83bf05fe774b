import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createProgram } from '../packages/server/src/cli/commands.ts';
import { sources, textsOf } from './texts.ts';

const program = await createProgram();

/** What is wrong with the words after `breakwater` of a command that a text shows; undefined: such a command may be run. */
const fault = (words: readonly string[]): string | undefined => {
  let command = program;
  let at = 0;
  while (command.commands.length > 0 && at < words.length) {
    const next = command.commands.find((each) => each.name() === words[at]);
    if (next === undefined) return `there is no command ${words.slice(0, at + 1).join(' ')}`;
    command = next;
    at += 1;
  }
  const known = new Set(command.options.flatMap(({ long }) => (long == null ? [] : [long])));
  known.add('--help');
  const unknown = words.slice(at).find((word) => word.startsWith('--') && !known.has(word.split('=')[0] ?? ''));
  if (unknown !== undefined) return `there is no option ${unknown} of ${command.name()}`;
  // A text may name a noun alone, such as `breakwater db`; a command that is run names its verb and what it must be given.
  const given = words.slice(at).filter((word, i, all) => !word.startsWith('-') && !all[i - 1]?.startsWith('--'));
  const most = command.registeredArguments.some(({ variadic }) => variadic)
    ? Infinity
    : command.registeredArguments.length;
  return given.length > most ? `${command.name()} takes no ${String(given[most])}` : undefined;
};

/** Words of a command line, without a comment, what follows it in a pipe, and variables before it. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"[^"]*"|'[^']*'|<[^>]*>|(?:\$\([^)]*\)|[^\s[\]])+/g)].map(([word]) => word);

/** A command line; not the name in `claude mcp add … breakwater http://…`, nor `breakwater <command>`. */
const COMMAND = /(?:^|[\s(`])breakwater (?!http|<)((?:(?![|&;`#)\n]| {2})(?:\$\([^)]*\)|.))+)/g;

/** Commands in the code of a document. */
const inDocument = (file: string): string[] => {
  const text = readFileSync(file, 'utf8');
  const code = [...text.matchAll(/^ *```(?:sh)?\n([\s\S]*?)^ *```$|`([^`\n]+)`/gm)].map(
    ([, block, inline]) => block ?? inline ?? '',
  );
  return code.flatMap((each) =>
    [
      ...each
        .replaceAll('npm run --silent breakwater -- ', 'breakwater ')
        .replaceAll('npm run breakwater -- ', 'breakwater ')
        .matchAll(COMMAND),
    ].map(([, words = '']) => words.trim()),
  );
};

/** Commands in the sentences of a source: what stands between `breakwater` and the end of the clause. */
const inSource = (file: string): string[] =>
  textsOf(file).flatMap((text) =>
    [
      ...text.matchAll(
        /(?<![-\w/:@.])breakwater (?!for )((?:[a-z]+(?:-[a-z]+)*)(?: (?:--[a-z-]+|<[^>]+>|[a-z]+(?:-[a-z]+)*))*)/g,
      ),
    ].map(([, words = '']) => words),
  );

it('every command that a document shows may be run as it is shown', () => {
  const documents = [
    'README.md',
    ...globSync('docs/*.md'),
    ...globSync('packages/*/README.md'),
    ...globSync('deploy/*/README.md'),
  ];
  const shown = documents.flatMap((file) =>
    inDocument(file).map((line) => ({ file, line, fault: fault(wordsOf(line)) })),
  );
  expect(shown.length).toBeGreaterThan(40);
  expect(shown.filter((each) => each.fault !== undefined)).toEqual([]);
});

it('every command that a text of ours tells somebody to run exists', () => {
  const files = ['packages/server/src', 'packages/contract/src', 'packages/console/src'].flatMap(sources);
  const told = files.flatMap((file) => inSource(file).map((line) => ({ file, line, fault: fault(wordsOf(line)) })));
  expect(told.length).toBeGreaterThan(40);
  expect(told.filter((each) => each.fault !== undefined)).toEqual([]);
});
