import type { ChannelLine, ChannelView } from '@breakwater/contract/overview';
import type { Command } from 'commander';
import { readReport, reportWindow, type ReportLine, type ReportWindow } from '../channel/index.ts';
import { systemClock } from '../runtime/index.ts';
import { understood } from './fail.ts';
import { printTable, timeText } from './print.ts';
import { asksServer, withOptionalServer, withServer, type ServerFlags } from './remote.ts';
import { withTables } from './with-database.ts';
import { say } from './output.ts';

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
  say(`${title}, ${timeText(from)} to ${timeText(to)}`);
  if (lines.length === 0) {
    say('no data\n');
    return;
  }
  printTable(
    [...WHAT, ...(only ? [only.heading] : []), ...REST],
    lines.map((line) => [...whatText(line), ...(only ? [only.text(line)] : []), ...restText(line)]),
  );
  say('');
};

/** A line as a server tells it. */
const lineOf = ({ elapsed_ms: { p50, p99 }, first, last, ...line }: ChannelLine): ReportLine => ({
  ...line,
  p50,
  p99,
  first: Date.parse(first),
  last: Date.parse(last),
});

type ReportFlags = ServerFlags & { readonly since: string; readonly until?: string; readonly json?: boolean };

const readFrom = async (flags: ReportFlags) => {
  const window = understood(reportWindow(flags.since, flags.until, systemClock.now()));
  if (!asksServer(flags)) {
    return { window, report: await withTables(flags, (database) => readReport(database, window)) };
  }
  const query = { since: flags.since, until: flags.until };
  const view = await withServer(flags, 'read', (remote) => remote.read<ChannelView>('channel', query));
  return {
    window: { from: Date.parse(view.from), to: Date.parse(view.to) },
    report: {
      failures: view.failures.lines.map(lineOf),
      measurements: view.measurements.lines.map(lineOf),
      dropped: view.samples_dropped,
    },
  };
};

/** `breakwater channel`: what servers reported of failures, and what they measured. */
export const channelCommands = (program: Command): void => {
  const channel = program.command('channel').description('Read the coordination channel: failures and measurements');
  withOptionalServer(channel.command('report'))
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
    .action(async (flags: ReportFlags) => {
      const { window, report } = await readFrom(flags);
      if (flags.json === true) {
        say(
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
      say(
        report.dropped === 0
          ? 'Nothing is known to be missing.'
          : `${report.dropped} more were counted but could not be stored.`,
      );
    });
};
