import { accept, refuse, saga as sagaSpec, type Outcome } from '@breakwater/contract';
import type { Database } from '../postgres/index.ts';
import { defineTool, type Clock, type Ids, type Tool, type ToolCall } from '../runtime/index.ts';
import { isDeadLetter, listSagas, retrySaga, revertSaga, type SagaView } from './dead-letters.ts';

type Call = ToolCall<typeof sagaSpec.input._zod.output>;
type Payload = Readonly<Record<string, unknown>>;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

const iso = (ms: number): string => new Date(ms).toISOString();

const viewOf = (saga: SagaView): Payload => ({
  saga_id: saga.sagaId,
  session_id: saga.sessionId,
  paused_agent_id: saga.pausedAgentId,
  reviewer_agent_id: saga.reviewerAgentId,
  state: saga.state,
  dead_letter: isDeadLetter(saga),
  attempts: saga.attempts,
  created_at: iso(saga.createdAt),
  dead_letter_at: saga.deadLetterAt === null ? null : iso(saga.deadLetterAt),
  last_error: saga.lastError,
});

/** What an act on a saga needs: its id, a reason, and an operator that may act. */
const actOf = ({ args, caller }: Call): Outcome<{ sagaId: string; reason: string; by: string }> => {
  if (caller.operator?.act !== true) {
    return refuse('OPERATOR_REQUIRED', 'Only an operator that may act answers a resolution that was given up.');
  }
  const sagaId = args.saga_id ?? '';
  if (!UUID.test(sagaId)) {
    return refuse('PARAMETER_ERROR', 'saga_id: must be the uuid of a saga; list shows them.', {
      details: { parameter: 'saga_id' },
    });
  }
  const reason = args.reason ?? '';
  if (reason === '') {
    return refuse('MISSING_PARAMETER', `reason: ${args.action} needs it.`, { details: { parameter: 'reason' } });
  }
  return accept({ sagaId: sagaId.toLowerCase(), reason, by: caller.operator.name });
};

/** The tool of sagas: every operator may look, and one that may act answers a dead letter (W3-9.16, BW-console.02). */
export const sagaTools = (service: { database: Database; clock: Clock; ids: Ids }): Tool[] => {
  const { database, clock, ids } = service;
  const actions = {
    list: async ({ args }: Call): Promise<Outcome<Payload>> =>
      accept({ sagas: (await listSagas(database, args.all === true)).map(viewOf) }),
    async retry(call: Call): Promise<Outcome<Payload>> {
      const act = actOf(call);
      if (!act.ok) return act;
      const retried = await retrySaga(database, { ...act.value, now: clock.now(), ids });
      return retried.ok
        ? accept({ message: 'It is tried again within seconds.', saga: viewOf(retried.value) })
        : retried;
    },
    async revert(call: Call): Promise<Outcome<Payload>> {
      const act = actOf(call);
      if (!act.ok) return act;
      const force = call.args.force === true;
      const reverted = await revertSaga(database, { ...act.value, now: clock.now(), ids, force });
      if (!reverted.ok) return reverted;
      return accept({
        message: 'The resolution is taken back; its review has failed, and its agents are free.',
        saga: viewOf(reverted.value.saga),
        ended_session: reverted.value.endedSession,
      });
    },
  };
  return [defineTool(sagaSpec, (call) => actions[call.args.action ?? 'list'](call))];
};
