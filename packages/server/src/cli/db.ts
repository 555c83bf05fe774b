import type { Command } from 'commander';
import {
  compareShadows,
  compareWithManifest,
  ensurePartitions,
  migrate,
  openDatabase,
  planMigrations,
  startEmbedded,
  writeManifest,
  type Database,
  type MigrationPlan,
} from '../postgres/index.ts';
import { configOf } from './config.ts';
import { ConfigError } from './fail.ts';
import type { SettingName } from './settings.ts';

type Flags = Partial<Record<SettingName, string>>;

/** Opens the database that a server with this configuration would use, for one piece of work. */
const withDatabase = async <T>(flags: Flags, work: (database: Database) => Promise<T>): Promise<T> => {
  const config = configOf(flags);
  const embedded = config.databaseUrl === undefined ? await startEmbedded({ dataDir: config.dataDir }) : undefined;
  const database = openDatabase({
    target: embedded?.target ?? { url: config.databaseUrl ?? '' },
    onError: () => undefined,
  });
  try {
    return await work(database);
  } finally {
    await database.close();
    await embedded?.stop();
  }
};

const versionOf = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new ConfigError(`--to must be the number of a migration; given "${text}"`);
  return Number(text);
};

const printPlan = (plan: MigrationPlan, json: boolean | undefined): void => {
  if (json === true) console.log(JSON.stringify(plan));
  else if (plan.steps.length === 0) console.log(`Schema is at version ${plan.current}; nothing to do.`);
  else for (const { direction, version, name } of plan.steps) console.log(`${direction.padEnd(4)} ${version} ${name}`);
};

/** `breakwater db`: the schema, seen and moved by hand. The server migrates by itself when it starts. */
export const databaseCommands = (program: Command, withSettings: (command: Command) => Command): void => {
  const db = program.command('db').description('Look at the schema, and move it');
  const add = (name: string, description: string) =>
    withSettings(db.command(name)).description(description).option('--json', 'Print JSON');

  add('plan', 'Show the migrations that "db migrate" would apply')
    .option('--to <version>', 'Version to reach; the newest by default')
    .action(async (flags: Flags & { to?: string; json?: boolean }) => {
      printPlan(await withDatabase(flags, (database) => planMigrations(database, versionOf(flags.to))), flags.json);
    });
  add('migrate', 'Bring the schema to a version, up or down')
    .option('--to <version>', 'Version to reach; the newest by default. Going down drops what is above it')
    .action(async (flags: Flags & { to?: string; json?: boolean }) => {
      const plan = await withDatabase(flags, async (database) => {
        const done = await migrate(database, versionOf(flags.to));
        if (done.target >= 2) await ensurePartitions(database, Date.now());
        return done;
      });
      printPlan(plan, flags.json);
    });
  add('drift', 'Compare the live schema with the manifest: exit 0 same, 1 different, 2 no database')
    .option('--write', 'Write the manifest anew from the live schema')
    .action(async (flags: Flags & { json?: boolean; write?: boolean }) => {
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
      if (flags.json === true) console.log(JSON.stringify({ same: differences.length === 0, differences }));
      else console.log(differences.length === 0 ? 'The schema is as the manifest says.' : differences.join('\n'));
      process.exitCode = differences.length === 0 ? 0 : 1;
    });
};
