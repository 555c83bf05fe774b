import type { FreeResume, Need, NowView, SessionView } from '@breakwater/contract/overview';
import type { Command } from 'commander';
import { needCommands } from './needs.ts';
import { withServer, withServerFlags, type ServerFlags } from './remote.ts';
import { paint, tame, terminalOf } from './terminal.ts';
import { say } from './output.ts';
import { needsText, reviewsText, sinceText } from './status-text.ts';

/** Exit code of `status --check` when something waits for a person. */
const NEEDED_EXIT = 3;
const MOST = 15;
const MOST_RESUMES = 10;
const COLOURS = { critical: 'red', warning: 'yellow', info: 'dim' } as const;

const counted = (counts: Readonly<Record<string, number>>, words: readonly string[]): string =>
  words
    .filter((word) => (counts[word] ?? 0) > 0)
    .map((word) => `${counts[word] ?? 0} ${word.replaceAll('_', ' ')}`)
    .join(', ') || 'none';

const HOW: Readonly<Record<FreeResume['how'], string>> = {
  review: 'by a review',
  self_recovery: 'by itself',
  expiry: 'because its pause expired',
};

/** Who went on in the last day although no operator said so. */
const printResumes = ({ free_resumes: resumes, more_free_resumes: unlisted }: NowView): void => {
  if (resumes === null || resumes.length === 0) return;
  say(`\nResumed without an operator in the last day (${resumes.length + unlisted}):`);
  for (const { at, agent, how, by, why, review_id: review } of resumes.slice(0, MOST_RESUMES)) {
    const who = how === 'review' && by !== null ? `, reviewed by ${by.name}` : '';
    const link = review === null ? '' : `  → breakwater reviews show ${review}`;
    say(
      tame(
        `  ${at.slice(0, 16)}Z  ${agent.name} ${HOW[how]}${who}${why === null ? '' : `: ${why.slice(0, 80)}`}${link}`,
      ),
    );
  }
  const more = resumes.length - MOST_RESUMES + unlisted;
  if (more > 0) say(`  … and ${more} more; --json has them`);
};

/** What is said beside a need: how claims and results compare, or how much of them is not seen. */
const RECORD = [
  'claimed on average',
  'actual pass rate',
  'mean gap, in points',
  'graded results',
  'coverage',
  'unobserved claims',
];
const recordLine = ({ evidence }: Need): string =>
  evidence
    .filter(({ name, value }) => value !== null && RECORD.includes(name))
    .map(({ name, value }) => `${name} ${String(value)}`)
    .join(', ');

const print = (session: SessionView, now: NowView, url: string): void => {
  const terminal = terminalOf(process.stdout);
  const { server } = session;
  const line = (name: string, text: string): void => say(`${name.padEnd(12)}${tame(text)}`);
  say(
    `Breakwater ${server.version} at ${url}: ` +
      (now.ready ? paint('ready', 'green', terminal) : paint('NOT READY', 'red', terminal)) +
      `, since ${server.started_at.replace(/\.\d+Z$/, 'Z')}\n`,
  );
  line(
    'Agents',
    counted(now.agents, ['active', 'paused', 'waiting_input', 'stuck', 'disabled', 'archived', 'deleted']),
  );
  line('Reviews', now.reviews === null ? 'unknown' : reviewsText(now.reviews));
  const verdicts = { proceed: 0, guide: 0, pause: 0 };
  for (const bucket of now.activity) {
    for (const verdict of ['proceed', 'guide', 'pause'] as const) verdicts[verdict] += bucket[verdict];
  }
  line(
    'Check-ins',
    `${counted(verdicts, ['proceed', 'guide', 'pause'])} in the last hour${sinceText(now.activity_since, now.at)}`,
  );
  line(
    'Requests',
    now.requests === null
      ? 'unknown yet'
      : `${now.requests.count} in the last minute, ${now.requests.unavailable} rejected with 503`,
  );
  printResumes(now);
  if (now.needs.length === 0) {
    say('\nNothing needs attention.');
    return;
  }
  say(`\n${needsText(now.needs.length + now.more_needs)}:`);
  for (const need of now.needs.slice(0, MOST)) {
    say(
      `  ${paint(need.severity.padEnd(9), COLOURS[need.severity], terminal)}${tame(need.title)}` +
        (need.since === null ? '' : paint(`  since ${need.since.slice(0, 16)}Z`, 'dim', terminal)),
    );
    const facts = recordLine(need);
    if (facts !== '') say(tame(`           ${facts}`));
    const [first] = needCommands(need);
    if (first !== undefined) say(`           → ${first}`);
  }
  const more = now.needs.length - MOST + now.more_needs;
  if (more > 0) say(`  … and ${more} more; --json has them all`);
};

const waits = ({ severity }: Need): boolean => severity !== 'info';

/** `breakwater status`: one screen about a server, and what needs a person. */
export const statusCommand = (program: Command): void => {
  withServerFlags(program.command('status'))
    .description('Show on one screen whether the server is ready, what its agents do, and what waits for a person')
    .option('--check', 'Exit with 3 when something waits for a person, or the server is not ready')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
Exit codes: 0 it answered, 2 no server answers, 3 something waits for a person (with --check; what is for information alone
does not count), 1 anything else.

Examples:
  breakwater status
  breakwater status --check || notify-send "Breakwater needs you"
  breakwater status --server https://breakwater.example.org --json`,
    )
    .action(async (options: ServerFlags & { check?: boolean; json?: boolean }) => {
      const { check, json, ...flags } = options;
      await withServer(flags, 'read', async (remote) => {
        const session = await remote.read<SessionView>('session');
        const now = await remote.read<NowView>('now');
        if (check === true && (!now.ready || now.needs.some(waits))) process.exitCode = NEEDED_EXIT;
        if (json === true) say(JSON.stringify({ url: remote.url, server: session.server, ...now }));
        else print(session, now, remote.url);
      });
    });
};
