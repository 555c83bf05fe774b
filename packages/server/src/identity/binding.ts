import { hash } from 'node:crypto';

/** What a secret is used for: a caller's session, or an MCP transport session. */
export type BindingKind = 'session' | 'mcp_session';

/** A credential as stored: who it proves, and until when. The secret itself is known only to its holder. */
export interface Binding {
  readonly kind: BindingKind;
  /** null: a transport session whose caller has not onboarded. */
  readonly agentId: string | null;
  /** ms since the epoch, UTC. */
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

/** Sessions live this long. */
export const SESSION_TTL_MS = 30 * 86_400_000;

/** SHA-256 of a secret, in hex: the only form in which it is stored or compared. */
export const credentialHash = (secret: string): string => hash('sha256', secret);

/** A short, harmless name of a session for rows and logs: it proves nothing. */
export const sessionKey = (credential: string): string => credential.slice(0, 16);

/** Expiry and revocation are honoured at every read; a binding holds up to and including its last instant. */
export const bindingHolds = (binding: Binding, now: number): boolean =>
  binding.revokedAt === null && now <= binding.expiresAt;
