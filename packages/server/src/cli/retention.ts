import type { Command } from 'commander';
import { anchorChains, countOldStates, deleteOldStates, readStates, STATE_DAYS } from '../agents/index.ts';
import { dropDue, readRetention, type DroppedPartition, type TableRetention } from '../postgres/index.ts';
import { systemClock } from '../runtime/index.ts';
import { printTable, sizeText, timeText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const STATES = 'core.agent_state';

const rowsText = (rows: number | null): string => (rows === null ? 'unknown' : `~${rows}`);

const dayText = (ms: number): string => timeText(ms).slice(0, 10);

const namesOf = (partitions: TableRetention['due']): string[] => partitions.map(({ name }) => name);

const nextText = ({ due, next }: TableRetention): string => {
  if (due.length > 0) return `${due[0]?.name ?? ''}, now`;
  return next === null ? '-' : `${next.partition.name}, ${dayText(next.at)}`;
};

const printStatus = (tables: readonly TableRetention[], states: Awaited<ReturnType<typeof readStates>>): void => {
  printTable(
    ['TABLE', 'KEPT', 'PARTITIONS', 'OLDEST', 'ROWS', 'SIZE', 'NEXT DROP', 'AHEAD', 'OVERDUE'],
    [
      ...tables.map((table) => [
        `audit.${table.table}`,
        table.days === null ? 'for ever' : `${table.days} d`,
        String(table.partitions.length),
        table.oldest === null ? '-' : dayText(table.oldest),
        rowsText(table.rows),
        sizeText(table.bytes),
        nextText(table),
        `${table.ahead} months`,
        namesOf(table.overdue).join(', ') || '-',
      ]),
      [
        STATES,
        `${STATE_DAYS} d`,
        '-',
        states.oldest === null ? '-' : dayText(states.oldest),
        rowsText(states.rows),
        sizeText(states.bytes),
        'row by row',
        '-',
        '-',
      ],
    ],
  );
  say(
    '\nRows are estimates of PostgreSQL. A partition is dropped at 02:00 UTC once all of its rows are older than they are\n' +
      `kept; of ${STATES}, the newest row of each agent is kept for ever.`,
  );
};

const partitionJson = ({ name, from, to, rows, bytes }: TableRetention['partitions'][number]) => ({
  name,
  from: from === null ? null : timeText(from),
  to: to === null ? null : timeText(to),
  approx_rows: rows,
  bytes,
});

const tableJson = (table: TableRetention) => ({
  table: `audit.${table.table}`,
  retention_days: table.days,
  oldest: table.oldest === null ? null : timeText(table.oldest),
  approx_rows: table.rows,
  bytes: table.bytes,
  months_ahead: table.ahead,
  next_due: table.next === null ? null : { partition: table.next.partition.name, at: timeText(table.next.at) },
  due: namesOf(table.due),
  overdue: namesOf(table.overdue),
  partitions: table.partitions.map(partitionJson),
});

const printPartitions = (title: string, list: readonly DroppedPartition[]): void => {
  if (list.length === 0) return;
  say(title);
  printTable(
    ['TABLE', 'PARTITION', 'UP TO', 'ROWS', 'SIZE'],
    list.map(({ table, partition: { name, to, rows, bytes } }) => [
      `audit.${table}`,
      name,
      to === null ? '-' : dayText(to),
      rowsText(rows),
      sizeText(bytes),
    ]),
  );
};

const droppedJson = ({ table, partition }: DroppedPartition) => ({
  table: `audit.${table}`,
  ...partitionJson(partition),
});

/** `breakwater retention`: how long records are kept, what is due, and the run that drops it, by hand. */
export const retentionCommands = (program: Command): void => {
  const retention = program.command('retention').description('See how long records are kept, and drop what is due');
  const add = (name: string, description: string, help: string) =>
    withDatabaseFlags(retention.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  add(
    'status',
    'Show each table: how long it is kept, what it holds, what is dropped next and when, and what is overdue',
    'Examples:\n  breakwater retention status\n  breakwater retention status --json',
  ).action(async (flags: DatabaseFlags & { json?: boolean }) => {
    const now = systemClock.now();
    const [tables, states] = await withTables(flags, async (database) => [
      await readRetention(database, now),
      await readStates(database),
    ]);
    if (flags.json !== true) {
      printStatus(tables, states);
      return;
    }
    const { oldest, rows, bytes } = states;
    say(
      JSON.stringify({
        tables: tables.map(tableJson),
        agent_state: {
          table: STATES,
          retention_days: STATE_DAYS,
          oldest: oldest === null ? null : timeText(oldest),
          approx_rows: rows,
          bytes,
        },
      }),
    );
  });

  add(
    'run',
    'Drop what is due now, as servers do by themselves at 02:00 UTC',
    'Readers and writers go on meanwhile. What is in use at every attempt stays, and the exit code is 1.\n\n' +
      'Examples:\n  breakwater retention run --dry-run\n  breakwater retention run',
  )
    .option('--dry-run', 'Only show what would be dropped')
    .action(async (flags: DatabaseFlags & { dryRun?: boolean; json?: boolean }) => {
      const dryRun = flags.dryRun === true;
      const { dropped, busy, states } = await withTables(flags, async (database) => {
        const now = systemClock.now();
        if (dryRun) {
          const tables = await readRetention(database, now);
          const due = tables.flatMap(({ table, due }) => due.map((partition) => ({ table, partition })));
          return { dropped: due, busy: [], states: await countOldStates(database, now) };
        }
        const run = await dropDue({ database, clock: systemClock, keep: new Map([['events', anchorChains]]) });
        return { ...run, states: await deleteOldStates(database, now) };
      });
      if (busy.length > 0) process.exitCode = 1;
      if (flags.json === true) {
        say(
          JSON.stringify({
            dry_run: dryRun,
            dropped: dropped.map(droppedJson),
            busy: busy.map(droppedJson),
            agent_states_deleted: states,
          }),
        );
        return;
      }
      const would = dryRun ? 'Would be ' : '';
      printPartitions(dryRun ? 'Would be dropped:' : 'Dropped:', dropped);
      printPartitions('In use all the time, and so still there; try again later:', busy);
      if (dropped.length + busy.length === 0) say('No partition is due.');
      say(`${would}${dryRun ? 'deleted' : 'Deleted'}: ${states} rows of ${STATES}.`);
    });
};
