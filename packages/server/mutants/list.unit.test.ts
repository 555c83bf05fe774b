import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MUTANTS, UNTESTABLE } from './list.ts';
import { mutated } from './trial.ts';

const root = join(import.meta.dirname, '../../..');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

/** The titles of parametrised tests, as patterns; what is all parameters would match anything. */
const templatesIn = (source: string): RegExp[] =>
  [...source.matchAll(/'([^'\n]*%[^'\n]*)'|`([^`\n]*\$[^`\n]*)`/g)]
    .map(([, plain, template]) => (plain ?? template ?? '').split(/%[a-z]|\$\{[^}]*\}|\$\w+/))
    .filter((parts) => parts.join('').trim().length >= 5)
    .map(
      (parts) => new RegExp(`^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('.*')}$`, 's'),
    );

describe('the list of mutants', () => {
  it('names each once, says what it breaks, and leaves none both listed and excused', () => {
    const ids = [...MUTANTS, ...UNTESTABLE].map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
    expect(MUTANTS.filter(({ breaks }) => !breaks.endsWith('.')).map(({ id }) => id)).toEqual([]);
  });

  it('applies to the code as it stands, each at exactly one place, and changes it', () => {
    const stuck = MUTANTS.filter((mutant) => {
      if (!existsSync(join(root, mutant.file))) return true;
      const text = textOf(mutant.file);
      return [undefined, text].includes(mutated(text, mutant));
    });
    expect(stuck.map(({ id, file }) => `${id}: ${file}`)).toEqual([]);
  });

  it('names tests that exist', () => {
    const gone = MUTANTS.filter(({ test, title }) => {
      if (title === '' || !existsSync(join(root, test))) return true;
      const source = textOf(test).replaceAll("\\'", "'");
      // The whole title: a part of it finds the test here, and never when its name is compared.
      const written = ["'", '`', '"'].some((quote) => source.includes(`${quote}${title}${quote}`));
      return !written && !templatesIn(source).some((template) => template.test(title));
    });
    expect(gone.map(({ id, title }) => `${id}: ${title}`)).toEqual([]);
  });

  it('cites clauses that exist', () => {
    const clauses = JSON.parse(textOf('packages/contract/clauses.json')) as { id: string }[];
    const known = new Set(clauses.map(({ id }) => id));
    const unknown = MUTANTS.filter(({ clause }) => clause !== undefined && !known.has(clause));
    expect(unknown.map(({ id, clause }) => `${id}: ${String(clause)}`)).toEqual([]);
  });
});

describe('a mutant', () => {
  it('applies where its text occurs once, and nowhere else', () => {
    expect(mutated('a < b', { find: '<', replace: '<=' })).toBe('a <= b');
    expect(mutated('a < b < c', { find: '<', replace: '<=' })).toBeUndefined();
    expect(mutated('aaa', { find: 'aa', replace: 'b' })).toBeUndefined();
    expect(mutated('a > b', { find: '<', replace: '<=' })).toBeUndefined();
    expect(mutated('price', { find: 'price', replace: '$&' })).toBe('$&');
  });
});
