import type { Command } from 'commander';
import { Calibration, calibrationReply, reportText } from '../calibration/index.ts';
import { reportWindow } from '../channel/index.ts';
import { systemClock } from '../runtime/index.ts';
import { accepted, understood } from './fail.ts';
import { calibrationLines, type CalibrationAnswer } from './calibration-text.ts';
import { asksServer, withOptionalServer, withServer, type ServerFlags } from './remote.ts';
import { terminalOf } from './terminal.ts';
import { withTables } from './with-database.ts';
import { say } from './output.ts';

/** `breakwater calibration`: whether claimed confidence and results agree. */
export const calibrationCommands = (program: Command): void => {
  const calibration = program.command('calibration').description('Hold claimed confidence against results');
  withOptionalServer(calibration.command('report'))
    .description('Show status, reliability curves with a bar and the count of each bin, and what is wrong')
    .option('--agent <id or name>', 'Of one agent; the fleet by default')
    .option('--since <time>', 'From a time on: 24h, 30d, 8w, or a day or time, in UTC unless it says otherwise', '90d')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n' +
        '  breakwater calibration report\n' +
        '  breakwater calibration report --agent "Ada" --since 30d\n' +
        '  breakwater calibration report --json',
    )
    .action(async (flags: ServerFlags & { agent?: string; since: string; json?: boolean }) => {
      const since = understood(reportWindow(flags.since, undefined, systemClock.now())).from;
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
