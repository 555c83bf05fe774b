/**
 * What a database error means for the work that met it: `connection` – PostgreSQL is away, the outcome of a statement in
 * flight is unknown; `conflict` – somebody else was first, the same work may succeed when repeated; `data` – this very
 * item is bad and will fail again; `other` – a bug.
 */
export type ErrorKind = 'connection' | 'conflict' | 'data' | 'other';

/** The one table of SQLSTATEs, by prefix; the longest match wins. */
const KINDS: readonly (readonly [string, ErrorKind])[] = [
  ['08', 'connection'], // connection exceptions
  ['57P01', 'connection'], // terminated by an administrator
  ['57P02', 'connection'], // crash shutdown
  ['57P03', 'connection'], // starting up
  ['53300', 'connection'], // too many connections
  ['25006', 'connection'], // read-only: this server is a standby now
  ['40001', 'conflict'],
  ['40P01', 'conflict'],
  ['55P03', 'conflict'], // lock not available
  ['57014', 'conflict'], // cancelled, for instance by the statement timeout
  ['22', 'data'],
  ['23', 'data'],
  ['54', 'data'], // too long, too large
];

const SOCKET_ERRORS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOENT',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** The five characters of SQLSTATE, or undefined when the error did not come from PostgreSQL. */
export const sqlState = (error: unknown): string | undefined => {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
};

export const classifyError = (error: unknown): ErrorKind => {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string' && SOCKET_ERRORS.has(code)) return 'connection';
  const state = sqlState(error);
  if (state !== undefined) return KINDS.find(([prefix]) => state.startsWith(prefix))?.[1] ?? 'other';
  // The driver reports a lost socket by message alone.
  const message = error instanceof Error ? error.message : '';
  return /connection terminated|connection ended|not queryable|client has encountered|timeout exceeded|after calling end/i.test(
    message,
  )
    ? 'connection'
    : 'other';
};
