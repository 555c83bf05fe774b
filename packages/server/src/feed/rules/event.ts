import type { FeedEventType, FeedSeverity } from '@breakwater/contract';
import type { AgentHead } from '../../agents/agent.ts';

/** Something that happened to an agent, before it has a place in the feed. Numbers are not rounded. */
export interface Happening {
  readonly type: FeedEventType;
  readonly severity: FeedSeverity;
  /** Facts about it; texts may hold agent ids. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** An event in its place. */
export interface FeedEvent extends Happening {
  /** Higher than that of every event before it, also across restarts of this server. */
  readonly cursor: number;
  /** ms since the epoch, UTC. */
  readonly at: number;
  readonly agentId: string;
  /** The agent as it was then, or is now for an event of an earlier life; undefined: nobody knows it any more. */
  readonly head: AgentHead | undefined;
  /** Place of the change in the agent's audit chain; with the type, what a reader knows a repeated event by. */
  readonly chainIndex: number;
}

/** What became of an agent, as one message to those who watch. */
export interface FeedUpdate {
  readonly at: number;
  readonly head: AgentHead;
  /** No resolution about the agent is being carried out (W3-9.20). */
  readonly isStable: boolean;
  /** What only this node knows of the newest check-in; undefined: it was made elsewhere. */
  readonly own: OwnCheckIn | undefined;
  /** Check-ins that this message stands for; 0: something else changed. */
  readonly checkIns: number;
  /** In order; those of check-ins come with the update, the others stand alone. */
  readonly events: readonly FeedEvent[];
}

/** What a check-in stored beside the head. */
export interface OwnCheckIn {
  readonly confidence: { readonly value: number; readonly source: string } | null;
  readonly coherence: number | null;
  readonly reason: unknown;
  readonly telemetry: unknown;
}
