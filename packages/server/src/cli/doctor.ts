import { VERSION } from '@breakwater/contract';
import type { Command } from 'commander';
import { systemClock } from '../runtime/index.ts';
import type { DoctorFlags } from './doctor/gather.ts';
import { diagnose, exitCodeOf, overall, type Finding } from './doctor/rules.ts';
import { timeText } from './print.ts';
import { statusLine } from './progress.ts';
import { paint, tame, terminalOf } from './terminal.ts';
import { withDatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const SIGNS = { ok: 'ok', warning: 'warning', failure: 'FAILURE', unknown: '-' } as const;
const COLOURS = { ok: 'green', warning: 'yellow', failure: 'red', unknown: 'dim' } as const;
const SIGN_WIDTH = 9;
const CHECK_WIDTH = 16;
const INDENT = ' '.repeat(SIGN_WIDTH + CHECK_WIDTH);

const print = (findings: readonly Finding[]): void => {
  const terminal = terminalOf(process.stdout);
  for (const { check, state, what, evidence, mend } of findings) {
    const sign = paint(SIGNS[state].padEnd(SIGN_WIDTH), COLOURS[state], terminal);
    say(`${sign}${check.replaceAll('_', ' ').padEnd(CHECK_WIDTH)}${tame(what)}`);
    for (const line of evidence) say(`${INDENT}${paint(tame(line), 'dim', terminal)}`);
    if (mend === null) continue;
    say(`${INDENT}→ ${tame(mend.what)}`);
    for (const command of mend.commands) say(`${INDENT}  ${paint(command, 'bold', terminal)}`);
  }
  const count = (state: Finding['state']): number => findings.filter((one) => one.state === state).length;
  const said = [
    [count('failure'), 'failure'],
    [count('warning'), 'warning'],
  ] as const;
  const found = said.filter(([n]) => n > 0).map(([n, noun]) => `${n} ${noun}${n === 1 ? '' : 's'}`);
  say(`\n${found.length === 0 ? 'All is well.' : `${found.join(' and ')}; what mends each stands below it.`}`);
};

/** `breakwater doctor`: what is wrong, how it is mended, and an exit code that a deploy can gate on (BW-cli.02). */
export const doctorCommand = (program: Command): void => {
  withDatabaseFlags(program.command('doctor'))
    .description('Find what is wrong with this installation, and say how to mend it; changes nothing')
    .option('--server <url>', 'The server that should be there (BREAKWATER_URL; where this configuration serves)')
    .option('--strict', 'Exit with 1 also when there are only warnings')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 nothing is broken, 1 there are warnings (with --strict), 2 there is a failure, 64 it was called wrongly.
A server that is named, by --server or BREAKWATER_URL, must be there. Of one on another machine only the server itself is
looked at, unless DATABASE_URL names its database.

Examples:
  breakwater doctor
  breakwater doctor --strict && systemctl restart breakwater
  breakwater doctor --server https://breakwater.example.org --json`,
    )
    .action(async (options: DoctorFlags & { strict?: boolean; json?: boolean }) => {
      const { strict, json, ...flags } = options;
      // It knows the server, which no other command should have to load.
      const doctor = await import('./doctor/gather.ts');
      const status = statusLine();
      const facts = await doctor.gather(flags, process.env, systemClock, (what) => status.say(`Looking at ${what} …`));
      status.clear();
      const findings = diagnose(facts);
      process.exitCode = exitCodeOf(findings, strict === true);
      if (json !== true) {
        print(findings);
        return;
      }
      say(JSON.stringify({ at: timeText(facts.now), version: VERSION, state: overall(findings), findings }));
    });
};
