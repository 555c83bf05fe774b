import type { Command } from 'commander';
import { findHome, StartupError } from '../postgres/index.ts';
import { systemClock, systemIds } from '../runtime/index.ts';
import { adviceFor } from './advice.ts';
import { configOf } from './config.ts';
import { dataDirOf } from './data-dir.ts';
import { accepted, NoServerError } from './fail.ts';
import { osUser } from './os-user.ts';
import { serverPlace, type ServerPlace } from './server-url.ts';
import { CLIENT_VARIABLES, TOKEN_VARIABLE } from './settings.ts';
import { withDatabaseFlags, withTables, type DatabaseFlags } from './with-database.ts';

/** What says which server a command speaks to, and where its database is when it is one of this machine. */
export type ServerFlags = DatabaseFlags & { readonly server?: string };

/** Adds `--server` to a command that works on the database by itself. */
export const withOptionalServer = (command: Command): Command =>
  withDatabaseFlags(command).option(
    '--server <url>',
    `Ask this server instead of the database (${CLIENT_VARIABLES.url}); of another machine's, ${CLIENT_VARIABLES.operator} ` +
      `must hold an operator's secret`,
  );

/** Adds `--server`, and the flags of the database, by which a command on the server's machine proves itself. */
export const withServerFlags = (command: Command): Command =>
  withDatabaseFlags(command).option(
    '--server <url>',
    `URL of the server (${CLIENT_VARIABLES.url}; by default that of this machine). Of another machine's, ` +
      `${CLIENT_VARIABLES.operator} must hold an operator's secret`,
  );

type Body = Readonly<Record<string, unknown>>;

/** A server that a command speaks to as an operator. */
export interface Remote {
  readonly url: string;
  /** Reads a route below `/api`; parameters that are undefined are left out. The shape is the contract's (`overview.ts`). */
  read<T>(path: string, query?: Readonly<Record<string, string | undefined>>): Promise<T>;
  /** Calls a tool, and gives its result. */
  call(tool: string, args: Body): Promise<Body>;
}

/** What a server refused, or could not do; with the way out. */
class ServerError extends StartupError {}

/** The credential of an operator ends by itself after this, should the command be killed before it ends it. */
const CREDENTIAL_MS = 60_000;
const TIMEOUT_MS = 35_000;

