import { Option, type Command } from 'commander';
import {
  createOperator,
  listOperators,
  operatorSecret,
  operatorState,
  revokeOperator,
  type OperatorCredential,
} from '../identity/index.ts';
import { DAY_MS, systemClock, systemIds } from '../runtime/index.ts';
import { accepted, reasonOf, UsageError } from './fail.ts';
import { printTable, timeText, whenText } from './print.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { actorOf, withActor, type ActorFlags } from './os-user.ts';
import { say } from './output.ts';

const MAX_DAYS = 3650;

const daysOf = (text: string): number => {
  const days = Number(text);
  if (/^\d+$/.test(text) && days >= 1 && days <= MAX_DAYS) return days;
  throw new UsageError(`--expires-days must be a whole number from 1 to ${MAX_DAYS}; given "${text}"`);
};

/** An operator as `--json` shows it. */
const jsonOf = (operator: OperatorCredential, now: number) => ({
  name: operator.name,
  scopes: operator.scopes,
  created_at: timeText(operator.createdAt),
  last_seen_at: operator.lastSeenAt === null ? null : timeText(operator.lastSeenAt),
  expires_at: timeText(operator.expiresAt),
  revoked_at: operator.revokedAt === null ? null : timeText(operator.revokedAt),
  state: operatorState(operator, now),
});

/** `breakwater operator`: the credentials of people and programs that may see every agent and act on it. */
export const operatorCommands = (program: Command): void => {
  const operator = program.command('operator').description('Give and take the credentials of operators');
  const add = (name: string, description: string, help: string) =>
    withDatabaseFlags(operator.command(name))
      .description(description)
      .option('--json', 'Print JSON')
      .addHelpText('after', `\n${help}`);

  withActor(
    add(
      'create',
      'Make an operator credential and print its secret, this once; works while the server runs',
      'Examples:\n' +
        '  breakwater operator create --name alice\n' +
        '  breakwater operator create --name dashboard --scope read --expires-days 30',
    ),
  )
    .requiredOption('--name <name>', 'Name by which the audit trail knows the operator')
    .addOption(
      new Option('--scope <scope>', 'read: see every agent; act: also act on it')
        .choices(['read', 'act'])
        .default('act'),
    )
    .option('--expires-days <days>', `Days until it ends by itself, 1 to ${MAX_DAYS}`, '365')
    .action(
      async (
        flags: DatabaseFlags & ActorFlags & { name: string; scope: string; expiresDays: string; json?: boolean },
      ) => {
        const days = daysOf(flags.expiresDays);
        const now = systemClock.now();
        const secret = operatorSecret(systemIds.secret());
        const { made, place } = await withTables(flags, async (database, place) => ({
          made: accepted(
            await createOperator(database, {
              name: flags.name,
              scopes: flags.scope === 'act' ? ['operator:act'] : ['operator:read'],
              expiresAt: now + days * DAY_MS,
              now,
              secret,
              by: actorOf(flags),
            }),
          ),
          place,
        }));
        if (flags.json === true) {
          say(JSON.stringify({ ...jsonOf(made, now), secret }));
          return;
        }
        say(
          [
            `Operator "${made.name}" may ${flags.scope === 'act' ? 'see every agent and act on it' : 'see every agent'},` +
              ` until ${timeText(made.expiresAt)}. The secret, shown this once:`,
            '',
            `  ${secret}`,
            '',
            'Send it with each call, in one of two headers:',
            '  Authorization: Bearer bwo_…',
            '  X-Breakwater-Operator: bwo_…   (when the bearer token of the server takes the first)',
            '',
            `Stored, as a hash, in ${place.name}; servers on it know it already.`,
            `To end it:  breakwater operator revoke ${JSON.stringify(made.name)}`,
          ].join('\n'),
        );
      },
    );

  add(
    'list',
    'Show the operators: what each may do, when it was seen, until when',
    'Example:\n  breakwater operator list',
  ).action(async (flags: DatabaseFlags & { json?: boolean }) => {
    const now = systemClock.now();
    const operators = await withTables(flags, listOperators);
    if (flags.json === true) say(JSON.stringify(operators.map((one) => jsonOf(one, now))));
    else if (operators.length === 0) {
      say('There are no operators. To make one:  breakwater operator create --name <name>');
    } else {
      printTable(
        ['NAME', 'SCOPES', 'CREATED', 'LAST SEEN', 'EXPIRES', 'STATE'],
        operators.map((one) => [
          one.name,
          one.scopes.join(' '),
          whenText(timeText(one.createdAt), now),
          one.lastSeenAt === null ? 'never' : whenText(timeText(one.lastSeenAt), now),
          whenText(timeText(one.expiresAt), now),
          operatorState(one, now),
        ]),
        ['NAME', 'STATE', 'EXPIRES', 'LAST SEEN', 'SCOPES'],
      );
    }
  });

  withActor(
    add(
      'revoke',
      'End an operator credential, at once and for good',
      'Example:\n  breakwater operator revoke alice --reason "she left the team"',
    ),
  )
    .argument('<name>', 'Name of the operator')
    .requiredOption('--reason <text>', 'Why; it stands in the audit trail')
    .action(async (name: string, flags: DatabaseFlags & ActorFlags & { reason: string; json?: boolean }) => {
      const now = systemClock.now();
      const ended = await withTables(flags, async (database) =>
        accepted(await revokeOperator(database, name, now, actorOf(flags), reasonOf(flags.reason))),
      );
      if (flags.json === true) say(JSON.stringify(jsonOf(ended, now)));
      else say(`Operator "${ended.name}" is revoked; servers refuse its secret from now on.`);
    });
};
