import { VERSION } from '@breakwater/contract';
import { Command, CommanderError, Option } from 'commander';
import { armFaultFromEnvironment } from '../runtime/index.ts';
import { agentsCommands } from './agents.ts';
import { auditCommands } from './audit.ts';
import { calibrationCommands } from './calibration.ts';
import { channelCommands } from './channel.ts';
import { consoleCommand } from './console.ts';
import { databaseCommands } from './db.ts';
import { completionCommand } from './completion.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { fail, USAGE_EXIT } from './fail.ts';
import { flagsCommands } from './flags.ts';
import { knowledgeCommands } from './knowledge.ts';
import { operatorCommands } from './operator.ts';
import { write } from './output.ts';
import { retentionCommands } from './retention.ts';
import { reviewsCommands } from './reviews.ts';
import { sagaCommands } from './saga.ts';
import { serve } from './serve.ts';
import { SETTINGS, type SettingName } from './settings.ts';
import { statusCommand } from './status.ts';
import { stdio } from './stdio.ts';
import { substrateCommands } from './substrate.ts';

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
    .helpOption('--help', 'Explain this command')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .showHelpAfterError(`For help:  ${name} --help`)
    .configureOutput({
      writeOut: write,
      outputError: (text, print) => print(text.replace(/^error: /, 'breakwater: ')),
    });
  for (const one of command.commands) prepare(one, `${name} ${one.name()}`);
};

/** The `breakwater` command line, ready to parse. */
export const createProgram = (): Command => {
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
    .action((flags: Partial<Record<SettingName, string>>) => serve(flags));
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
    .action((options: { server?: string; url?: string }) => stdio(options.server ?? options.url));
  consoleCommand(program);
  statusCommand(program);
  doctorCommand(program);
  agentsCommands(program);
  reviewsCommands(program);
  knowledgeCommands(program);
  databaseCommands(program);
  operatorCommands(program);
  flagsCommands(program);
  channelCommands(program);
  sagaCommands(program);
  calibrationCommands(program);
  auditCommands(program);
  retentionCommands(program);
  substrateCommands(program);
  exportCommand(program);
  completionCommand(program);
  prepare(program, 'breakwater');
  return program;
};

/** Runs one command; every failure is a message with a way out, and an exit code. */
export const runCommand = async (argv: readonly string[]): Promise<void> => {
  try {
    armFaultFromEnvironment(process.env);
    await createProgram().parseAsync(argv);
  } catch (error) {
    // Commander has said what is wrong already; --help and --version end here too, well.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT;
    else fail(error);
  }
};
