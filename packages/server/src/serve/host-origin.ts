import { isIP } from 'node:net';
import { LOOPBACK } from '../runtime/index.ts';

/** Why a request may not pass, by its headers alone. */
type Foreign = 'host' | 'origin';

/** A host as Host and Origin carry it: a name, an IPv4 or a bracketed IPv6 address, and perhaps a port; nothing else. */
const HOST = /^(\[[0-9a-f:.]+\]|[^\s:/@?#\\[\]]+)(?::(\d{1,5}))?$/;

const nameOf = (host: string): string | undefined => HOST.exec(host)?.[1];

const bracketed = (address: string) => (isIP(address) === 6 ? `[${address}]` : address.toLowerCase());

/** An origin in the one spelling that browsers send: without the usual port, and without a slash. */
const canonicalOrigin = (text: string): string => {
  const origin = text.toLowerCase().replace(/\/$/, '');
  const url = URL.parse(origin);
  return url === null || url.origin === 'null' ? origin : url.origin;
};

/** The check of a request's Host and Origin. */
export interface HostOriginCheck {
  /** Why a request may not pass, by its Host and Origin; undefined when it may. */
  foreign(host: string | undefined, origin: string | undefined): Foreign | undefined;
  /** Whether a Host is an address, or there is none: what leads a browser astray is a name. */
  isAddress(host: string | undefined): boolean;
  /** Whether an origin was named, so that its pages may read answers. */
  isListed(origin: string): boolean;
  /** Whether an origin is the server's own as its page was called, or was named. */
  isOwn(host: string | undefined, origin: string): boolean;
}

/**
 * The check against DNS rebinding: a web page can make a browser call a server on loopback, but it cannot choose the
 * Host and Origin that the browser sends along. Loopback names pass with any port; `hosts` name others, with a port or
 * for any; `origins` are compared whole. A request without Origin is not a page's and passes. An opaque origin ("null",
 * a sandboxed frame or a local file) is foreign unless it is listed (BW-serve.06).
 */
export const createHostOriginCheck = (rules: {
  hosts: readonly string[];
  origins: readonly string[];
}): HostOriginCheck => {
  const hosts = new Set(rules.hosts.map(bracketed));
  const origins = new Set(rules.origins.map(canonicalOrigin));
  const ownHost = (host: string): boolean => {
    const name = nameOf(host);
    return name !== undefined && (LOOPBACK.has(name) || hosts.has(name) || hosts.has(host));
  };
  const isListed = (origin: string): boolean => origins.has(canonicalOrigin(origin));
  const ownOrigin = (origin: string): boolean => {
    if (isListed(origin)) return true;
    const name = nameOf(/^https?:\/\/(.+)$/.exec(origin)?.[1] ?? '');
    return name !== undefined && LOOPBACK.has(name);
  };
  return {
    foreign(host, origin) {
      if (host === undefined || !ownHost(host.toLowerCase())) return 'host';
      if (origin !== undefined && !ownOrigin(origin.toLowerCase())) return 'origin';
      return undefined;
    },
    isAddress(host) {
      const name = host === undefined ? undefined : nameOf(host.toLowerCase());
      return host === undefined || (name !== undefined && isIP(name.replace(/^\[|\]$/g, '')) !== 0);
    },
    isListed,
    isOwn: (host, origin) => isListed(origin) || /^https?:\/\/(.+)$/i.exec(origin)?.[1] === host,
  };
};
