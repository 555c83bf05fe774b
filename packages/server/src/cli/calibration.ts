import type { Command } from 'commander';
import { Calibration, calibrationReply, reportText } from '../calibration/index.ts';
import { systemClock } from '../runtime/index.ts';
import { accepted, UsageError } from './fail.ts';
import { calibrationLines, type CalibrationAnswer } from './calibration-text.ts';
import { asksServer, withOptionalServer, withServer, type ServerFlags } from './remote.ts';
import { terminalOf } from './terminal.ts';
import { withTables } from './with-database.ts';
import { say } from './output.ts';

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };
const MOST_DAYS = 3650;

/** The time that `--since` means: so long ago (24h, 30d, 8w), or an instant or day in ISO 8601, UTC; ms since the epoch. */
const sinceOf = (text: string, now: number): number => {
  const [, amount, unit = ''] = /^(\d{1,5})([hdw])$/.exec(text) ?? [];
  const parsed =
    amount === undefined
      ? /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text)
        ? Date.parse(text)
        : Number.NaN
      : now - Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (parsed <= now && parsed >= now - MOST_DAYS * 86_400_000) return parsed;
  throw new UsageError(
    `--since must be a time of the past ${MOST_DAYS} days, such as 24h, 30d, 8w or 2026-05-01; given "${text}"`,
  );
};

/** `breakwater calibration`: whether claimed confidence and results agree. */
export const calibrationCommands = (program: Command): void => {
  const calibration = program.command('calibration').description('Hold claimed confidence against results');
  withOptionalServer(calibration.command('report'))
    .description('Show status, reliability curves with a bar and the count of each bin, and what is wrong')
    .option('--agent <id or name>', 'Of one agent; the fleet by default')
    .option('--since <time>', 'From a time on: 24h, 30d, 8w, or a day or instant of ISO 8601 in UTC', '90d')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  breakwater calibration report\n' +
        '  breakwater calibration report --agent "Ada" --since 30d\n' +
        '  breakwater calibration report --json',
    )
    .action(async (flags: ServerFlags & { agent?: string; since: string; json?: boolean }) => {
      const since = sinceOf(flags.since, systemClock.now());
      if (asksServer(flags)) {
        const query = { agent: flags.agent, since: new Date(since).toISOString() };
        const answer = await withServer(flags, 'read', (remote) =>
          remote.read<CalibrationAnswer>('calibration', query),
        );
        if (flags.json === true) say(JSON.stringify(answer));
        else say(calibrationLines(answer, terminalOf(process.stdout).columns).join('\n'));
        return;
      }
      const { assessment, reading, freshness } = await withTables(flags, async (database) =>
        accepted(await new Calibration({ database, clock: systemClock }).lookSince(since, flags.agent)),
      );
      if (flags.json === true) say(JSON.stringify(calibrationReply(assessment, reading, freshness)));
      else say(reportText(assessment, reading, freshness));
    });
};
