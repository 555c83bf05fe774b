import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Option, type Command } from 'commander';
import { reportWindow, type ReportWindow } from '../channel/index.ts';
import { nearest, systemClock } from '../runtime/index.ts';
import { FORMATS } from './export/format.ts';
import { KIND_NAMES, type KindName } from './export/kinds.ts';
import { runExport, type Written } from './export/run.ts';
import { fileSink, ReaderGone, streamSink } from './export/sink.ts';
import { ConfigError, understood, UsageError } from './fail.ts';
import { printTable, sizeText, timeText } from './print.ts';
import { statusLine } from './progress.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const SAY_EVERY_MS = 250;

interface ExportFlags extends DatabaseFlags {
  readonly what: string;
  readonly since: string;
  readonly until?: string;
  readonly out?: string;
  readonly format: keyof typeof FORMATS;
  readonly json?: boolean;
}

const kindsOf = (text: string): KindName[] => {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const kinds = words.map((word) => {
    const found = KIND_NAMES.find((name) => name === word);
    if (found !== undefined) return found;
    const [guess] = nearest(word, KIND_NAMES, 1);
    throw new UsageError(
      `--what must be some of ${KIND_NAMES.join(',')}; given "${word}"${guess === undefined ? '' : `; did you mean ${guess}?`}`,
    );
  });
  if (kinds.length === 0) throw new UsageError(`--what must be some of ${KIND_NAMES.join(',')}; given nothing`);
  return KIND_NAMES.filter((name) => kinds.includes(name));
};

const folderOf = (path: string): string => {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  } catch (error) {
    throw new ConfigError(
      `--out ${path} cannot be made (${(error as NodeJS.ErrnoException).code ?? 'unknown error'}): name a folder that this user may write`,
    );
  }
};

const report = (
  written: readonly Written[],
  pathOf: (kind: KindName) => string,
  { from, to }: ReportWindow,
  { json, format }: ExportFlags,
): void => {
  if (json === true) {
    say(
      JSON.stringify({
        since: timeText(from),
        until: timeText(to),
        format,
        files: written.map(({ what, rows, bytes }) => ({ what, rows, bytes, path: pathOf(what) })),
      }),
    );
    return;
  }
  printTable(
    ['WHAT', 'ROWS', 'SIZE', 'FILE'],
    written.map(({ what, rows, bytes }) => [what, String(rows), sizeText(bytes), pathOf(what)]),
  );
};

const run = async (flags: ExportFlags): Promise<void> => {
  const kinds = kindsOf(flags.what);
  const window = understood(reportWindow(flags.since, flags.until, systemClock.now()));
  const { out, format } = flags;
  if (out === undefined && flags.json === true) {
    throw new UsageError('--json tells what was written to --out; without --out the records themselves are printed');
  }
  if (out === undefined && format !== 'jsonl' && kinds.length > 1) {
    throw new UsageError(
      `--format ${format} prints one kind, such as --what outcomes; give --out <dir> for a file of each`,
    );
  }
  const folder = out === undefined ? undefined : folderOf(out);
  const pathOf = (kind: KindName): string => join(folder ?? '', `${kind}.${format === 'jsonl' ? 'jsonl' : 'csv'}`);
  const end = new AbortController();
  const stop = (): void => end.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  // Without a listener the broken pipe would end the process before its PostgreSQL is stopped.
  if (folder === undefined) process.stdout.on('error', () => undefined);
  const status = statusLine();
  let saidAt = 0;
  try {
    const written = await withTables(flags, (database) =>
      runExport(database, {
        kinds,
        window,
        format,
        sink: (kind) => (folder === undefined ? Promise.resolve(streamSink(process.stdout)) : fileSink(pathOf(kind))),
        onProgress: (kind, rows) => {
          if (systemClock.monotonic() - saidAt < SAY_EVERY_MS) return;
          saidAt = systemClock.monotonic();
          status.say(`Exporting ${kind}: ${rows} rows …`);
        },
        stopping: end.signal,
      }),
    );
    status.clear();
    if (folder !== undefined) report(written, pathOf, window, flags);
  } catch (error) {
    status.clear();
    if (error instanceof ReaderGone) return;
    if (!end.signal.aborted) throw error;
    console.error('breakwater: the export was broken off; nothing was left behind');
    process.exitCode = 1;
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
};

/** `breakwater export`: records of a time, as JSON Lines or CSV, straight from PostgreSQL. */
export const exportCommand = (program: Command): void => {
  withDatabaseFlags(program.command('export'))
    .description(
      'Write agents, states, outcomes, the audit trail, reviews and knowledge of a time to files or standard output',
    )
    .option('--what <kinds>', 'Which, separated by commas', KIND_NAMES.join(','))
    .option('--since <time>', 'Begin: a time back from now (30m, 24h, 14d), or a date or time in UTC', '30d')
    .option('--until <time>', 'End, which is not part of it, in the same words; now by default')
    .option('--out <dir>', 'Folder for a file of each kind; standard output by default')
    .addOption(
      new Option(
        '--format <format>',
        'jsonl: an object a line; csv: a table; csv-bom: the same, marked as UTF-8 for spreadsheets',
      )
        .choices(Object.keys(FORMATS))
        .default('jsonl'),
    )
    .option('--json', 'Print what was written to --out as JSON')
    .addHelpText(
      'after',
      `
Servers go on meanwhile; all records are as they were at one instant. A file is there whole or not at all, and only its
owner may read it. Secrets, their hashes and session ids are never part of it. In CSV, a text that a spreadsheet would
compute gets an apostrophe before it; JSON Lines are exact.

Examples:
  breakwater export --since 24h --out backup/
  breakwater export --what outcomes --since 2026-05-01 --until 2026-06-01 --format csv > outcomes.csv
  breakwater export --what agents,audit | gzip > fleet.jsonl.gz`,
    )
    .action(run);
};
