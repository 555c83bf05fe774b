import { signal } from '@preact/signals';
import type { SessionView } from '@breakwater/contract/overview';

const KEEP = 'breakwater.operator';
const TIMEOUT_MS = 15_000;

/** Why a request has no answer that can be shown. */
export type Failure =
  /** Nobody answers. */
  | { readonly kind: 'offline' }
  /** The server answers that it cannot yet, or not now. */
  | { readonly kind: 'unavailable'; readonly message: string }
  | { readonly kind: 'signed_out'; readonly message: string }
  | {
      readonly kind: 'refused';
      /** Of the catalogue of refusals; undefined: the server gave none. */
      readonly code: string | undefined;
      readonly message: string;
      readonly action: string | undefined;
    };

/** What came of a request. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

const storedSecret = (): string | undefined => {
  try {
    return sessionStorage.getItem(KEEP) ?? undefined;
  } catch {
    // Storage may be forbidden; then the secret lives as long as the page.
    return undefined;
  }
};

/** The operator credential of this tab; undefined: nobody is signed in. */
export const secret = signal<string | undefined>(undefined);
/** Who is signed in, as the server says. */
export const session = signal<SessionView | undefined>(undefined);
/** Why the last sign-in ended, when it did so by itself. */
export const signedOutBecause = signal<string | undefined>(undefined);

/** Takes a credential from the address, which it leaves at once. */
const takeSecret = (): void => {
  if (!location.hash.startsWith('#sign-in=')) return;
  const given = /^#sign-in=(bwo_[\w-]+)$/.exec(location.hash)?.[1];
  history.replaceState(null, '', location.pathname + location.search);
  if (given !== undefined) signIn(given);
};

/** Finds a credential in the address or in this tab's own storage; a link that is followed later is taken as well. */
export const findSecret = (): void => {
  secret.value = storedSecret();
  takeSecret();
  // A link to an address that is open already loads nothing; its secret must not stay there.
  addEventListener('hashchange', takeSecret);
};

/** Signs in with a credential, for as long as this tab lives. */
export const signIn = (given: string): void => {
  signedOutBecause.value = undefined;
  session.value = undefined;
  secret.value = given;
  try {
    sessionStorage.setItem(KEEP, given);
  } catch {
    // See storedSecret.
  }
};

export const signOut = (because?: string): void => {
  secret.value = undefined;
  session.value = undefined;
  signedOutBecause.value = because;
  try {
    sessionStorage.removeItem(KEEP);
  } catch {
    // See storedSecret.
  }
};

interface Refused {
  readonly error?: string;
  readonly error_code?: string;
  readonly reason?: string;
  readonly recovery?: { readonly action?: string };
}

const refusedAs = (status: number, body: Refused | undefined): Failure => {
  const message = body?.error ?? `The server answered with status ${status}.`;
  if (status === 503) return { kind: 'unavailable', message: body?.reason ?? message };
  if (status === 401) return { kind: 'signed_out', message };
  return { kind: 'refused', code: body?.error_code, message, action: body?.recovery?.action };
};

const request = async (path: string, init: RequestInit): Promise<Answer<unknown>> => {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      cache: 'no-store',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(secret.value !== undefined && { authorization: `Bearer ${secret.value}` }),
        ...(init.body != null && { 'content-type': 'application/json' }),
      },
    });
  } catch {
    return { ok: false, failure: { kind: 'offline' } };
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) return { ok: false, failure: refusedAs(response.status, body as Refused | undefined) };
  if (body === undefined) {
    return {
      ok: false,
      failure: { kind: 'refused', code: undefined, message: 'The answer is not JSON.', action: undefined },
    };
  }
  return { ok: true, value: body };
};

/** Reads a route of the server. */
export const read = async <T>(path: string): Promise<Answer<T>> => {
  const answer = await request(path, {});
  return answer as Answer<T>;
};

/** Calls a tool; a refusal of the tool is a failure as any other. */
export const callTool = async <T = Readonly<Record<string, unknown>>>(
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Answer<T>> => {
  const answer = await request('/v1/tools/call', {
    method: 'POST',
    body: JSON.stringify({ name, arguments: args }),
  });
  if (!answer.ok) return answer;
  const result = (answer.value as { readonly result?: (Refused & { readonly success?: boolean }) | null }).result;
  if (result?.success === true) return { ok: true, value: result as T };
  return {
    ok: false,
    failure: {
      kind: 'refused',
      code: result?.error_code,
      message: result?.error ?? 'The server gave no result.',
      action: result?.recovery?.action,
    },
  };
};