const isBody = (value: unknown): value is Body => typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const reasonOf = (error: unknown): string => {
  if (error instanceof DOMException) return `no answer within ${TIMEOUT_MS / 1000} s`;
  const { cause } = error as { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? 'unknown reason';
};

const noServer = (url: string, error: unknown): NoServerError =>
  new NoServerError(
    `No server answers at ${url} (${reasonOf(error)}).`,
    'Start it with "breakwater serve", or name another with --server or BREAKWATER_URL.',
  );

/** What a refusal says, and what it says to do about it. */
const refusalOf = (url: string, status: number, body: Body): ServerError => {
  const action = isBody(body['recovery']) ? textOf(body['recovery']['action']) : undefined;
  const message = textOf(body['error']) ?? `The server at ${url} answered ${status}.`;
  if (status === 401) {
    return new ServerError(
      message,
      `Put the secret of an operator that the server knows into ${CLIENT_VARIABLES.operator} ("breakwater operator create" on ` +
        `its machine prints one), and its bearer token, if it asks for one, into ${TOKEN_VARIABLE}.`,
    );
  }
  if (status === 503) {
    return new ServerError(
      `The server at ${url} is not ready.`,
      'Try again in a moment; "breakwater doctor" says what keeps it.',
    );
  }
  if (status === 404 && body['error_code'] === undefined) {
    return new ServerError(
      `The server at ${url} does not know what was asked of it.`,
      'It is no Breakwater, or one of another release: use the command line of the same release.',
    );
  }
  return new ServerError(message, adviceFor(textOf(body['error_code']), action ?? textOf(body['hint'])));
};

const remoteOf = (url: string, headers: Readonly<Record<string, string>>): Remote => {
  const ask = async (path: string, init: RequestInit): Promise<Body> => {
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${url}${path}`, {
        ...init,
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw noServer(url, error);
    }
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = {};
    }
    const found = isBody(body) ? body : {};
    if (status !== 200) throw refusalOf(url, status, isBody(found['result']) ? found['result'] : found);
    return found;
  };
  return {
    url,
    read: async <T>(path: string, query: Readonly<Record<string, string | undefined>> = {}) => {
      const given = Object.entries(query).filter((one): one is [string, string] => one[1] !== undefined);
      const search = given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
      return (await ask(`/api/${path}${search}`, { headers })) as T;
    },
    async call(tool, args) {
      const body = JSON.stringify({ name: tool, arguments: args });
      const { result } = await ask('/v1/tools/call', {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
      });
      if (!isBody(result)) throw refusalOf(url, 404, {});
      if (result['success'] === false) throw refusalOf(url, 200, result);
      return result;
    },
  };
};

const headersOf = (secret: string): Record<string, string> => {
  const token = process.env[TOKEN_VARIABLE]?.trim() ?? '';
  // A secret of an operator opens a server that asks for tokens, too; what stands before it may still want its own.
  return token === ''
    ? { authorization: `Bearer ${secret}` }
    : { authorization: `Bearer ${token}`, 'x-breakwater-operator': secret };
};

const needsSecret = (url: string, why: string): ServerError =>
  new ServerError(
    `${url} ${why}`,
    `Make an operator on the server's machine, "breakwater operator create --name <name>", and put its secret into ` +
      `${CLIENT_VARIABLES.operator}. A server of this machine is proved to by its database: name it with --data-dir or DATABASE_URL.`,
  );

/**
 * Proves itself to a server of this machine by its database: makes an operator credential that ends with the work, so that
 * nobody has to set anything up. The audit trail has both, under the name of the OS user.
 */
const withOwnCredential = async <T>(
  flags: ServerFlags,
  { url }: ServerPlace,
  scope: 'read' | 'act',
  work: (remote: Remote) => Promise<T>,
): Promise<T> => {
  await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => {
    throw noServer(url, error);
  });
  const config = configOf(flags, 'command');
  const dataDir = dataDirOf(config);
  if (config.databaseUrl === undefined && findHome(dataDir) === undefined) {
    throw needsSecret(url, `runs on other data than those of ${dataDir}, which are none.`);
  }
  return withTables(flags, async (database, place) => {
    if (place.isAlone) throw needsSecret(url, `does not run on ${place.name}.`);
    // Who brings a secret need not wait for what makes one.
    const { createOperator, dissolveOperator, operatorSecret } = await import('../identity/index.ts');
    const secret = operatorSecret(systemIds.secret());
    const by = osUser();
    const name = `${by} cli ${systemIds.uuid().slice(0, 8)}`;
    const now = systemClock.now();
    const scopes = [scope === 'act' ? 'operator:act' : 'operator:read'] as const;
    accepted(await createOperator(database, { name, scopes, expiresAt: now + CREDENTIAL_MS, now, secret, by }));
    try {
      return await work(remoteOf(url, headersOf(secret)));
    } finally {
      await dissolveOperator(database, secret, systemClock.now(), by);
    }
  });
};

/**
 * Whether a command that can also work on the database shall ask a server: when `--server` names one, or the environment
 * does and no flag names a database.
 */
export const asksServer = ({ server, dataDir, databaseUrl }: ServerFlags): boolean => {
  if (server !== undefined) return true;
  const named = process.env[CLIENT_VARIABLES.url]?.trim() ?? '';
  return named !== '' && dataDir === undefined && databaseUrl === undefined;
};

/**
 * Works with the server that the flags and the environment name, as an operator: with the secret in BREAKWATER_OPERATOR,
 * or, on the server's own machine, with one that is made in its database for as long as the work takes. A secret is never
 * a flag: it would stand in the list of processes.
 */
export const withServer = async <T>(
  flags: ServerFlags,
  scope: 'read' | 'act',
  work: (remote: Remote) => Promise<T>,
): Promise<T> => {
  const { server, ...settings } = flags;
  const place = serverPlace(server, configOf(settings, 'command'));
  const secret = process.env[CLIENT_VARIABLES.operator]?.trim() ?? '';
  if (secret === '') {
    if (!place.isHere) throw needsSecret(place.url, 'is on another machine, and needs an operator’s secret.');
    return withOwnCredential(settings, place, scope, work);
  }
  if (!place.isHere && place.url.startsWith('http:')) {
    console.error(`breakwater: the secret goes to ${place.url} unencrypted; use https where others can listen`);
  }
  return work(remoteOf(place.url, headersOf(secret)));
};
