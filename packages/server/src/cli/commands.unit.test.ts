import { CommanderError, type Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { createProgram } from './commands.ts';
import { CLIENT_VARIABLES, readConfig, SETTINGS, TOKEN_VARIABLE } from './settings.ts';

/** Commands of one word: what they are about is the whole installation. Every other is a noun with verbs. */
const ALONE = ['serve', 'stdio', 'console', 'status', 'doctor', 'export', 'completion'];

/** Commands whose output is for a program that has a form of its own: a log, a protocol, a shell's script. */
const WITHOUT_JSON = ['serve', 'stdio', 'completion'];

const nameOf = (command: Command): string =>
  command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;

const below = (command: Command): Command[] => command.commands.flatMap((one) => [one, ...below(one)]);
const program = await createProgram();
const all = below(program);
const leaves = all
  .filter(({ commands }) => commands.length === 0)
  .map((command) => [nameOf(command), command] as const);

/** All that `--help` prints, with what was added to it. */
const helpOf = (command: Command): string => {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
};

describe('every command', () => {
  it.each(leaves)('%s calls the address --server, the cause --reason and the person --as', (_, command) => {
    const shown = command.options.filter(({ hidden }) => !hidden).map(({ long }) => long);
    for (const other of ['--url', '--why', '--who', '--by']) expect(shown).not.toContain(other);
  });

  it.each(all.map((command) => [nameOf(command), command] as const))('%s says how to get help', (_, command) => {
    expect(helpOf(command)).toMatch(/--help +Show help/);
  });

  it.each(leaves)('%s has help with an example of itself', (name, command) => {
    verifies('BW-cli.01');
    const help = helpOf(command);
    expect(help).toContain(`Usage: ${name}`);
    const [, examples = ''] = help.split(/\nExamples?:\n/);
    const lines = examples.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.some((line) => line.includes(name))).toBe(true);
    for (const line of lines) expect(line, 'examples are indented').toMatch(/^ {2}/);
  });

  it.each(leaves)('%s says what it does, and what each of its options and arguments is', (_, command) => {
    expect(command.description()).toMatch(/^[A-Z].{15,}[^.]$/);
    for (const option of command.options) expect(option.description.length, option.flags).toBeGreaterThan(5);
    for (const argument of command.registeredArguments) expect(argument.description, argument.name()).not.toBe('');
  });

  it.each(leaves)('%s has --json, unless its output has a form of its own', (name, command) => {
    verifies('BW-cli.01');
    const has = command.options.some(({ long }) => long === '--json');
    expect(has).toBe(!WITHOUT_JSON.includes(name.replace('breakwater ', '')));
  });

  it('is a noun, then a verb, or one word about the whole', () => {
    const depth = leaves.map(([name]) => name.split(' ').length - 1);
    expect(Math.max(...depth)).toBe(2);
    const single = leaves.map(([name]) => name.split(' ').slice(1)).filter((words) => words.length === 1);
    expect(single.flat().sort()).toEqual([...ALONE].sort());
    for (const { name } of all.map((command) => ({ name: command.name() }))) expect(name).toMatch(/^[a-z]+$/);
  });

  it('names a group of verbs with what they are about', () => {
    for (const group of all.filter(({ commands }) => commands.length > 0)) {
      expect(group.description(), group.name()).toMatch(/^[A-Z].{15,}[^.]$/);
    }
  });

  it.each(leaves)('%s takes no secret as an option, where the list of processes would show it', (_, command) => {
    for (const { long } of command.options) expect(long).not.toMatch(/secret|token|password|credential/);
  });

  it('is refused with its nearest name, and the way to help, when it is misspelt', async () => {
    verifies('BW-cli.03');
    const said = async (...args: string[]): Promise<string> => {
      let text = '';
      const fresh = await createProgram();
      for (const command of [fresh, ...below(fresh)]) command.configureOutput({ writeErr: (part) => (text += part) });
      await expect(fresh.parseAsync(args, { from: 'user' })).rejects.toThrow(CommanderError);
      return text;
    };
    for (const [name] of leaves) {
      const words = name.split(' ').slice(1);
      const last = words.at(-1) ?? '';
      const wrong = `${last.slice(0, 1)}${last.slice(2)}`;
      const text = await said(...words.slice(0, -1), wrong);
      expect(text).toContain(`unknown command '${wrong}'`);
      expect(text).toMatch(new RegExp(`Did you mean .*${last}`));
      expect(text).toContain(`For help:  ${['breakwater', ...words.slice(0, -1)].join(' ')} --help`);
    }
    for (const [name, command] of leaves.filter(([, { options }]) => options.some(({ long }) => long === '--json'))) {
      const needed = command.options.filter(({ mandatory }) => mandatory).flatMap(({ long }) => [long ?? '', 'x']);
      const args = [...command.registeredArguments.map(() => 'x'), ...needed];
      const text = await said(...name.split(' ').slice(1), ...args, '--jsn');
      expect(text).toMatch(/^breakwater: unknown option '--jsn'\n\(Did you mean --json\?\)/);
    }
  });
});

