import type { Command } from 'commander';
import {
  compareShadows,
  compareWithManifest,
  ensurePartitions,
  migrate,
  planMigrations,
  StartupError,
  writeManifest,
  type Database,
  type MigrationPlan,
} from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { backupCommand } from './db-backup.ts';
import { ConfigError, UsageError } from './fail.ts';
import { withDatabase, withDatabaseFlags, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

/** Like a server's start, "db migrate" begins the database of a new installation. */
const MAY_CREATE = { mayCreate: true };

const versionOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new UsageError(`--to must be the number of a migration; given "${text}"`);
  return Number(text);
};

const printPlan = (plan: MigrationPlan, json: boolean | undefined): void => {
  if (json === true) say(JSON.stringify(plan));
  else if (plan.steps.length === 0) say(`Schema is at version ${plan.current}; nothing to do.`);
  else for (const { direction, version, name } of plan.steps) say(`${direction.padEnd(4)} ${version} ${name}`);
};

/** Going up is what every server does at its start; going down takes tables away that servers use. */
const refuseDownUnderServers = async (database: Database, to: number | undefined): Promise<void> => {
  const { steps } = await planMigrations(database, to);
  if (!steps.some(({ direction }) => direction === 'down')) return;
  // This connection has asked alone so far, so that every other one of ours belongs to somebody else.
  const [row] = await database.query<{ others: number }>({
    text: `SELECT count(*) AS others FROM pg_stat_activity
           WHERE datname = current_database() AND application_name LIKE 'breakwater%' AND pid <> pg_backend_pid()`,
  });
  if (row === undefined || row.others === 0) return;
  throw new StartupError(
    'A Breakwater server uses this database: going down would take its tables away under it.',
    'Stop every server on it, then run this again.',
  );
};

/** `breakwater db`: the schema, seen and moved by hand. The server migrates by itself when it starts. */
export const databaseCommands = (program: Command): void => {
  const db = program.command('db').description('Look at the schema and move it; back the database up');
  const add = (name: string, description: string, example: string) =>
    withDatabaseFlags(db.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\nExample:\n  breakwater db ${example}`);

  add('plan', 'Show the migrations that "db migrate" would apply', 'plan --to 2')
    .option('--to <version>', 'Version to reach; the newest by default')
    .action(async (flags: DatabaseFlags & { to?: string; json?: boolean }) => {
      printPlan(await withDatabase(flags, (database) => planMigrations(database, versionOf(flags.to))), flags.json);
    });
  add('migrate', 'Bring the schema to a version, up or down; down only while no server runs', 'migrate')
    .option('--to <version>', 'Version to reach; the newest by default. Going down drops what is above it')
    .action(async (flags: DatabaseFlags & { to?: string; json?: boolean }) => {
      const plan = await withDatabase(
        flags,
        async (database) => {
          const to = versionOf(flags.to);
          await refuseDownUnderServers(database, to);
          const done = await migrate(database, to);
          if (done.target >= 2) await ensurePartitions(database, systemClock.now());
          return done;
        },
        MAY_CREATE,
      );
      printPlan(plan, flags.json);
    });
  add('drift', 'Compare the live schema with the manifest: exit 0 same, 1 different, 2 no database', 'drift --json')
    .option('--write', 'Write the manifest anew from the live schema')
    .action(async (flags: DatabaseFlags & { json?: boolean; write?: boolean }) => {
      let differences: string[];
      try {
        differences = await withDatabase(flags, async (database) => {
          if (flags.write === true) await writeManifest(database);
          return [...(await compareWithManifest(database)), ...(await compareShadows(database))];
        });
      } catch (error) {
        if (error instanceof ConfigError) throw error;
        console.error(`breakwater: no database to compare (${error instanceof Error ? error.message : 'unknown'})`);
        process.exitCode = 2;
        return;
      }
      if (flags.json === true) say(JSON.stringify({ same: differences.length === 0, differences }));
      else say(differences.length === 0 ? 'The schema is as the manifest says.' : differences.join('\n'));
      process.exitCode = differences.length === 0 ? 0 : 1;
    });
  backupCommand(db);
};
