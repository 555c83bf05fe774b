import { AGENT_SORTS, AGENT_STATUS_FILTERS, VERDICTS } from '@breakwater/contract';
import type {
  AgentRow,
  AgentsPage,
  AgentView,
  ClaimRow,
  ClaimsView,
  CoverageView,
  VitalsView,
} from '@breakwater/contract/overview';
import { Option, type Command } from 'commander';
import { systemClock } from '../runtime/index.ts';
import { agentOn } from './agent-id.ts';
import { reasonOf } from './fail.ts';
import { moreText, numberOf, withPageFlags, type PageFlags } from './page-flags.ts';
import { instantText, printFacts, printTable, whenText } from './print.ts';
import { withServer, withServerFlags, type ServerFlags } from './remote.ts';
import { say } from './output.ts';

const MOST = 1000;
const MOST_HOURS = 87_600;
/** Newest results that `show` prints beside what was claimed of them. */
const RESULTS = 10;

const percent = (share: number | null | undefined): string => (share == null ? '-' : `${Math.round(share * 100)} %`);
/** Mean claim less pass rate in points: above 0 the claims run ahead of the results. */
const gapText = (gap: number | null | undefined): string =>
  gap == null ? '-' : `${gap > 0 ? '+' : ''}${Math.round(gap * 100)}`;
const evidenceText = ({ vitals }: AgentRow): string =>
  vitals === null || vitals.graded === 0 ? '-' : vitals.claims.toFixed(vitals.claims < 10 ? 1 : 0);
const statusText = ({ status, is_stuck: stuck }: AgentRow): string => (stuck ? `${status}, stuck` : status);

const printAgents = ({ rows, offset, matching }: AgentsPage): void => {
  if (rows.length === 0) {
    say(matching === 0 ? 'No agent matches.' : `There are only ${matching}.`);
    return;
  }
  const now = systemClock.now();
  printTable(
    ['AGENT', 'NAME', 'STATUS', 'PASS', 'GAP', 'COVERAGE', 'EVIDENCE', 'CHECK-INS', 'LAST ACTIVITY'],
    rows.map((row) => [
      row.agent_id,
      row.name,
      statusText(row),
      percent(row.vitals?.pass_rate),
      gapText(row.vitals?.mean_gap),
      percent(row.vitals?.coverage.share),
      evidenceText(row),
      String(row.check_ins),
      whenText(row.last_activity_at, now),
    ]),
    ['AGENT', 'NAME', 'STATUS', 'PASS', 'GAP', 'LAST ACTIVITY', 'COVERAGE', 'EVIDENCE'],
  );
  const more = moreText(rows.length, offset, matching);
  if (more !== undefined) say(more);
};

const vitalsText = ({ vitals }: AgentView): string | null =>
  vitals === null
    ? null
    : `E ${vitals.E.toFixed(3)}  I ${vitals.I.toFixed(3)}  S ${vitals.S.toFixed(3)}  V ${vitals.V.toFixed(3)}  ` +
      `(${vitals.source}, ${instantText(vitals.at)})`;

const recordText = ({ graded, pass_rate: passRate, mean_claim: meanClaim, mean_gap: gap }: VitalsView): string =>
  graded === 0
    ? 'no graded results yet'
    : `claimed ${percent(meanClaim)} on average, pass rate ${percent(passRate)}, mean gap ${gapText(gap)} points, ` +
      `${graded} graded results`;

const coverageText = ({
  made,
  settled,
  unobserved,
  expired,
  open,
  unclaimed,
  ungraded,
  share,
}: CoverageView): string =>
  made + unclaimed + ungraded === 0
    ? 'no claims yet'
    : `${percent(share)}: ${settled} of ${made} claims settled, ${unobserved} unobserved (${expired} expired, ${open} open); ` +
      `${unclaimed} check-ins without confidence, ${ungraded} results not graded`;

/** What came of the newest claims, and why a result does not count. */
const printResults = ({ rows }: ClaimsView): void => {
  if (rows.length === 0) return;
  say('\nNewest results:');
  const now = systemClock.now();
  printTable(
    ['WHEN', 'RESULT', 'CLAIMED', 'COUNTS', 'RAN'],
    rows.map((row) => [
      whenText(row.at, now),
      row.is_bad ? 'fail' : row.score === null ? '-' : 'pass',
      percent(row.claimed_confidence),
      countsText(row),
      row.ran ?? '-',
    ]),
  );
};

