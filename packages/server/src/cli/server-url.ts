import { isLoopback } from '../runtime/index.ts';
import { UsageError } from './fail.ts';
import { CLIENT_VARIABLES, type Config } from './settings.ts';

/** The server that a command speaks to. */
export interface ServerPlace {
  /** Without a slash at its end. */
  readonly url: string;
  /** Somebody named it; else it is where this configuration would serve. */
  readonly isAsked: boolean;
  /** On this machine. */
  readonly isHere: boolean;
}

const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const DEFAULT_PORT = 8767;

/** The URL by which this machine reaches a server that says it listens on `url`: a wildcard is no address to call. */
export const reachableUrl = (url: string): string =>
  url.replace(/^http:\/\/(?:0\.0\.0\.0|\[::\])(?=:|$)/, 'http://127.0.0.1');

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host);

/**
 * Where the server is: what `--server` says, else BREAKWATER_URL, else the host and port that this configuration serves
 * on. Throws a {@link UsageError} for what is no base URL.
 */
export const serverPlace = (
  flag: string | undefined,
  config: Pick<Config, 'host' | 'port'>,
  env: Readonly<Record<string, string | undefined>> = process.env,
): ServerPlace => {
  const variable = env[CLIENT_VARIABLES.url]?.trim();
  const asked = flag ?? (variable === '' ? undefined : variable);
  if (asked === undefined) {
    const host = WILDCARDS.has(config.host) ? '127.0.0.1' : config.host;
    return { url: `http://${bracketed(host)}:${config.port || DEFAULT_PORT}`, isAsked: false, isHere: true };
  }
  const url = URL.parse(asked.includes('://') ? asked : `http://${asked}`);
  const isBase =
    url !== null &&
    ['http:', 'https:'].includes(url.protocol) &&
    url.username + url.password + url.search + url.hash === '';
  if (!isBase) {
    throw new UsageError(
      `${flag === undefined ? CLIENT_VARIABLES.url : '--server'} must be the URL of a server, such as ` +
        `http://127.0.0.1:8767, without user and query; given "${asked.replace(/\/\/.*@/, '//…@')}"`,
    );
  }
  return {
    url: url.href.replace(/\/+$/, ''),
    isAsked: true,
    isHere: isLoopback(url.hostname.replace(/^\[|\]$/g, '')),
  };
};
