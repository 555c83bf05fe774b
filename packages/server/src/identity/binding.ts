import { hash } from 'node:crypto';
import { DAY_MS, type Assurance, type Operator } from '../runtime/index.ts';

/**
 * What a credential is: a session secret, the session of an MCP transport, a continuity token, the pin of an onboard, or
 * the secret of an operator.
 */
export type BindingKind = 'session' | 'mcp_session' | 'continuity_token' | 'pin' | 'operator';

/** A credential as stored: what it proves, how well, and until when. The secret itself is known only to its holder. */
export interface Binding {
  readonly kind: BindingKind;
  /** null: a transport session whose caller has not onboarded, or an operator. */
  readonly agentId: string | null;
  /** The most that it can prove: what was issued on an inferred identity stays inferred for ever. */
  readonly assurance: Exclude<Assurance, 'none'>;
  /** ms since the epoch, UTC. */
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  /** Of an operator's credential. */
  readonly operator: Operator | null;
}

/** How long a credential lives, in ms, and after how much of its life a use gives it all of it again (null: never). */
const LIFE: Readonly<Record<BindingKind, { readonly ms: number; readonly renewAfterMs: number | null }>> = {
  session: { ms: 30 * DAY_MS, renewAfterMs: DAY_MS },
  mcp_session: { ms: DAY_MS, renewAfterMs: 3_600_000 },
  // Beyond its own hour, which it carries itself, a token still resumes its agent; this row is what a revocation ends.
  continuity_token: { ms: 30 * DAY_MS, renewAfterMs: null },
  pin: { ms: 1_800_000, renewAfterMs: 60_000 },
  operator: { ms: 365 * DAY_MS, renewAfterMs: null },
};

/** When a credential that is issued or renewed at `now` expires. */
export const expiryOf = (kind: BindingKind, now: number): number => now + LIFE[kind].ms;

/** Whether a use at `now` should give the credential a whole life again; seldom, so that a read does not cost a write. */
export const isRenewalDue = ({ kind, expiresAt }: Binding, now: number): boolean => {
  const { ms, renewAfterMs } = LIFE[kind];
  return renewAfterMs !== null && expiresAt - now <= ms - renewAfterMs;
};

/** SHA-256 of a secret, in hex: the only form in which it is stored or compared. */
export const credentialHash = (secret: string): string => hash('sha256', secret);

/** A short, harmless name of a session for rows and logs: it proves nothing. */
export const sessionKey = (credential: string): string => credential.slice(0, 16);

/** Expiry and revocation are honoured at every read; a binding holds up to and including its last instant. */
export const bindingHolds = (binding: Binding, now: number): boolean =>
  binding.revokedAt === null && now <= binding.expiresAt;
