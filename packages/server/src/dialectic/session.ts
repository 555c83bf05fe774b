/** What a review is: a paused agent, a reviewer, and the record of what they said to each other. */

/** Where a session stands. It moves along this line only; `failed` can follow any of them (W3-5.01). */
export type Phase = 'thesis' | 'antithesis' | 'synthesis' | 'resolved' | 'failed';

/** What is to become of the paused agent. */
export type ResolutionAction = 'resume' | 'block' | 'escalate' | 'cooldown';

/** One entry of the record, in its order. `system` and `failed` are written by the server, the rest by participants. */
export interface Message {
  readonly type: 'thesis' | 'antithesis' | 'synthesis' | 'system' | 'failed';
  readonly agentId: string;
  /** ms since the epoch, UTC. */
  readonly at: number;
  readonly rootCause: string | null;
  readonly conditions: readonly string[];
  readonly reasoning: string | null;
  /** What its author wants to become of the agent; null: resume, as far as it is for the author to say. */
  readonly proposedAction: ResolutionAction | null;
  /** null: no verdict. */
  readonly agrees: boolean | null;
  readonly concerns: readonly string[];
  readonly observedMetrics: Readonly<Record<string, unknown>> | null;
  /**
   * A synthesis that was recorded although it was refused: it stands in the record, and is no verdict and no offer
   * (BW-dialectic.02, .03).
   */
  readonly refused: boolean;
}

/** What a session ended with. Only `resume` makes the agent active at once. */
export interface Resolution {
  readonly action: ResolutionAction;
  readonly conditions: readonly string[];
  readonly rootCause: string;
  readonly reasoning: string;
  /** ISO 8601, UTC; it is part of what is signed. */
  readonly timestamp: string;
  readonly signatureA: string;
  readonly signatureB: string;
  readonly signatureVersion: 2;
}

/** Why an operator has to confirm an agreement. */
export type ConfirmationReason = 'claims_review' | 'paused_again';

/** An agreement that an operator is asked about, and what it said. Times in ms since the epoch, UTC. */
export interface Confirmation {
  readonly since: number;
  /** What the participants agreed on. */
  readonly action: ResolutionAction;
  readonly why: readonly ConfirmationReason[];
  /** The pause that they agreed about; null: its record names none. */
  readonly actuationId: string | null;
  readonly decision: 'open' | 'accept' | 'reject';
  /** The operator's name, when, and its reason; null while the decision is open. */
  readonly by: string | null;
  readonly at: number | null;
  readonly reason: string | null;
}

/** A session as it is stored; a reload gives the identical value (BW-dialectic.04). */
export interface Session {
  readonly sessionId: string;
  readonly pausedAgentId: string;
  /** null: the place is open to the first who answers. */
  readonly reviewerAgentId: string | null;
  readonly phase: Phase;
  /** What it is about, which decides how long it may take; unknown words are kept, and count as `review`. */
  readonly sessionType: string;
  readonly createdAt: number;
  /** When a participant last did something; nothing else moves it (BW-dialectic.08). */
  readonly lastParticipantAt: number;
  readonly round: number;
  readonly maxRounds: number;
  readonly awaitingFacilitation: boolean;
  /** When facilitation was first asked for and not answered since; the age of it is measured from here. */
  readonly facilitationSince: number | null;
  readonly topic: string | null;
  readonly reason: string | null;
  readonly triggerSource: string | null;
  readonly discoveryId: string | null;
  readonly disputeType: string | null;
  /** What was known of the agent when it was paused. */
  readonly pausedAgentState: Readonly<Record<string, unknown>>;
  readonly messages: readonly Message[];
  readonly resolution: Resolution | null;
  /** null: no operator was asked to confirm anything. */
  readonly confirmation: Confirmation | null;
}
