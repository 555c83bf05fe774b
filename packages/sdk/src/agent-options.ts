import type { Anchor, AnchorStore } from './anchor.ts';
import type { Client } from './client.ts';
import type { Standing } from './results.ts';

/** How an agent is opened. */
export interface AgentOptions {
  readonly client: Client;
  /** What people call it; it proves nothing. */
  readonly name: string;
  /** Where it keeps what makes it itself; without one it is a new agent each time. */
  readonly anchor?: AnchorStore;
  /** Model that runs it. */
  readonly model?: string;
  readonly purpose?: string;
  /** No anchor is an error, instead of a new agent: for a resident that has been there before. */
  readonly refuseFreshOnboard?: boolean;
  /** An anchor that no longer proves anything is replaced by a new agent with the old one as its parent. */
  readonly replaceLost?: boolean;
  /** An archived agent is brought back. */
  readonly reactivate?: boolean;
  /** Of a new agent: the one that it continues or was sent by, and how. */
  readonly parentAgentId?: string;
  readonly spawnReason?: string;
  readonly signal?: AbortSignal;
}

/** The anchor after an answer that may have brought new secrets; undefined when neither has enough for one. */
export const anchorOfStanding = (standing: Standing, before: Partial<Anchor>): Anchor | undefined => {
  const agentUuid = standing.uuid ?? before.agentUuid;
  const clientSessionId = standing.clientSessionId ?? before.clientSessionId;
  if (agentUuid === undefined || clientSessionId === undefined) return undefined;
  const continuityToken = standing.continuityToken ?? before.continuityToken;
  return { agentUuid, clientSessionId, continuityToken, name: before.name };
};