describe('a variable with our prefix', () => {
  const problems = (env: Record<string, string>, reader?: 'server' | 'command'): string => {
    const read = readConfig(env, {}, reader);
    return read.ok ? '' : read.refusal.message;
  };

  it('that is misspelt is refused with the nearest known one', () => {
    verifies('BW-cli.03');
    const known = [...Object.values(SETTINGS).map(({ env }) => env), ...Object.values(CLIENT_VARIABLES)];
    for (const name of known.filter((one) => one.startsWith('BREAKWATER_'))) {
      const wrong = `${name.slice(0, -2)}${name.slice(-1)}_`;
      expect(problems({ [wrong]: 'x' })).toBe(`${wrong} is unknown; did you mean ${name}?`);
    }
  });

  it('that says where computations run is by default what the boundary audit found', () => {
    verifies('W3-5.08');
    expect(SETTINGS.compute.default).toBe('in_process');
  });

  it('that names a flag wrongly is refused with the nearest flag', () => {
    verifies('BW-cli.03');
    expect(problems({ BREAKWATER_FLAG_IPUA_PIN_CHEK_MODE: 'off' })).toContain(
      'did you mean BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE?',
    );
    expect(problems({ 'BREAKWATER_FLAG_ipua-pin': 'off' })).toContain('names no flag');
    expect(problems({ BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE: 'on' })).toContain('off, observe, enforce');
    expect(problems({ BREAKWATER_FLAG_IPUA_PIN_CHECK_MODE: 'off' })).toBe('');
  });

  it('is told together with every other that is wrong, one a line, with its value unless that is a secret', () => {
    const wrong = {
      BREAKWATER_PROT: '9000',
      BREAKWATER_LOG_LEVEL: 'loud',
      BREAKWATER_COMPUTE_TOKEN: 'top secret',
      BREAKWATER_FLAG_IPUA_PIN_CHEK_MODE: 'off',
      BREAKWATER_FLAG_IDENTITY_STRICT_MODE: 'on',
    };
    const lines = problems(wrong).split('\n');
    expect(lines).toHaveLength(Object.keys(wrong).length);
    for (const name of Object.keys(wrong)) expect(lines.join('\n')).toContain(name);
    expect(lines.join('\n')).toContain('BREAKWATER_LOG_LEVEL="loud"');
    expect(lines.join('\n')).not.toContain('top secret');
  });

  it('that holds a token is for commands; to a server it is a misspelt one, which would leave it open', () => {
    expect(problems({ [TOKEN_VARIABLE]: 'x' }, 'command')).toBe('');
    expect(problems({ [TOKEN_VARIABLE]: 'x' }, 'server')).toBe(
      'BREAKWATER_TOKEN is unknown; did you mean BREAKWATER_TOKENS?',
    );
  });
});