const countsText = ({ graded, why_not_graded: why, bet_held: held }: ClaimRow): string => {
  if (!graded) return `no: ${why ?? 'not graded'}`;
  return held === null ? 'yes' : `yes, bet held: ${held.others} results of others fell short too`;
};

const printAgent = (agent: AgentView): void => {
  const { pause, archive, lineage, vitals } = agent;
  printFacts([
    ['agent', agent.agent_id],
    ['name', agent.name],
    ['status', statusText(agent)],
    ['held by', agent.held_by && `the pause of ${agent.held_by.name} (${agent.held_by.agent_id})`],
    ['paused', pause && `${pause.reason} (${pause.kind}), since ${instantText(pause.paused_at)}`],
    ['until', pause && (pause.expires_at === null ? 'somebody resumes it' : instantText(pause.expires_at))],
    ['ended', archive && `${archive.reason}, by ${archive.actor ?? archive.by}, ${instantText(archive.at)}`],
    ['verdict', vitals && `${vitals.verdict}, risk ${vitals.risk?.toFixed(2) ?? 'unknown'} (${vitals.risk_word})`],
    ['vitals', vitalsText(agent)],
    ['record', vitals && recordText(vitals)],
    ['coverage', vitals && coverageText(vitals.coverage)],
    [
      'evidence',
      vitals &&
        `against its claims ${evidenceText(agent)}, of silence ${vitals.coverage.silence.toFixed(1)} (1 says nothing)`,
    ],
    ['check-ins', String(agent.check_ins)],
    ['last activity', instantText(agent.last_activity_at)],
    ['created', instantText(agent.created_at)],
    ['purpose', agent.purpose],
    ['tags', agent.tags.join(' ')],
    ['notes', agent.notes],
    ['parent', agent.parent && `${agent.parent.name} (${agent.parent.agent_id}), lineage ${lineage.state}`],
    ['children', agent.children.map(({ name }) => name).join(', ')],
    ['process', agent.substrate && `${agent.substrate.executable} in ${agent.substrate.unit ?? 'any unit'}`],
    ['sessions', `${agent.sessions.in_force} in force, last seen ${instantText(agent.sessions.last_seen_at)}`],
  ]);
  for (const { text, until, enforced } of agent.conditions_in_force) {
    printFacts([['condition', `${text}${enforced ? '' : ' (a person must look)'}, until ${instantText(until)}`]]);
  }
  for (const review of agent.reviews) {
    printFacts([
      ['review', `${review.review_id} ${review.phase}${review.outcome === null ? '' : `, ${review.outcome}`}`],
    ]);
  }
};

type AgentFlags = ServerFlags & { readonly json?: boolean };
type ListFlags = AgentFlags &
  PageFlags & {
    readonly search?: string;
    readonly status?: string;
    readonly verdict?: string;
    readonly tag?: string;
    readonly sort?: string;
    readonly order?: string;
  };

/** Calls the tool that acts on an agent, and prints what has become of it. */
const act = (
  flags: AgentFlags,
  tool: string,
  args: Readonly<Record<string, unknown>> & { readonly target_agent_id: string },
): Promise<void> =>
  withServer(flags, 'act', async (remote) => {
    const done = await remote.call(tool, { ...args, target_agent_id: await agentOn(remote, args.target_agent_id) });
    const { agent_id: id, lifecycle_status: status, message } = done;
    if (flags.json === true) say(JSON.stringify({ agent_id: id, status, message }));
    else say(String(message));
  });

const ID = '0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21';

