import type { Command } from 'commander';
import { backupEmbedded, StartupError } from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { configOf } from './config.ts';
import { dataDirOf } from './data-dir.ts';
import { statusLine } from './progress.ts';
import { withDatabaseFlags, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const sizeText = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** `breakwater db backup`: a copy of the embedded database that a server can be started on. */
export const backupCommand = (db: Command): void => {
  withDatabaseFlags(db.command('backup'))
    .description('Copy the embedded database into a new data directory, also while a server works on it')
    .requiredOption('--out <folder>', 'The new data directory; it must not exist')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
The copy is opened once before it gets its name. To restore it, start a server on it, or on a copy of it:
  breakwater serve --data-dir <folder>

Examples:
  breakwater db backup --out /backup/breakwater-$(date +%F)
  breakwater db backup --data-dir /var/lib/breakwater --out /backup/today --json`,
    )
    .action(async (flags: DatabaseFlags & { out: string; json?: boolean }) => {
      const config = configOf(flags, 'command');
      if (config.databaseUrl !== undefined) {
        throw new StartupError(
          'The database of DATABASE_URL is backed up by its own tools.',
          'For example: pg_dump --format=custom --file=breakwater.dump "$DATABASE_URL"; pg_restore brings it back.',
        );
      }
      const status = statusLine();
      const began = systemClock.monotonic();
      const made = await backupEmbedded({
        dataDir: dataDirOf(config),
        out: flags.out,
        onProgress: ({ files, ofFiles, bytes }) => {
          status.say(`${files} of ${ofFiles} files, ${sizeText(bytes)} …`);
        },
      }).finally(() => {
        status.clear();
      });
      const seconds = (systemClock.monotonic() - began) / 1000;
      if (flags.json === true) {
        say(JSON.stringify({ data_dir: made.dataDir, files: made.files, bytes: made.bytes, seconds }));
        return;
      }
      say(
        `Backed up into ${made.dataDir}: ${made.files} files, ${sizeText(made.bytes)}, ${seconds.toFixed(1)} s.\n` +
          `To restore it:  breakwater serve --data-dir ${JSON.stringify(made.dataDir)}`,
      );
    });
};
