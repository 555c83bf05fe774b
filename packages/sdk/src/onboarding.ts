import { credentialsOf, type AgentOptions } from './agent-options.ts';
import type { Credentials } from './credentials.ts';
import { CredentialsError, IdentityDriftError, IdentityRefusedError, ProtocolError, ApiError } from './errors.ts';
import type { Json } from './json.ts';
import { readIdentity, type Identity } from './results.ts';

/** Who an agent turned out to be. */
export interface Opened {
  readonly credentials: Credentials;
  readonly identity: Identity;
  /** It was made by this call, and did not exist before. */
  readonly isNew: boolean;
}

const ask = async ({ client, signal }: AgentOptions, tool: 'identity' | 'start_session', args: Json) =>
  readIdentity(await client.call(tool, args, { signal }));

/** The answer must be about this agent. */
const same = (credentials: Credentials, identity: Identity): Identity => {
  if (identity.agentId === null)
    throw new ProtocolError('The answer does not say which agent it is about.', identity.raw);
  if (identity.agentId !== credentials.agentId) throw new IdentityDriftError(credentials.agentId, identity.agentId);
  return identity;
};

const make = async (options: AgentOptions, parent: Json): Promise<Opened> => {
  const identity = await ask(options, 'start_session', {
    // Over MCP the session may prove another agent of this process.
    force_new: true,
    name: options.name,
    model_type: options.model,
    purpose: options.purpose,
    ...parent,
  });
  const credentials = credentialsOf(identity, { name: options.name });
  if (credentials === undefined) throw new ProtocolError('The server gave no identity.', identity.raw);
  return { credentials, identity, isNew: true };
};

/** By the secret; an archived agent is brought back only on request. */
const bySecret = async (options: AgentOptions, credentials: Credentials): Promise<Identity> => {
  const proof = { client_session_id: credentials.clientSessionId };
  const identity = same(credentials, await ask(options, 'identity', proof));
  if (!identity.archived) return identity;
  if (options.onArchived === 'reactivate') return ask(options, 'start_session', { ...proof, reactivate: true });
  throw new ApiError({
    code: 'AGENT_ARCHIVED',
    message: `The agent ${credentials.agentId} is archived.`,
    category: 'state_error',
    recovery: { action: "Open it with onArchived: 'reactivate' to bring it back, or remove its credentials." },
    details: identity.raw,
  });
};

/** By the secret; when that no longer proves anything, by the token beside the uuid. */
const resume = async (options: AgentOptions, credentials: Credentials): Promise<Identity> => {
  try {
    return await bySecret(options, credentials);
  } catch (error) {
    if (!(error instanceof IdentityRefusedError) || credentials.continuityToken === undefined) throw error;
    return ask(options, 'start_session', {
      agent_uuid: credentials.agentId,
      continuity_token: credentials.continuityToken,
    });
  }
};

/**
 * Opens the agent of the stored credentials, or registers a new one when there are none. Credentials that prove nothing any
 * more are an error, because a new agent in its place would have another history; `onLost: 'replace'` asks for one all the
 * same, which then names the old one as its parent. Saves the credentials before it returns.
 */
export const openIdentity = async (options: AgentOptions): Promise<Opened> => {
  const { credentials: store } = options;
  const credentials = await store?.load();
  const opened = credentials === undefined ? await first(options) : await again(options, credentials);
  await store?.save(opened.credentials);
  return opened;
};

const first = (options: AgentOptions): Promise<Opened> => {
  if (options.onMissing === 'fail') {
    throw new CredentialsError("There are no credentials, and onMissing: 'fail' forbids a new agent.");
  }
  const { parentAgentId, spawnReason } = options;
  return make(options, { parent_agent_id: parentAgentId, spawn_reason: spawnReason });
};

const again = async (options: AgentOptions, credentials: Credentials): Promise<Opened> => {
  try {
    const identity = same(credentials, await resume(options, credentials));
    return { credentials: credentialsOf(identity, credentials) ?? credentials, identity, isNew: false };
  } catch (error) {
    if (!(error instanceof IdentityRefusedError) || options.onLost !== 'replace') throw error;
    return make(options, { parent_agent_id: credentials.agentId, spawn_reason: 'identity_lost' });
  }
};