/** `breakwater agents`: the fleet of a running server, seen and acted on. */
export const agentsCommands = (program: Command): void => {
  const agents = program.command('agents').description('See the agents of a running server, and act on them');
  const add = (name: string, description: string, help: string) =>
    withServerFlags(agents.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);
  const one = (name: string, description: string, help: string) =>
    add(name, description, help).argument(
      '<agent>',
      'The agent: its name, its id, or the first 8 characters or more of its id',
    );

  withPageFlags(
    add(
      'list',
      'Show agents, those that were active last first; archived and deleted ones only when they are asked for',
      'Examples:\n' +
        '  breakwater agents list\n' +
        '  breakwater agents list --status paused\n' +
        '  breakwater agents list --search release --sort gap --limit 10 --json',
    ),
    MOST,
  )
    .option('--search <text>', 'Part of the name, id, purpose or a tag')
    .addOption(new Option('--status <status>', 'Filter by status (default: present)').choices(AGENT_STATUS_FILTERS))
    .addOption(new Option('--verdict <verdict>', 'Filter by latest verdict').choices(VERDICTS))
    .option('--tag <tag>', 'Filter by tag')
    .addOption(new Option('--sort <field>', 'Sort field (default: activity)').choices(AGENT_SORTS))
    .addOption(new Option('--order <order>', 'Sort order').choices(['asc', 'desc']))
    .action(async (flags: ListFlags) => {
      const { search, status, verdict, tag, sort, order } = flags;
      const page = {
        limit: String(numberOf('limit', flags.limit, 1, MOST)),
        offset: String(numberOf('offset', flags.offset, 0, 1_000_000)),
      };
      const found = await withServer(flags, 'read', (remote) =>
        remote.read<AgentsPage>('agents', { search, status, verdict, tag, sort, order, ...page }),
      );
      if (flags.json === true) say(JSON.stringify(found));
      else printAgents(found);
    });

  one(
    'show',
    'Show everything that is known of an agent',
    `Examples:\n  breakwater agents show Ada\n  breakwater agents show ${ID} --json`,
  ).action(async (agent: string, flags: AgentFlags) => {
    await withServer(flags, 'read', async (remote) => {
      const path = `agents/${encodeURIComponent(await agentOn(remote, agent))}`;
      const found = await remote.read<AgentView>(path);
      if (flags.json === true) {
        say(JSON.stringify(found));
        return;
      }
      printAgent(found);
      printResults(await remote.read<ClaimsView>(`${path}/claims`, { limit: String(RESULTS) }));
    });
  });

  one(
    'pause',
    'Pause an agent: its check-ins are answered with pause until somebody resumes it',
    'Example:\n  breakwater agents pause Ada --reason "the release is frozen" --hours 12',
  )
    .requiredOption('--reason <text>', 'Why; the agent reads it, and it stands in the audit trail')
    .option('--hours <number>', `Hours after which it ends by itself, 1 to ${MOST_HOURS}; never by default`)
    .action((agent: string, flags: AgentFlags & { reason: string; hours?: string }) =>
      act(flags, 'agent', {
        action: 'pause',
        target_agent_id: agent,
        reason: flags.reason,
        ...(flags.hours !== undefined && { hours: numberOf('hours', flags.hours, 1, MOST_HOURS) }),
      }),
    );

  one(
    'resume',
    'Make a paused agent active again',
    'Example:\n  breakwater agents resume Ada --reason "the evidence was a broken test runner"',
  )
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .option('--force', 'Resume even if its risk is above 0.60')
    .action((agent: string, flags: AgentFlags & { reason: string; force?: boolean }) =>
      act(flags, 'operator_resume_agent', {
        target_agent_id: agent,
        reason: flags.reason,
        ...(flags.force === true && { force: true }),
      }),
    );

  one(
    'archive',
    'End an agent: it keeps its record and can do nothing more',
    'Example:\n  breakwater agents archive Ada --reason "its work is done"',
  )
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .option('--force', 'Archive even if it looks live')
    .action((agent: string, flags: AgentFlags & { reason: string; force?: boolean }) =>
      act(flags, 'agent', {
        action: 'archive',
        target_agent_id: agent,
        reason: flags.reason,
        ...(flags.force === true && { force: true }),
      }),
    );

  one(
    'note',
    'Add a line to the notes of an agent, or write them anew',
    'Examples:\n  breakwater agents note Ada "asked its owner, 12 May" --reason "so that the next shift knows"\n' +
      '  breakwater agents note Ada "" --replace --reason "it is settled"',
  )
    .argument('<text>', 'The note')
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .option('--replace', 'Replace the notes that it has')
    .action((agent: string, text: string, flags: AgentFlags & { reason: string; replace?: boolean }) =>
      withServer(flags, 'act', async (remote) => {
        const done = await remote.call('agent', {
          action: 'update',
          target_agent_id: await agentOn(remote, agent),
          notes: text,
          append_notes: flags.replace !== true,
          reason: reasonOf(flags.reason),
        });
        const { notes } = done['agent'] as { notes: string | null };
        if (flags.json === true) say(JSON.stringify({ agent_id: done['agent_id'], notes }));
        else say(notes === null || notes === '' ? 'It has no notes now.' : `Its notes are now:\n${notes}`);
      }),
    );
};
