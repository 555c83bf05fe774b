import { Option, type Command } from 'commander';
import { createOperator, operatorSecret } from '../identity/index.ts';
import type { Database } from '../postgres/index.ts';
import { HOUR_MS, systemClock, systemIds } from '../runtime/index.ts';
import { configOf } from './config.ts';
import { accepted, UsageError } from './fail.ts';
import { osUser } from './os-user.ts';
import { timeText } from './print.ts';
import { serverPlace } from './server-url.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';
import { say } from './output.ts';

const MAX_HOURS = 720;
/** Of a user's name, which may be any directory's; so much of it leaves room for the rest of an operator's. */
const MAX_USER = 60;

/** A link that signs its reader in to the console, and what it allows. */
interface SignIn {
  readonly name: string;
  /** The secret stands in the fragment, which browsers send to nobody. */
  readonly link: string;
  /** ms since the epoch, UTC. */
  readonly expiresAt: number;
}

/** Makes an operator credential for a browser, and the link that carries it there. */
export const createSignIn = async (
  database: Database,
  {
    url,
    hours,
    canAct,
  }: {
    /** Base URL of the server, without a slash at its end. */
    readonly url: string;
    readonly hours: number;
    readonly canAct: boolean;
  },
): Promise<SignIn> => {
  const now = systemClock.now();
  const secret = operatorSecret(systemIds.secret());
  // Each browser has a name of its own, so that one can be signed out, and the trail tells them apart.
  const name = `${osUser().slice(0, MAX_USER)} console ${systemIds.uuid().slice(0, 6)}`;
  const expiresAt = now + hours * HOUR_MS;
  const scopes = [canAct ? 'operator:act' : 'operator:read'] as const;
  accepted(await createOperator(database, { name, scopes, expiresAt, now, secret, by: osUser() }));
  return { name, link: `${url}/dashboard/#sign-in=${secret}`, expiresAt };
};

const hoursOf = (text: string): number => {
  const hours = Number(text);
  if (/^\d+$/.test(text) && hours >= 1 && hours <= MAX_HOURS) return hours;
  throw new UsageError(`--hours must be a whole number from 1 to ${MAX_HOURS}; given "${text}"`);
};

const baseOf = (text: string): string => {
  const url = URL.parse(text);
  const isBase =
    url !== null && /^https?:$/.test(url.protocol) && url.username + url.password + url.search + url.hash === '';
  if (isBase) return url.href.replace(/\/+$/, '');
  throw new UsageError(
    `--server must be the http or https URL of the server, without user and query; given "${text.replace(/\/\/.*@/, '//…@')}"`,
  );
};

interface ConsoleFlags extends DatabaseFlags {
  readonly server?: string;
  readonly url?: string;
  readonly hours: string;
  readonly read?: boolean;
  readonly json?: boolean;
}

/** `breakwater console`: a link that opens the console, signed in. */
export const consoleCommand = (program: Command): void => {
  withDatabaseFlags(program.command('console'))
    .description('Print a link that opens the console in a browser, signed in as an operator')
    .option('--server <url>', 'Base URL of the server (default: that of this machine)')
    .addOption(new Option('--url <url>', 'The same, as earlier releases named it').hideHelp())
    .option('--hours <hours>', `Hours until it signs out by itself, 1 to ${MAX_HOURS}`, '12')
    .option('--read', 'To look only, and not to act')
    .option('--json', 'Print JSON')
    .addHelpText(
      'after',
      `
The link holds a secret: whoever has it is signed in. "breakwater operator list" shows who is, and
"breakwater operator revoke" signs one out.

Examples:
  breakwater console
  breakwater console --read --hours 1
  breakwater console --server https://breakwater.example`,
    )
    .action(async (flags: ConsoleFlags) => {
      const hours = hoursOf(flags.hours);
      const config = configOf(flags, 'command');
      const base = flags.server ?? flags.url;
      const url = base === undefined ? serverPlace(undefined, config, {}).url : baseOf(base);
      const canAct = flags.read !== true;
      const made = await withTables(flags, (database) => createSignIn(database, { url, hours, canAct }));
      const expires = timeText(made.expiresAt);
      if (flags.json === true) {
        say(JSON.stringify({ name: made.name, link: made.link, can_act: canAct, expires_at: expires }));
        return;
      }
      say(`Open this in a browser; it is good until ${expires}${canAct ? '' : ', to look only'}:\n\n  ${made.link}\n`);
    });
};
