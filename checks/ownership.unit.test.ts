import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { differences, writersInCode, writersInDoc } from './ownership.ts';

const doc = readFileSync('docs/ownership.md', 'utf8');

describe('docs/ownership.md', () => {
  it('names every table and live table that the code writes, with everybody who writes it', () => {
    const code = writersInCode('.');
    expect(code.size).toBeGreaterThan(15);
    expect(differences(code, writersInDoc(doc))).toEqual([]);
  });

  it('has a row for each surface', () => {
    const surfaces = [...doc.matchAll(/^\| ([A-I]) /gm)].map(([, letter]) => letter);
    expect(surfaces).toEqual('ABCDEFGHI'.split(''));
  });

  it('is found wrong when it is', () => {
    const code = new Map([['core.x', new Set(['agents/', 'identity/'])]]);
    expect(differences(code, writersInDoc('\n## Tables\n| `core.x` | `agents/` | |'))).toEqual([
      'core.x: written by agents/, identity/, docs/ownership.md says agents/',
    ]);
    expect(differences(new Map(), writersInDoc('\n## Tables\n| `core.x` | `agents/` | |'))).toHaveLength(1);
  });
});
