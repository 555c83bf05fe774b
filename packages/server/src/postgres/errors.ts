import { refusal, UNAVAILABLE_RETRY_SECONDS, type Refusal } from '@breakwater/contract';

/**
 * What a database error means for the work that met it: `connection` – PostgreSQL is away, the outcome of a statement in
 * flight is unknown; `conflict` – somebody else was first, the same work may succeed when repeated; `data` – this very
 * item is bad and will fail again; `other` – a bug.
 */
type ErrorKind = 'connection' | 'conflict' | 'data' | 'other';

/** The one table of SQLSTATEs, by prefix; the first match counts. */
const KINDS: readonly (readonly [string, ErrorKind])[] = [
  ['08', 'connection'], // connection exceptions
  ['57P', 'connection'], // terminated, shutting down, starting up, database dropped
  ['53', 'connection'], // out of connections, memory or disk: nothing was written, and it is not the item's fault
  ['58030', 'connection'], // the disk fails
  ['25006', 'connection'], // read-only: this server is a standby now
  ['40003', 'connection'], // outcome unknown, as after a lost connection
  ['40', 'conflict'], // serialization failures and deadlocks
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
  'EAI_AGAIN',
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
  return /connection terminated|connection ended|not queryable|client has encountered|timeout e|after calling end/i.test(
    message,
  )
    ? 'connection'
    : 'other';
};

/**
 * The refusal that an error of PostgreSQL stands for; undefined when it is a bug of ours. A data exception (SQLSTATE 22…) means
 * that a value which a caller sent is none that can be held, and is never an incident. Its text is not repeated: it can hold SQL.
 */
export const refusalOf = (error: unknown): Refusal | undefined => {
  if (classifyError(error) === 'connection') {
    return refusal('STORAGE_UNAVAILABLE', 'PostgreSQL cannot be reached.', {
      retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS,
    });
  }
  const state = sqlState(error);
  return state?.startsWith('22') === true ? refusedValue(state) : undefined;
};

/** The refusal for a value that PostgreSQL cannot hold. */
export const refusedValue = (sqlstate: string): Refusal =>
  refusal('PARAMETER_ERROR', 'A value of the call is none that can be stored or searched for; nothing was written.', {
    details: { sqlstate },
    recovery: {
      action: 'Look for a number out of range, a time that there is not, or text that is none, and send another.',
    },
  });
