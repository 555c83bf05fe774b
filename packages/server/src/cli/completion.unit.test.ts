import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { afterAll, describe, expect, it } from 'vitest';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { placesOf } from './completion/words.ts';
import { zshScript } from './completion/zsh.ts';
import { createProgram } from './commands.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-completion-'));
afterAll(() => rmSync(folder, { recursive: true }));

const places = placesOf(await createProgram());
const has = (shell: string): boolean => spawnSync(shell, ['-c', 'exit 0']).status === 0;

/** What bash offers for the last of these words. */
const offered = (...words: string[]): string[] => {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '--norc',
      '-c',
      'eval "$(cat)"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _breakwater; printf "%s\\n" "${COMPREPLY[@]}"',
      'bash',
      'breakwater',
      ...words,
    ],
    { input: bashScript(places), encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return stdout.split('\n').filter((word) => word !== '');
};

describe.skipIf(!has('bash'))('in bash', () => {
  it('a beginning leads to the commands and options that begin so', () => {
    expect(offered('')).toEqual(expect.arrayContaining(['serve', 'doctor', 'db', 'export', 'agents', 'completion']));
    expect(offered('do')).toEqual(['doctor']);
    expect(offered('db', '')).toEqual(['plan', 'migrate', 'drift', 'backup']);
    expect(offered('db', 'pl')).toEqual(['plan']);
    expect(offered('db', 'plan', '--da')).toEqual(['--data-dir', '--database-url']);
    expect(offered('db', 'plan', '')).toEqual([]);
    expect(offered('--ver')).toEqual(['--version']);
  });

  it('every command with every one of its options is offered', () => {
    for (const { path, commands, options } of places) {
      const words = path === '' ? [] : path.split(' ');
      if (commands.length > 0) expect(offered(...words, ''), path).toEqual(commands.map(({ name }) => name));
      expect(offered(...words, '--'), path).toEqual(options.map(({ name }) => name));
    }
  });

  it('an alias leads where the name does', () => {
    expect(offered('flag', '')).toEqual(offered('flags', ''));
  });

  it('the value of an option is one of its words, a path, or left to the person', () => {
    expect(offered('operator', 'create', '--scope', '')).toEqual(['read', 'act']);
    expect(offered('completion', 'z')).toEqual(['zsh']);
    expect(offered('db', 'plan', '--data-dir', '/et')).toContain('/etc');
    expect(offered('audit', 'verify', '--since', '')).toEqual([]);
    expect(offered('db', 'plan', '--data-dir', '/tmp', '--j')).toEqual(['--json']);
  });
});

describe('the script', () => {
  const odd = new Command('breakwater').command('it').description(`It's "odd": $(touch x) \\ end`).parent!;
  odd.commands[0]?.addOption(new Option('--how <way>', "Don't: `x`").choices(['one', 'two']));

  it.each(['bash', 'zsh', 'fish'])('for %s stands whatever a description says', (shell) => {
    const make = { bash: bashScript, zsh: zshScript, fish: fishScript }[shell]!;
    for (const script of [make(placesOf(odd)), make(places)]) {
      expect(script).toMatch(/^#/);
      if (!has(shell)) continue;
      const file = join(folder, `completion.${shell}`);
      writeFileSync(file, script);
      const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    }
  });
});
