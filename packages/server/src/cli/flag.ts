import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { createFlags, REFERENCE_WORDS, valueOfWord, type Flags } from '../flags/index.ts';
import { createNotifier, type Database } from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { accepted } from './fail.ts';
import { osUser } from './os-user.ts';
import { printTable, timeText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';

const HISTORY_LIMIT = 20;

const words = Object.entries(REFERENCE_WORDS)
  .map(([word, value]) => `${word} is ${value}`)
  .join(', ');
const ENVIRONMENT = 'A server whose environment has BREAKWATER_FLAG_<KEY> uses that value instead.';

/** A stored value for people: text as it is, anything else as JSON. */
const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** Runs work on the flags as a node has them, and lets the other nodes hear of what it changes before it ends. */
const withFlags = async <T>(database: Database, work: (flags: Flags) => Promise<T>): Promise<T> => {
  const notifier = createNotifier({
    database,
    nodeId: randomUUID(),
    clock: systemClock,
    onError: () => undefined,
  });
  const flags = createFlags({ database, env: process.env, notifier, onDivergence: () => undefined });
  await notifier.start();
  try {
    await flags.load();
    return await work(flags);
  } finally {
    await notifier.stop();
  }
};

/** `breakwater flag`: the switches that an operator can turn while the server runs. */
export const flagCommands = (program: Command): void => {
  const flag = program.command('flag').description('Look at the feature flags, and set them');
  const add = (name: string, description: string, help: string) =>
    withDatabaseFlags(flag.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  add(
    'list',
    'Show each flag: its value and where that comes from, the legal values, who set it and why',
    `${ENVIRONMENT}\n\nExample:\n  breakwater flag list`,
  ).action(async (options: DatabaseFlags & { json?: boolean }) => {
    const all = await withTables(options, (database) => withFlags(database, async (flags) => flags.all()));
    if (options.json === true) {
      console.log(JSON.stringify(all));
      return;
    }
    printTable(
      ['FLAG', 'VALUE', 'FROM', 'DEFAULT', 'LEGAL VALUES', 'SET BY', 'WHY'],
      all.map((one) => [
        one.key,
        one.illegal === true ? `${one.value} (stored: ${valueText(one.stored?.value)}, not legal)` : one.value,
        one.origin,
        one.default,
        one.values.join(', '),
        one.stored?.by ?? '-',
        one.stored?.reason ?? '-',
      ]),
    );
    console.log(`\n${all.map(({ key, description }) => `${key}: ${description}.`).join('\n')}`);
  });

  add(
    'set',
    'Set a flag for all servers, at once, with who and why on record',
    `The reference's words are understood, too: ${words}.\n${ENVIRONMENT}\n\n` +
      'Example:\n  breakwater flag set identity_strict_mode enforce --why "all clients send client_session_id"',
  )
    .argument('<key>', 'Name of the flag')
    .argument('<value>', 'One of its legal values; "flag list" shows them')
    .requiredOption('--why <text>', 'Why it is set')
    .option('--who <name>', 'Who sets it; the OS user by default')
    .action(
      async (key: string, word: string, options: DatabaseFlags & { why: string; who?: string; json?: boolean }) => {
        const value = valueOfWord(key, word);
        const now = await withTables(options, (database) =>
          withFlags(database, async (flags) =>
            accepted(await flags.set(key, value, options.who ?? osUser(), options.why)),
          ),
        );
        if (options.json === true) {
          console.log(JSON.stringify({ key, stored: value, ...(value !== word && { given: word }), in_force: now }));
          return;
        }
        console.log(`${key} is ${value}${value === word ? '' : `, which is what "${word}" means here`}.`);
        if (now.origin === 'environment') {
          console.log(`This environment overrides it: with BREAKWATER_FLAG_${key.toUpperCase()} it is ${now.value}.`);
        }
      },
    );

  add('history', `Show the ${HISTORY_LIMIT} newest changes of a flag, or of all`, 'Example:\n  breakwater flag history')
    .argument('[key]', 'Name of the flag')
    .action(async (key: string | undefined, options: DatabaseFlags & { json?: boolean }) => {
      const changes = await withTables(options, (database) =>
        withFlags(database, async (flags) => accepted(await flags.history(key, HISTORY_LIMIT))),
      );
      if (options.json === true) {
        console.log(JSON.stringify(changes.map((change) => ({ ...change, at: timeText(change.at) }))));
      } else if (changes.length === 0) {
        console.log('Nobody has set it yet. To set one:  breakwater flag set <key> <value> --why <text>');
      } else {
        printTable(
          ['WHEN', 'FLAG', 'FROM', 'TO', 'BY', 'WHY'],
          changes.map((one) => [
            timeText(one.at),
            one.key,
            one.from === null ? '-' : valueText(one.from),
            valueText(one.to),
            one.by,
            one.reason,
          ]),
        );
      }
    });
};
