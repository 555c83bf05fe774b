import { Command, CommanderError, Option } from 'commander';
import { armFaultFromEnvironment } from '../runtime/index.ts';
import { auditCommands } from './audit.ts';
import { calibrationCommands } from './calibration.ts';
import { channelCommands } from './channel.ts';
import { consoleCommand } from './console.ts';
import { databaseCommands } from './db.ts';
import { fail } from './fail.ts';
import { flagsCommands } from './flags.ts';
import { operatorCommands } from './operator.ts';
import { retentionCommands } from './retention.ts';
import { sagaCommands } from './saga.ts';
import { serve } from './serve.ts';
import { SETTINGS, type SettingName } from './settings.ts';
import { stdio } from './stdio.ts';
import { substrateCommands } from './substrate.ts';
import { VERSION } from './version.ts';

/** Adds a flag for every setting that may be one; the environment and the default stand in `--help`. */
const withSettings = (command: Command): Command => {
  for (const setting of Object.values(SETTINGS)) {
    if (!('flag' in setting)) continue;
    const fallback = setting.default === undefined ? '' : `, default ${String(setting.default) || 'none'}`;
    command.addOption(new Option(setting.flag, `${setting.description} (${setting.env}${fallback})`));
  }
  return command;
};

/** The `breakwater` command line, ready to parse. */
export const createProgram = (): Command => {
  const program = new Command('breakwater')
    .description('Flight recorder and circuit breaker for fleets of long-running AI agents')
    .version(VERSION, '--version', 'Print the version')
    .helpOption('--help', 'Explain a command')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride();
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
    .action((flags: Partial<Record<SettingName, string>>) => serve(flags));
  program
    .command('stdio')
    .description('Bridge an MCP client that speaks over standard input and output to a running server')
    .option('--url <url>', 'Base URL of the server', 'http://127.0.0.1:8767')
    .addHelpText('after', '\nThe bearer token, if the server asks for one, is read from BREAKWATER_TOKEN.')
    .action((options: { url: string }) => stdio(options.url));
  consoleCommand(program);
  databaseCommands(program);
  operatorCommands(program);
  flagsCommands(program);
  channelCommands(program);
  sagaCommands(program);
  calibrationCommands(program);
  auditCommands(program);
  retentionCommands(program);
  substrateCommands(program);
  for (const command of [program, ...program.commands, ...program.commands.flatMap(({ commands }) => commands)]) {
    command.exitOverride().helpOption('--help', 'Explain this command');
  }
  return program;
};

/** Runs one command; every failure is a message with a way out, and an exit code. */
export const runCommand = async (argv: readonly string[]): Promise<void> => {
  try {
    armFaultFromEnvironment(process.env);
    await createProgram().parseAsync(argv);
  } catch (error) {
    // Commander has said what is wrong already; --help and --version end here too, well.
    if (error instanceof CommanderError) process.exitCode = error.exitCode;
    else fail(error);
  }
};
