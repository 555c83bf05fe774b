import { refuse } from '@breakwater/contract';
import type { Command } from 'commander';
import { MAX_FAULTS, verifyAudit, type AuditReport } from '../agents/index.ts';
import { reportWindow } from '../channel/index.ts';
import { systemClock } from '../runtime/index.ts';
import { agentIdOf } from './agent-id.ts';
import { accepted, understood } from './fail.ts';
import { printTable, timeText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const PROGRESS_MS = 2_000;

/** What even a clean result does not prove; said every time, so that nobody takes it for more. */
const LIMITS = [
  'Whoever can write both audit.events and core.identities can make a whole chain anew. Copies of the heads (agent_id, ' +
    'audit_count, audit_head of core.identities) that are kept elsewhere show that.',
  'Rows outside of every chain can be added, changed and deleted unseen.',
  'Of rows that releases before the second rule of hashes wrote, session_id and confidence are not part of the hash.',
  'Rows that retention dropped cannot be verified any more; where it cut a chain is taken from audit.chain_anchors.',
] as const;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const print = (report: AuditReport, since: number | undefined): void => {
  const { agents, rows, seconds, faulty, faults, outside, dropped } = report;
  if (faults.length > 0) {
    printTable(
      ['AGENT', 'ROW', 'EVENT', 'FAULT', 'WHAT'],
      faults.map((fault) => [
        fault.agentId === '' ? '-' : fault.agentId,
        String(fault.index),
        fault.eventId ?? '-',
        fault.kind,
        fault.what,
      ]),
    );
    if (faulty > faults.length) say(`… and ${faulty - faults.length} more than the ${MAX_FAULTS} shown.`);
    say('');
  }
  const what = `${counted(agents, 'agent')}, ${counted(rows, 'row')} in ${seconds.toFixed(1)} s`;
  const from = since === undefined ? '' : `, from ${timeText(since)} on`;
  say(
    faulty === 0
      ? `Verified ${what}${from}: no fault.`
      : `Verified ${what}${from}: the trail of ${counted(faulty, 'agent')} was tampered with or is damaged. Only the first fault of each is shown.`,
  );
  if (outside.length > 0) {
    say('\nRows outside of every chain, which nothing proves:');
    printTable(
      ['TYPE', 'ROWS', 'ALSO IN CHAINS'],
      outside.map(({ type, rows: count, alsoInChains }) => [type, String(count), alsoInChains ? 'yes' : 'no']),
    );
  }
  if (dropped.agents > 0) {
    say(
      `\nRetention has dropped ${counted(dropped.rows, 'row')} from the chains of ${counted(dropped.agents, 'agent')}.`,
    );
  }
  say(`\nWhat this cannot show:\n${LIMITS.map((line) => `- ${line}`).join('\n')}`);
};

const jsonOf = (report: AuditReport, since: number | undefined) => ({
  ok: report.faulty === 0,
  since: since === undefined ? null : timeText(since),
  agents: report.agents,
  rows: report.rows,
  seconds: report.seconds,
  agents_with_fault: report.faulty,
  faults: report.faults.map(({ agentId, kind, index, eventId, what }) => ({
    agent_id: agentId,
    kind,
    index,
    event_id: eventId,
    what,
  })),
  outside_of_chains: report.outside.map(({ type, rows, alsoInChains }) => ({
    event_type: type,
    rows,
    also_in_chains: alsoInChains,
  })),
  dropped_by_retention: report.dropped,
  cannot_show: LIMITS,
});

/** Says on standard error how far it is, every other second. */
const progress = () => {
  let saidAt = systemClock.monotonic();
  return ({ agents, ofAgents, rows }: { agents: number; ofAgents: number; rows: number }): void => {
    if (systemClock.monotonic() - saidAt < PROGRESS_MS) return;
    saidAt = systemClock.monotonic();
    console.error(`${agents} of ${counted(ofAgents, 'agent')}, ${counted(rows, 'row')} …`);
  };
};

/** `breakwater audit`: what the audit trail can prove of itself. */
export const auditCommands = (program: Command): void => {
  const audit = program.command('audit').description('Verify the audit trail');
  withDatabaseFlags(audit.command('verify'))
    .description('Follow the hash chain of every agent; exit code 1 when a row was altered, removed, moved or added')
    .option(
      '--agent <agent>',
      'Of one agent, by its name, its id, or the first 8 characters or more of its id; all of them by default',
    )
    .option('--since <time>', 'From a time on: back from now (24h, 30d), or a date or time in UTC; all by default')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
Servers go on meanwhile. For each agent with a fault it names the first one: the place in the chain, the row, and what is
wrong. What retention has dropped is not missed.

Examples:
  breakwater audit verify
  breakwater audit verify --since 24h --json
  breakwater audit verify --agent Tom`,
    )
    .action(async (flags: DatabaseFlags & { agent?: string; since?: string; json?: boolean }) => {
      const named = flags.agent?.trim();
      const since =
        flags.since === undefined
          ? undefined
          : understood(reportWindow(flags.since, undefined, systemClock.now())).from;
      const report = await withTables(flags, async (database) => {
        const agentId = named === undefined ? undefined : await agentIdOf(database, named);
        return verifyAudit(database, { agentId, since }, systemClock, progress());
      });
      if (report === undefined) {
        accepted(
          refuse('AGENT_NOT_FOUND', `There is no agent ${JSON.stringify(named)}, and no row of one.`, {
            recovery: { action: '"breakwater agents list --status all --search <text>" finds agents.' },
          }),
        );
        return;
      }
      if (report.faulty > 0) process.exitCode = 1;
      if (flags.json === true) say(JSON.stringify(jsonOf(report, since)));
      else print(report, since);
    });
};
