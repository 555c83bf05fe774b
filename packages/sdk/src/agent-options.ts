import type { Credentials, CredentialStore } from './credentials.ts';
import type { Client } from './client.ts';
import type { Identity } from './results.ts';

/** How an agent is opened. */
export interface AgentOptions {
  readonly client: Client;
  /** What people call it; it proves nothing. */
  readonly name: string;
  /** Where credentials are kept between runs. Without it every run registers a new agent. */
  readonly credentials?: CredentialStore;
  /** Model that runs it. */
  readonly model?: string;
  readonly purpose?: string;
  /**
   * There are no credentials yet: register a new agent, or fail with a `CredentialsError`, for one that has run before.
   * @default 'create'
   */
  readonly onMissing?: 'create' | 'fail';
  /**
   * The credentials no longer prove anything: fail, or register a new agent with the old one as its parent.
   * @default 'fail'
   */
  readonly onLost?: 'fail' | 'replace';
  /**
   * The agent is archived: fail, or bring it back.
   * @default 'fail'
   */
  readonly onArchived?: 'fail' | 'reactivate';
  /** Of a new agent: the one that it continues or was sent by, and how. */
  readonly parentAgentId?: string;
  readonly spawnReason?: string;
  readonly signal?: AbortSignal;
}

/** The credentials after an answer that may have brought new secrets; undefined when neither has all that is needed. */
export const credentialsOf = (identity: Identity, before: Partial<Credentials>): Credentials | undefined => {
  const agentId = identity.agentId ?? before.agentId;
  const clientSessionId = identity.clientSessionId ?? before.clientSessionId;
  if (agentId === undefined || clientSessionId === undefined) return undefined;
  const continuityToken = identity.continuityToken ?? before.continuityToken;
  return { agentId, clientSessionId, continuityToken, name: before.name };
};
