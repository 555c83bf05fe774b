import type { Command } from 'commander';
import { readReport, reportWindow, type ReportLine, type ReportWindow } from '../channel/index.ts';
import { systemClock } from '../runtime/index.ts';
import { accepted } from './fail.ts';
import { printTable, timeText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';

/** A line as `--json` shows it. */
const jsonOf = ({ first, last, p50, p99, ...line }: ReportLine) => ({
  ...line,
  elapsed_ms: { p50, p99 },
  first: timeText(first),
  last: timeText(last),
});

const panelOf = (lines: readonly ReportLine[]) => ({ no_data: lines.length === 0, lines: lines.map(jsonOf) });

const msText = (ms: number | null): string => (ms === null ? '-' : ms.toFixed(ms < 10 ? 2 : 0));

const classesText = (classes: ReportLine['classes']): string =>
  Object.entries(classes)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ') || '-';

/** What both panels show of a line, before and after what only one shows. */
const whatText = (line: ReportLine) => [
  line.type,
  [line.endpoint, line.tool].filter(Boolean).join(' ') || '-',
  String(line.count),
];
const restText = (line: ReportLine) => [
  String(line.agents),
  msText(line.p50),
  msText(line.p99),
  classesText(line.classes),
  timeText(line.first),
  timeText(line.last),
];
const WHAT = ['TYPE', 'ENDPOINT', 'COUNT'];
const REST = ['AGENTS', 'P50 MS', 'P99 MS', 'CLASSES', 'FIRST', 'LAST'];

const printPanel = (
  title: string,
  lines: readonly ReportLine[],
  { from, to }: ReportWindow,
  only: { readonly heading: string; readonly text: (line: ReportLine) => string } | undefined,
): void => {
  console.log(`${title}, ${timeText(from)} to ${timeText(to)}`);
  if (lines.length === 0) {
    console.log('no data\n');
    return;
  }
  printTable(
    [...WHAT, ...(only ? [only.heading] : []), ...REST],
    lines.map((line) => [...whatText(line), ...(only ? [only.text(line)] : []), ...restText(line)]),
  );
  console.log('');
};

/** `breakwater channel`: what servers reported of failures, and what they measured. */
export const channelCommands = (program: Command): void => {
  const channel = program.command('channel').description('Read the coordination channel: failures and measurements');
  withDatabaseFlags(channel.command('report'))
    .description(
      'Count failures and measurements of a time, by type and endpoint, with p50 and p99 of how long they took',
    )
    .option('--since <time>', 'Begin: a time back from now (30m, 24h, 14d), or a date or time in UTC', '14d')
    .option('--until <time>', 'End, which is not part of it, in the same words; now by default')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
It reads every row of that time, which takes a while when there are millions of them.

Examples:
  breakwater channel report --since 24h
  breakwater channel report --since 2026-05-01 --until 2026-05-15T12:00Z --json`,
    )
    .action(async (flags: DatabaseFlags & { since: string; until?: string; json?: boolean }) => {
      const window = accepted(reportWindow(flags.since, flags.until, systemClock.now()));
      const report = await withTables(flags, (database) => readReport(database, window));
      if (flags.json === true) {
        console.log(
          JSON.stringify({
            since: timeText(window.from),
            until: timeText(window.to),
            failures: panelOf(report.failures),
            measurements: panelOf(report.measurements),
            samples_dropped: report.dropped,
          }),
        );
        return;
      }
      const incidents = { heading: 'INCIDENTS', text: (line: ReportLine) => String(line.incidents) };
      printPanel('Failures', report.failures, window, incidents);
      printPanel('Measurements', report.measurements, window, undefined);
      console.log(
        report.dropped === 0
          ? 'Nothing is known to be missing.'
          : `${report.dropped} more were counted but could not be stored.`,
      );
    });
};
