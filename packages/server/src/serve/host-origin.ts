import { isIP } from 'node:net';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Why a request may not pass, by its headers alone. */
type Foreign = 'host' | 'origin';

/** Whether a bind address is reachable from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === '::1' || LOOPBACK.has(host.toLowerCase()) || (isIP(host) === 4 && host.startsWith('127.'));

const nameOf = (host: string): string => {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
};

const bracketed = (address: string) => (isIP(address) === 6 ? `[${address}]` : address.toLowerCase());

/**
 * The check against DNS rebinding: a web page can make a browser call a server on loopback, but it cannot choose the
 * Host and Origin that the browser sends along. Loopback names pass with any port; `hosts` name others, with a port or
 * for any; `origins` are compared whole. A request without Origin is not a page's and passes. An opaque origin ("null",
 * a sandboxed frame or a local file) is foreign unless it is listed (BW-serve.06).
 */
export const createHostOriginCheck = (rules: { hosts: readonly string[]; origins: readonly string[] }) => {
  const hosts = new Set(rules.hosts.map(bracketed));
  const origins = new Set(rules.origins.map((origin) => origin.toLowerCase().replace(/\/$/, '')));
  const ownHost = (host: string): boolean => {
    const name = nameOf(host);
    return LOOPBACK.has(name) || hosts.has(name) || hosts.has(host);
  };
  const ownOrigin = (origin: string): boolean => {
    if (origins.has(origin)) return true;
    const match = /^https?:\/\/([^/]+)$/.exec(origin);
    return match?.[1] !== undefined && LOOPBACK.has(nameOf(match[1]));
  };
  return (host: string | undefined, origin: string | undefined): Foreign | undefined => {
    if (host === undefined || !ownHost(host.toLowerCase())) return 'host';
    if (origin !== undefined && !ownOrigin(origin.toLowerCase())) return 'origin';
    return undefined;
  };
};
