import { anchorOfStanding, type AgentOptions } from './agent-options.ts';
import type { Anchor } from './anchor.ts';
import { AnchorError, IdentityDriftError, IdentityRefusedError, ProtocolError, RefusedError } from './errors.ts';
import type { Json } from './json.ts';
import { readStanding, type Standing } from './results.ts';

/** Who an agent turned out to be. */
export interface Opened {
  readonly anchor: Anchor;
  readonly standing: Standing;
  /** It was made by this call, and did not exist before. */
  readonly isNew: boolean;
}

const ask = async ({ client, signal }: AgentOptions, tool: 'identity' | 'start_session', args: Json) =>
  readStanding(await client.call(tool, args, { signal }));

/** The answer must be about this agent. */
const same = (anchor: Anchor, standing: Standing): Standing => {
  if (standing.uuid === null) throw new ProtocolError('The answer does not say which agent it is about.', standing.raw);
  if (standing.uuid !== anchor.agentUuid) throw new IdentityDriftError(anchor.agentUuid, standing.uuid);
  return standing;
};

const make = async (options: AgentOptions, parent: Json): Promise<Opened> => {
  const standing = await ask(options, 'start_session', {
    // Over MCP the session may prove another agent of this process.
    force_new: true,
    name: options.name,
    model_type: options.model,
    purpose: options.purpose,
    ...parent,
  });
  const anchor = anchorOfStanding(standing, { name: options.name });
  if (anchor === undefined) throw new ProtocolError('The server gave no identity.', standing.raw);
  return { anchor, standing, isNew: true };
};

/** By the secret; an archived agent is brought back only on request. */
const bySecret = async (options: AgentOptions, anchor: Anchor): Promise<Standing> => {
  const proof = { client_session_id: anchor.clientSessionId };
  const standing = same(anchor, await ask(options, 'identity', proof));
  if (!standing.archived) return standing;
  if (options.reactivate === true) return ask(options, 'start_session', { ...proof, reactivate: true });
  throw new RefusedError({
    code: 'AGENT_ARCHIVED',
    message: `The agent ${anchor.agentUuid} is archived.`,
    category: 'state_error',
    recovery: { action: 'Open it with reactivate: true to bring it back, or remove its anchor.' },
    details: standing.raw,
  });
};

/** By the secret; when that no longer proves anything, by the token beside the uuid. */
const resume = async (options: AgentOptions, anchor: Anchor): Promise<Standing> => {
  try {
    return await bySecret(options, anchor);
  } catch (error) {
    if (!(error instanceof IdentityRefusedError) || anchor.continuityToken === undefined) throw error;
    return ask(options, 'start_session', {
      agent_uuid: anchor.agentUuid,
      continuity_token: anchor.continuityToken,
    });
  }
};

/**
 * Finds out who this agent is: the one of its anchor, or a new one when there is none. An anchor that proves nothing any
 * more is an error, because a new agent in its place would have another history; `replaceLost` asks for one all the same,
 * which then names the old one as its parent. Saves the anchor before it gives the agent.
 */
export const openIdentity = async (options: AgentOptions): Promise<Opened> => {
  const { anchor: store } = options;
  const anchor = await store?.load();
  const opened = anchor === undefined ? await first(options) : await again(options, anchor);
  await store?.save(opened.anchor);
  return opened;
};

const first = (options: AgentOptions): Promise<Opened> => {
  if (options.refuseFreshOnboard === true) {
    throw new AnchorError('There is no anchor, and refuseFreshOnboard forbids a new agent.');
  }
  const { parentAgentId, spawnReason } = options;
  return make(options, { parent_agent_id: parentAgentId, spawn_reason: spawnReason });
};

const again = async (options: AgentOptions, anchor: Anchor): Promise<Opened> => {
  try {
    const standing = same(anchor, await resume(options, anchor));
    return { anchor: anchorOfStanding(standing, anchor) ?? anchor, standing, isNew: false };
  } catch (error) {
    if (!(error instanceof IdentityRefusedError) || options.replaceLost !== true) throw error;
    return make(options, { parent_agent_id: anchor.agentUuid, spawn_reason: 'identity_lost' });
  }
};
