import { VERSION } from '@breakwater/contract';
import { Command, CommanderError, Option } from 'commander';
import { armFaultFromEnvironment } from '../runtime/index.ts';
import { fail, USAGE_EXIT } from './fail.ts';
import { write } from './output.ts';
import { SETTINGS, type SettingName } from './settings.ts';

/** Adds a flag for every setting that may be one; the environment and the default stand in `--help`. */
const withSettings = (command: Command): Command => {
  for (const setting of Object.values(SETTINGS)) {
    if (!('flag' in setting)) continue;
    const fallback = setting.default === undefined ? '' : `, default ${String(setting.default) || 'none'}`;
    command.addOption(new Option(setting.flag, `${setting.description} (${setting.env}${fallback})`));
  }
  return command;
};

/** What holds for every command: help by --help alone, and errors that name the nearest word and the way to help. */
const prepare = (command: Command, name: string): void => {
  command
    .exitOverride()
    .helpOption('--help', 'Show help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .showHelpAfterError(`For help:  ${name} --help`)
    .configureOutput({
      writeOut: write,
      outputError: (text, print) => print(text.replace(/^error: /, 'breakwater: ')),
    });
  for (const one of command.commands) prepare(one, `${name} ${one.name()}`);
};

/** The commands beside `serve` and `stdio`, in the order of `--help`: what adds each to the program, loaded when it is needed. */
const COMMANDS: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  console: async () => (await import('./console.ts')).consoleCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  agents: async () => (await import('./agents.ts')).agentsCommands,
  reviews: async () => (await import('./reviews.ts')).reviewsCommands,
  knowledge: async () => (await import('./knowledge.ts')).knowledgeCommands,
  db: async () => (await import('./db.ts')).databaseCommands,
  operator: async () => (await import('./operator.ts')).operatorCommands,
  flags: async () => (await import('./flags.ts')).flagsCommands,
  channel: async () => (await import('./channel.ts')).channelCommands,
  saga: async () => (await import('./saga.ts')).sagaCommands,
  calibration: async () => (await import('./calibration.ts')).calibrationCommands,
  audit: async () => (await import('./audit.ts')).auditCommands,
  retention: async () => (await import('./retention.ts')).retentionCommands,
  substrate: async () => (await import('./substrate.ts')).substrateCommands,
  export: async () => (await import('./export.ts')).exportCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
};

/**
 * The `breakwater` command line, ready to parse. With `only`, the name of a command, it has no other command beside `serve` and
 * `stdio`: what all of them need takes longer to load than most of them take to work.
 */
export const createProgram = async (only?: string): Promise<Command> => {
  const program = new Command('breakwater')
    .description('Flight recorder and circuit breaker for fleets of long-running AI agents')
    .version(VERSION, '--version', 'Print the version');
  withSettings(program.command('serve'))
    .description('Start the server; with no DATABASE_URL on its own embedded PostgreSQL')
    .addHelpText(
      'after',
      `
Examples:
  breakwater serve
  breakwater serve --port 9000 --data-dir /var/lib/breakwater
  DATABASE_URL=postgres://breakwater@db/breakwater breakwater serve`,
    )
    .action(async (flags: Partial<Record<SettingName, string>>) => {
      // The server itself is loaded by the command that starts it: others would wait for it in vain.
      await (await import('./serve.ts')).serve(flags);
    });
  program
    .command('stdio')
    .description('Bridge an MCP client that speaks over standard input and output to a running server')
    .option('--server <url>', 'Base URL of the server (BREAKWATER_URL; where this configuration serves)')
    .addOption(new Option('--url <url>', 'The same, as earlier releases named it').hideHelp())
    .addHelpText(
      'after',
      `
The bearer token, if the server asks for one, is read from BREAKWATER_TOKEN.

Example:
  breakwater stdio --server http://127.0.0.1:8767`,
    )
    .action(async (options: { server?: string; url?: string }) => {
      await (await import('./stdio.ts')).stdio(options.server ?? options.url);
    });
  const wanted = only !== undefined && Object.hasOwn(COMMANDS, only) ? [only] : Object.keys(COMMANDS);
  for (const name of wanted) (await COMMANDS[name]?.())?.(program);
  prepare(program, 'breakwater');
  return program;
};

/** Runs one command; every failure is a message with a way out, and an exit code. */
export const runCommand = async (argv: readonly string[]): Promise<void> => {
  try {
    armFaultFromEnvironment(process.env);
    // A completion script is made of all commands, and so is the help that comes without one.
    const [, , name] = argv;
    await (await createProgram(name === 'completion' ? undefined : name)).parseAsync(argv);
  } catch (error) {
    // Commander has said what is wrong already; --help and --version end here too, well.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT;
    else fail(error);
  }
};
