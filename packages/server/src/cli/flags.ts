import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import {
  createFlags,
  REFERENCE_WORDS,
  valueOfWord,
  type FlagChange,
  type Flags,
  type FlagView,
} from '../flags/index.ts';
import { createNotifier, type Database } from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { accepted, UsageError } from './fail.ts';
import { actorOf, withActor, type ActorFlags } from './os-user.ts';
import { instantText, printTable, timeText, whenText } from './print.ts';
import { asksServer, withOptionalServer, withServer, type Remote, type ServerFlags } from './remote.ts';
import { withTables } from './with-database.ts';
import { say } from './output.ts';

const HISTORY_LIMIT = 20;

const words = Object.entries(REFERENCE_WORDS)
  .map(([word, value]) => `${word} is ${value}`)
  .join(', ');
const ENVIRONMENT = 'A server whose environment has BREAKWATER_FLAG_<KEY> uses that value instead.';

/** A stored value for people: text as it is, anything else as JSON. */
const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

const printFlags = (views: readonly FlagView[]): void => {
  printTable(
    ['FLAG', 'VALUE', 'FROM', 'DEFAULT', 'LEGAL VALUES', 'SET BY', 'WHY'],
    views.map((one) => [
      one.key,
      one.illegal === true ? `${one.value} (stored: ${valueText(one.stored?.value)}, not legal)` : one.value,
      one.origin,
      one.default,
      one.values.join(', '),
      one.stored?.by ?? '-',
      one.stored?.reason ?? '-',
    ]),
    ['FLAG', 'VALUE', 'SET BY', 'WHY', 'DEFAULT', 'FROM'],
  );
  say(`\n${views.map(({ key, description }) => `${key}: ${description}.`).join('\n')}`);
};

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

/** What the commands need of flags, wherever they are. */
interface FlagDesk {
  list(): Promise<readonly FlagView[]>;
  get(key: string): Promise<FlagView>;
  set(key: string, value: string, why: string): Promise<Pick<FlagView, 'key' | 'value' | 'origin'>>;
  history(key: string | undefined): Promise<readonly Change[]>;
}

/** A change of a flag, with its time as text. */
type Change = Omit<FlagChange, 'at'> & { readonly at: string };

const deskOf = (flags: Flags, who: string): FlagDesk => ({
  list: async () => flags.all(),
  get: async (key) => accepted(flags.view(key)),
  set: async (key, value, why) => accepted(await flags.set(key, value, who, why)),
  history: async (key) =>
    accepted(await flags.history(key, HISTORY_LIMIT)).map((one) => ({ ...one, at: timeText(one.at) })),
});

const remoteDesk = (remote: Remote): FlagDesk => ({
  list: async () => (await remote.call('flags', { action: 'list' }))['flags'] as FlagView[],
  get: async (key) => (await remote.call('flags', { action: 'get', key }))['flag'] as FlagView,
  set: async (key, value, reason) =>
    (await remote.call('flags', { action: 'set', key, value, reason }))['in_force'] as FlagView,
  history: async (key) => {
    const { changes } = await remote.call('flags', {
      action: 'history',
      limit: HISTORY_LIMIT,
      ...(key !== undefined && { key }),
    });
    return (changes as Change[]).map((one) => ({ ...one, at: instantText(one.at) }));
  },
});

type FlagOptions = ServerFlags & { readonly json?: boolean };

/** Works on the flags: on a server's, when one is asked, else on those in the database. */
const withDesk = <T>(
  { as: name, ...options }: FlagOptions & ActorFlags,
  scope: 'read' | 'act',
  work: (desk: FlagDesk) => Promise<T>,
): Promise<T> => {
  if (!asksServer(options)) {
    return withTables(options, (database) =>
      withFlags(database, (flags) => work(deskOf(flags, actorOf({ as: name })))),
    );
  }
  if (name !== undefined) {
    throw new UsageError('--as is for the database alone: a server records the operator who asks it');
  }
  return withServer(options, scope, (remote) => work(remoteDesk(remote)));
};

