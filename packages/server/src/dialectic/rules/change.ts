import { refuse } from '@breakwater/contract';
import type { Message, Phase, ResolutionAction, Session } from '../session.ts';

/** What a step makes of a session: its next value, and the entries that the step added to the end of the record. */
export interface Change {
  readonly session: Session;
  readonly messages: readonly Message[];
}

/** What a participant sends; what is absent is not said. */
export interface Submission {
  readonly agentId: string;
  readonly rootCause?: string | null | undefined;
  readonly conditions?: readonly string[] | null | undefined;
  readonly proposedAction?: ResolutionAction | null | undefined;
  readonly reasoning?: string | null | undefined;
  readonly concerns?: readonly string[] | null | undefined;
  readonly observedMetrics?: Readonly<Record<string, unknown>> | null | undefined;
}

/** The author of what the server itself writes into a record. */
const SERVER = 'system';

/** The session has ended; nothing but a reassignment can open it again. */
export const hasEnded = ({ phase }: Pick<Session, 'phase'>): boolean => phase === 'resolved' || phase === 'failed';

/** The agent is one of the two whom the session is between. */
export const isParticipant = (session: Session, agentId: string): boolean =>
  agentId === session.pausedAgentId || agentId === session.reviewerAgentId;

/** The entry that a submission becomes. */
export const entryOf = (
  type: 'thesis' | 'antithesis' | 'synthesis',
  said: Submission & { readonly agrees?: boolean | null | undefined },
  now: number,
): Message => ({
  type,
  agentId: said.agentId,
  at: now,
  rootCause: said.rootCause ?? null,
  conditions: said.conditions ?? [],
  proposedAction: said.proposedAction ?? null,
  reasoning: said.reasoning ?? null,
  agrees: said.agrees ?? null,
  concerns: said.concerns ?? [],
  observedMetrics: said.observedMetrics ?? null,
  refused: false,
});

/** An entry of the server's own. */
export const noteOf = (
  type: 'system' | 'failed',
  reasoning: string,
  now: number,
  facts: Message['observedMetrics'] = null,
): Message => ({
  type,
  agentId: SERVER,
  at: now,
  rootCause: null,
  conditions: [],
  proposedAction: null,
  reasoning,
  agrees: null,
  concerns: [],
  observedMetrics: facts,
  refused: false,
});

/** The session with `changes`, and `message` at the end of its record; the inactivity clock stays (BW-dialectic.08). */
export const withNote = (session: Session, message: Message, changes: Partial<Session> = {}): Change => ({
  session: { ...session, ...changes, messages: [...session.messages, message] },
  messages: [message],
});

/** The same for what a participant said: it starts the inactivity clock again. A third author leaves it as it is. */
export const withEntry = (session: Session, message: Message, changes: Partial<Session>): Change =>
  withNote(session, message, {
    lastParticipantAt: isParticipant(session, message.agentId) ? message.at : session.lastParticipantAt,
    ...changes,
  });

/** Asks for a person. The age of the first asking stays until it is answered (BW-dialectic.07). */
export const asking = (session: Session, now: number) => ({
  awaitingFacilitation: true,
  facilitationSince: session.facilitationSince ?? now,
});

/** Nobody is asked for. */
export const ASKING_NOBODY = { awaitingFacilitation: false, facilitationSince: null } as const;

/**
 * Ends a session that has not ended as failed, and says why. A flag for facilitation stays, since only it lets the session
 * be opened again (BW-dialectic.11).
 */
export const failSession = (session: Session, why: string, now: number): Change =>
  withNote(session, noteOf('failed', why, now), { phase: 'failed' });

/** Refuses what cannot be done in the phase, naming it (W3-5.01). */
export const refusePhase = (what: string, phase: Phase) =>
  refuse('INVALID_PHASE', `Cannot ${what} in phase ${phase}.`, { details: { phase } });
