import { onboard } from '../../../testing/calls.ts';
import type { World } from '../../../testing/world.ts';
import type { Saga, SagaPayload } from '../saga.ts';
import type { Session } from '../session.ts';
import { insertSession, lockSession, selectSession, sessionFromRow } from '../sql.ts';

let serial = 0;
export const payloadOf = (text = 'terms'): SagaPayload => ({
  resolution: {
    action: 'resume',
    conditions: ['Set complexity to 0.4'],
    rootCause: text,
    reasoning: 'because',
    timestamp: '2026-01-01T00:00:00.000Z',
    signatureA: '',
    signatureB: '',
    signatureVersion: 2,
  },
  resolutionHash: `hash-${text}-${(serial += 1)}`,
  conditions: [{ text: 'Set complexity to 0.4', kind: 'complexity_cap', limit: 0.4 }],
  synthesizer: null,
});

export const sessionOf = (w: World, pausedAgentId: string, reviewerAgentId: string | null): Session => ({
  sessionId: `s${(serial += 1)}`,
  pausedAgentId,
  reviewerAgentId,
  phase: 'synthesis',
  sessionType: 'review',
  createdAt: w.clock.now(),
  lastParticipantAt: w.clock.now(),
  round: 1,
  maxRounds: 5,
  awaitingFacilitation: false,
  facilitationSince: null,
  topic: 'topic',
  reason: null,
  triggerSource: 'manual',
  discoveryId: null,
  disputeType: null,
  pausedAgentState: { evidence_status: 'unavailable' },
  messages: [],
  resolution: null,
  confirmation: null,
});

/** Two agents, the first of which is paused, and a session about it. */
export const review = async (w: World, reviewer: 'peer' | 'self' | 'nobody' | 'llm-synthetic-reviewer' = 'peer') => {
  const paused = await onboard(w.call, { force_new: true });
  const peer = await onboard(w.call, { force_new: true });
  await w.rows(
    `UPDATE core.identities SET status = 'paused', sequence = sequence + 1,
       pause = '{"actuation_id":"a","paused_at":"2026-01-01T00:00:00.000Z","expires_at":"2099-01-01T00:00:00.000Z",
                 "sub_action":"claims_pause","reason":"r","evidence":{}}' WHERE agent_id = $1`,
    paused.uuid,
  );
  await w.node.agents.refresh([paused.uuid]);
  const who = { peer: peer.uuid, self: paused.uuid, nobody: null, 'llm-synthetic-reviewer': reviewer }[reviewer];
  const session = sessionOf(w, paused.uuid, who);
  await w.database.query(insertSession(session));
  return { paused, peer, session };
};
export const reserve = (w: World, saga: Pick<Saga, 'reserve'>, session: Session, payload = payloadOf()) =>
  w.database.transaction(async (tx) => {
    await tx.query(lockSession(session.sessionId));
    return saga.reserve(tx, session, payload);
  });
export const load = async (w: World, { sessionId }: Session) =>
  sessionFromRow((await w.database.query<Parameters<typeof sessionFromRow>[0]>(selectSession(sessionId)))[0]!);
export const statusOf = async (w: World, agentId: string) =>
  (await w.rows('SELECT status, conditions FROM core.identities WHERE agent_id = $1', agentId))[0]!;
export const sagasOf = (w: World, { sessionId }: Session) =>
  w.rows('SELECT * FROM coordination.session_resolution_sagas WHERE session_id = $1 ORDER BY created_at', sessionId);
