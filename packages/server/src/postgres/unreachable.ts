import { classifyError, sqlState } from './errors.ts';
import { StartupError } from './startup-error.ts';

/** Host and port, as far as the network's error knows them. */
const placeOf = (error: unknown): string => {
  const { address, hostname, port } = error as { address?: unknown; hostname?: unknown; port?: unknown };
  const host = typeof address === 'string' ? address : typeof hostname === 'string' ? hostname : '';
  return host === '' ? '' : ` at ${host}${typeof port === 'number' ? `:${port}` : ''}`;
};

/**
 * Why a database cannot be used, from the error of the first statement sent to it; undefined when the error is about
 * something else. Never repeats the URL, which may hold a password (BW-postgres.02).
 */
export const explainUnreachable = (error: unknown): StartupError | undefined => {
  const state = sqlState(error);
  const text = error instanceof Error ? error.message : '';
  const problem = (message: string, wayOut: string) => new StartupError(message, wayOut, { cause: error });
  if (state === '3D000') {
    return problem(
      'The database that DATABASE_URL names does not exist.',
      'Create it, or correct the name in the URL.',
    );
  }
  // A server that wants a password and a URL without one meet only in the driver.
  if (state?.startsWith('28') === true || text.includes('password must be a string')) {
    return problem(
      'PostgreSQL refuses the user or the password in DATABASE_URL.',
      'Correct them; special characters in a password must be percent-encoded.',
    );
  }
  // Before anything else of a connection: it comes as a protocol error, and looks like a server that is away.
  if (/unsupported startup parameter/i.test(text)) {
    return problem(
      `DATABASE_URL leads to a pooler that refuses the settings of a session (${text}).`,
      'Let it pass them (PgBouncer: ignore_startup_parameters = options, and ALTER ROLE <user> SET timezone = UTC), or name ' +
        'PostgreSQL itself in DATABASE_URL.',
    );
  }
  if (/SSL|certificate/i.test(text)) {
    return problem(
      `PostgreSQL and this server do not agree on encryption: ${text}.`,
      'Set sslmode in DATABASE_URL, such as ?sslmode=require or ?sslmode=disable.',
    );
  }
  if (classifyError(error) === 'connection' || classifyError((error as { cause?: unknown }).cause) === 'connection') {
    return problem(
      `PostgreSQL${placeOf(error)} does not answer (${state ?? (error as { code?: string }).code ?? text}).`,
      'Start it, correct host and port in DATABASE_URL, or unset it to use the embedded PostgreSQL.',
    );
  }
  return undefined;
};
