import { isIP } from 'node:net';

/** The names of this machine as a URL carries them. */
export const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether a bind address is reachable from this machine only. */
export const isLoopback = (host: string): boolean =>
  host === '::1' || LOOPBACK.has(host.toLowerCase()) || (isIP(host) === 4 && host.startsWith('127.'));
