import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import list from './absolutes.json' with { type: 'json' };

/** Words that promise more than most sentences can keep. */
const ABSOLUTE = /\b(?:never|always|at once|nothing else|nobody else)\b/i;

/** The sentences of a document, and of the cells of its tables; not its code, nor what is generated from elsewhere. */
const sentencesOf = (file: string): string[] => {
  const text = readFileSync(file, 'utf8')
    .replaceAll(/<!-- (\w+) -->[\s\S]*?<!-- \/\1 -->/g, '')
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, '');
  return text
    .split(/\n\s*\n|\n(?=[|*#-]|\d+\. )/)
    .flatMap((block) => (block.trimStart().startsWith('|') ? block.split(/(?<!\\)\|/) : [block]))
    .flatMap((part) =>
      part
        .trim()
        .replaceAll(/\s+/g, ' ')
        .split(/(?<=[.:;!?])\s+/),
    );
};

it('every sentence of the documents that says never, always, at once or nothing else is shown by a test', () => {
  const files = ['README.md', ...globSync('docs/*.md'), 'packages/sdk/README.md'];
  const said = files.flatMap((file) =>
    sentencesOf(file)
      .filter((says) => ABSOLUTE.test(says))
      .map((says) => `${file}: ${says}`),
  );
  expect(said.sort(), 'show it by a test and list it in checks/absolutes.json, or say less').toEqual(
    list.map(({ file, says }) => `${file}: ${says}`).sort(),
  );
});

it.each(list.map(({ says, shown_by }) => [says, shown_by] as const))(
  '%s is shown by a test that there is',
  (_, shownBy) => {
    const [path = '', title = ''] = shownBy.split(' # ');
    expect(existsSync(path), path).toBe(true);
    expect(title.length).toBeGreaterThan(10);
    expect(readFileSync(path, 'utf8')).toContain(title);
  },
);