/** `breakwater flags`: the switches that an operator can turn while the server runs. */
export const flagsCommands = (program: Command): void => {
  const flags = program.command('flags').alias('flag').description('Look at the feature flags, and set them');
  const add = (name: string, description: string, help: string) =>
    withOptionalServer(flags.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  add(
    'list',
    'Show each flag: its value and where that comes from, the legal values, who set it and why',
    `${ENVIRONMENT}\n\nExample:\n  breakwater flags list`,
  ).action(async (options: FlagOptions) => {
    const views = await withDesk(options, 'read', (desk) => desk.list());
    if (options.json === true) say(JSON.stringify(views));
    else printFlags(views);
  });

  add('get', 'Show one flag, as list does', `${ENVIRONMENT}\n\nExample:\n  breakwater flags get identity_strict_mode`)
    .argument('<key>', 'Name of the flag')
    .action(async (key: string, options: FlagOptions) => {
      const view = await withDesk(options, 'read', (desk) => desk.get(key));
      if (options.json === true) say(JSON.stringify(view));
      else printFlags([view]);
    });

  withActor(
    add(
      'set',
      'Set a flag for all servers, at once, with who and why on record',
      `Also accepted, as other words for the values: ${words}.\n${ENVIRONMENT}\n\n` +
        'Example:\n  breakwater flags set identity_strict_mode enforce --reason "all clients send client_session_id"',
    ),
  )
    .argument('<key>', 'Name of the flag')
    .argument('<value>', 'One of its legal values; "flags list" shows them')
    .option('--reason <text>', 'Why it is set; needed')
    .addOption(new Option('--why <text>', 'The same, as earlier releases named it').hideHelp())
    .addOption(new Option('--who <name>', 'The same as --as, as earlier releases named it').hideHelp())
    .action(
      async (
        key: string,
        word: string,
        { why, who, ...given }: FlagOptions & ActorFlags & { reason?: string; why?: string; who?: string },
      ) => {
        if (why !== undefined) console.error('breakwater: --why is deprecated; use --reason');
        if (who !== undefined) console.error('breakwater: --who is deprecated; use --as');
        const name = given.as ?? who;
        const options = { ...given, ...(name !== undefined && { as: name }) };
        const reason = given.reason ?? why ?? '';
        if (reason.trim() === '') throw new UsageError('--reason is needed: why the flag is set');
        const value = valueOfWord(key, word);
        const now = await withDesk(options, 'act', (desk) => desk.set(key, value, reason));
        if (options.json === true) {
          say(JSON.stringify({ key, stored: value, ...(value !== word && { given: word }), in_force: now }));
          return;
        }
        say(`${key} is ${value}${value === word ? '' : `, which is what "${word}" means here`}.`);
        if (now.origin === 'environment') {
          say(
            `${asksServer(options) ? "The server's" : 'This'} environment overrides it: with BREAKWATER_FLAG_${key.toUpperCase()} it is ${now.value}.`,
          );
        }
      },
    );

  add(
    'history',
    `Show the ${HISTORY_LIMIT} newest changes of a flag, or of all`,
    'Example:\n  breakwater flags history',
  )
    .argument('[key]', 'Name of the flag')
    .action(async (key: string | undefined, options: FlagOptions) => {
      const changes = await withDesk(options, 'read', (desk) => desk.history(key));
      if (options.json === true) {
        say(JSON.stringify(changes));
      } else if (changes.length === 0) {
        say('Nobody has set it yet. To set one:  breakwater flags set <key> <value> --reason <text>');
      } else {
        const now = systemClock.now();
        printTable(
          ['WHEN', 'FLAG', 'FROM', 'TO', 'BY', 'WHY'],
          changes.map((one) => [
            whenText(one.at, now),
            one.key,
            one.from === null ? '-' : valueText(one.from),
            valueText(one.to),
            one.by,
            one.reason,
          ]),
          ['WHEN', 'FLAG', 'TO', 'BY', 'WHY'],
        );
      }
    });
};
