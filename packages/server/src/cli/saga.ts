import type { Command } from 'commander';
import { ENDED_LIMIT, isDeadLetter, listSagas, retrySaga, revertSaga, type SagaView } from '../dialectic/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { accepted, reasonOf, UsageError } from './fail.ts';
import { actorOf, withActor, type ActorFlags } from './os-user.ts';
import { printTable, timeText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const sagaOf = (text: string): string => {
  const sagaId = text.trim().toLowerCase();
  if (!UUID.test(sagaId)) throw new UsageError(`<saga-id> must be the uuid of a saga; given "${text}"`);
  return sagaId;
};

/** Units of age, the longest first, each with the seconds from which it is used. */
const UNITS = [
  ['d', 172_800, 86_400],
  ['h', 3_600, 3_600],
  ['min', 60, 60],
] as const;

/** How long ago something was, for a person. */
const ageText = (ms: number): string => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [unit, , length] = UNITS.find(([, from]) => seconds >= from) ?? ['s', 0, 1];
  return `${Math.floor(seconds / length)} ${unit}`;
};

/** A saga as `--json` shows it. */
const jsonOf = (saga: SagaView) => ({
  saga_id: saga.sagaId,
  session_id: saga.sessionId,
  paused_agent_id: saga.pausedAgentId,
  reviewer_agent_id: saga.reviewerAgentId,
  state: saga.state,
  dead_letter: isDeadLetter(saga),
  attempts: saga.attempts,
  created_at: timeText(saga.createdAt),
  dead_letter_at: saga.deadLetterAt === null ? null : timeText(saga.deadLetterAt),
  last_error: saga.lastError,
});

const printSagas = (sagas: readonly SagaView[]): void => {
  const now = systemClock.now();
  printTable(
    ['SAGA', 'SESSION', 'AGENT', 'STATE', 'ATTEMPTS', 'AGE', 'LAST ERROR'],
    sagas.map((saga) => [
      saga.sagaId,
      saga.sessionId,
      saga.pausedAgentId,
      isDeadLetter(saga) ? `${saga.state}, given up` : saga.state,
      String(saga.attempts),
      ageText(now - saga.createdAt),
      saga.lastError ?? '-',
    ]),
  );
  if (!sagas.some(isDeadLetter)) return;
  say(
    '\nWhat was given up waits for you:\n' +
      '  breakwater saga retry <saga-id> --reason <text>    when the cause of the error is gone\n' +
      '  breakwater saga revert <saga-id> --reason <text>   to end its review; the agent stays paused',
  );
};

/** `breakwater saga`: the resolutions that are being carried out, and those that were given up. */
export const sagaCommands = (program: Command): void => {
  const saga = program
    .command('saga')
    .description('Look at the resolutions that are being carried out; retry or revert what was given up');
  const add = (name: string, description: string, help: string) =>
    withDatabaseFlags(saga.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  add(
    'list',
    'Show the resolutions that are being carried out, and first those that were given up, with the error',
    'Examples:\n  breakwater saga list\n  breakwater saga list --all --json',
  )
    .option('--all', `Also the ${ENDED_LIMIT} newest that have ended`)
    .action(async (flags: DatabaseFlags & { all?: boolean; json?: boolean }) => {
      const all = flags.all === true;
      const sagas = await withTables(flags, (database) => listSagas(database, all));
      if (flags.json === true) say(JSON.stringify(sagas.map(jsonOf)));
      else if (sagas.length > 0) printSagas(sagas);
      else if (all) say('There are no sagas: no review has come to an agreement yet.');
      else {
        say(
          'No resolution is being carried out, and none was given up.\n' +
            'To see those that have ended:  breakwater saga list --all',
        );
      }
    });

  withActor(
    add(
      'retry',
      'Give a resolution that was given up back to recovery, which carries it out',
      'Do it when the cause of the error is gone. A server carries it out within seconds.\n\n' +
        'Example:\n  breakwater saga retry 0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21 --reason "the disk has room again"',
    ),
  )
    .argument('<saga-id>', 'The saga; "saga list" shows it')
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .action(async (text: string, flags: DatabaseFlags & ActorFlags & { reason: string; json?: boolean }) => {
      const sagaId = sagaOf(text);
      const { retried, isAlone } = await withTables(flags, async (database, place) => ({
        retried: accepted(
          await retrySaga(database, {
            sagaId,
            by: actorOf(flags),
            reason: reasonOf(flags.reason),
            now: systemClock.now(),
            ids: systemIds,
          }),
        ),
        isAlone: place.isAlone,
      }));
      if (flags.json === true) say(JSON.stringify(jsonOf(retried)));
      else {
        say(
          `Saga ${sagaId} is given back to recovery. ` +
            (isAlone
              ? 'No server runs here now; the next one that starts carries it out.'
              : 'A server carries it out within seconds; "breakwater saga list --all" shows how it ends.'),
        );
      }
    });

  withActor(
    add(
      'revert',
      'Take a resolution back for good: its review fails, its agents are free, the paused one stays paused',
      'Who and why stand in the record of the review and in the audit trail.\n\n' +
        'Example:\n' +
        '  breakwater saga revert 0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21 --reason "the agent was retired"',
    ),
  )
    .argument('<saga-id>', 'The saga; "saga list" shows it')
    .requiredOption('--reason <text>', 'Why it is taken back; the agents can read it')
    .option('--force', 'Also when it was not given up and is still under way')
    .action(
      async (text: string, flags: DatabaseFlags & ActorFlags & { reason: string; force?: boolean; json?: boolean }) => {
        const sagaId = sagaOf(text);
        const act = { sagaId, by: actorOf(flags), now: systemClock.now(), ids: systemIds };
        const { saga: reverted, endedSession } = await withTables(flags, async (database) =>
          accepted(await revertSaga(database, { ...act, reason: flags.reason, force: flags.force === true })),
        );
        if (flags.json === true) {
          say(JSON.stringify({ ...jsonOf(reverted), ended_session: endedSession }));
          return;
        }
        const { sessionId, pausedAgentId } = reverted;
        say(
          `Saga ${sagaId} is taken back; nothing of the resolution was applied.\n` +
            (endedSession ? `Review ${sessionId} has failed.` : `Review ${sessionId} had ended before.`) +
            ` Agent ${pausedAgentId} is free, and stays as it was; a new review can be asked for.`,
        );
      },
    );
};
