import { realpathSync } from 'node:fs';
import type { Command } from 'commander';
import { enrolSubstrate, listSubstrates, removeSubstrate } from '../agents/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { agentIdOf } from './agent-id.ts';
import { accepted, reasonOf } from './fail.ts';
import { actorOf, withActor, type ActorFlags } from './os-user.ts';
import { printTable, timeText, whenText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

/** The path as the kernel names it, free of links; undefined when there is no such file on this machine. */
const realPath = (path: string): string | undefined => {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
};

/** `breakwater substrate`: agents that only a certain process may be. */
export const substrateCommands = (program: Command): void => {
  const substrate = program
    .command('substrate')
    .description('Enrol agents that are reached over the unix socket only, by their own process');
  const add = (name: string, description: string, help: string) =>
    withDatabaseFlags(substrate.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  withActor(
    add(
      'enrol',
      'Let an agent be acted as only over the unix socket, by a process of this executable and unit',
      'Example:\n' +
        '  breakwater substrate enrol --agent Sentinel --executable /usr/bin/node --unit sentinel.service \\\n' +
        '    --reason "resident of host a"',
    ),
  )
    .requiredOption('--agent <agent>', 'The agent: its id, the beginning of its id, or exactly its name')
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .requiredOption('--executable <path>', 'Absolute path of what its process runs, as /proc/<pid>/exe shows it')
    .option('--unit <name>', 'systemd unit that its process belongs to; any when absent')
    .option('--notes <text>', 'Anything that the next operator should know')
    .action(
      async (
        flags: DatabaseFlags &
          ActorFlags & {
            agent: string;
            reason: string;
            executable: string;
            unit?: string;
            notes?: string;
            json?: boolean;
          },
      ) => {
        const real = flags.executable.startsWith('/') ? realPath(flags.executable) : undefined;
        const claim = { executable: real ?? flags.executable, unit: flags.unit ?? null };
        const reason = reasonOf(flags.reason);
        const { agentId, replaced } = await withTables(flags, async (database) => {
          const agentId = await agentIdOf(database, flags.agent);
          const enrolled = accepted(
            await enrolSubstrate(database, {
              agentId,
              ...claim,
              notes: flags.notes ?? null,
              by: actorOf(flags),
              reason,
              now: systemClock.now(),
              ids: systemIds,
            }),
          );
          return { agentId, ...enrolled };
        });
        if (flags.json === true) {
          say(JSON.stringify({ agent_id: agentId, ...claim, notes: flags.notes ?? null, replaced }));
          return;
        }
        say(
          `Agent ${agentId} is enrolled${replaced ? ' anew' : ''}: only ${claim.executable}` +
            `${claim.unit === null ? '' : ` in ${claim.unit}`} may act as it, over the unix socket.`,
        );
        if (real === undefined) say('That file is not on this machine; make sure that the path is right.');
        else if (real !== flags.executable) say(`${flags.executable} is a link; the kernel shows what it leads to.`);
      },
    );

  add(
    'list',
    'Show the enrolled agents and what their processes must look like',
    'Example:\n  breakwater substrate list',
  ).action(async (flags: DatabaseFlags & { json?: boolean }) => {
    const enrolled = await withTables(flags, listSubstrates);
    if (flags.json === true) {
      say(
        JSON.stringify(
          enrolled.map(({ agentId, enrolledAt, ...rest }) => ({
            agent_id: agentId,
            ...rest,
            enrolled_at: timeText(enrolledAt),
          })),
        ),
      );
    } else if (enrolled.length === 0) {
      say(
        'No agent is enrolled. To enrol one:  breakwater substrate enrol --agent <agent> --executable <path> --reason <text>',
      );
    } else {
      const now = systemClock.now();
      printTable(
        ['AGENT', 'NAME', 'STATUS', 'EXECUTABLE', 'UNIT', 'ENROLLED', 'NOTES'],
        enrolled.map((one) => [
          one.agentId,
          one.label ?? '-',
          one.status,
          one.executable,
          one.unit ?? 'any',
          whenText(timeText(one.enrolledAt), now),
          one.notes ?? '-',
        ]),
        ['AGENT', 'NAME', 'EXECUTABLE', 'UNIT', 'STATUS'],
      );
    }
  });

  withActor(
    add(
      'remove',
      'End the enrolment of an agent: its session secret proves it again',
      'Example:\n  breakwater substrate remove --agent Sentinel --reason "it moves to another host"',
    ),
  )
    .requiredOption('--agent <agent>', 'The agent: its id, the beginning of its id, or exactly its name')
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .action(async (flags: DatabaseFlags & ActorFlags & { agent: string; reason: string; json?: boolean }) => {
      const act = { by: actorOf(flags), reason: reasonOf(flags.reason), now: systemClock.now(), ids: systemIds };
      const { agentId, claim } = await withTables(flags, async (database) => {
        const agentId = await agentIdOf(database, flags.agent);
        return { agentId, claim: accepted(await removeSubstrate(database, { agentId, ...act })) };
      });
      if (flags.json === true) say(JSON.stringify({ agent_id: agentId, removed: claim }));
      else say(`Agent ${agentId} is no longer enrolled; it may be acted as from anywhere that proves it.`);
    });
};
