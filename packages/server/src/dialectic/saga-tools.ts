import { ok, refuse, type Result } from '@breakwater/contract';
import { saga as sagaSpec } from '@breakwater/contract/tools';
import type { Database } from '../postgres/index.ts';
import { defineActions, iso, UUID, type ActionCallOf, type Clock, type Ids, type Tool } from '../runtime/index.ts';
import { isDeadLetter, listSagas, retrySaga, revertSaga, type SagaView } from './dead-letters.ts';

const viewOf = (saga: SagaView) => ({
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

type Act = ActionCallOf<typeof sagaSpec, 'retry' | 'revert'>;

/** Who answers which saga, and why. Refuses an id that is no uuid. */
const actOf = ({ args, caller }: Act): Result<{ sagaId: string; reason: string; by: string }> =>
  UUID.test(args.saga_id)
    ? ok({ sagaId: args.saga_id.toLowerCase(), reason: args.reason, by: caller.operator.name })
    : refuse('PARAMETER_ERROR', 'saga_id: must be the uuid of a saga; list shows them.', {
        details: { parameter: 'saga_id' },
      });

/** The tool of sagas: every operator may look, and one that may act answers a dead letter (W3-9.16, BW-console.02). */
export const sagaTools = ({ database, clock, ids }: { database: Database; clock: Clock; ids: Ids }): Tool[] => [
  defineActions(sagaSpec, {
    list: async ({ args }) => ok({ sagas: (await listSagas(database, args.all === true)).map(viewOf) }),
    async retry(call) {
      const act = actOf(call);
      if (!act.ok) return act;
      const retried = await retrySaga(database, { ...act.value, now: clock.now(), ids });
      return retried.ok ? ok({ message: 'It is tried again within seconds.', saga: viewOf(retried.value) }) : retried;
    },
    async revert(call) {
      const act = actOf(call);
      if (!act.ok) return act;
      const force = call.args.force === true;
      const reverted = await revertSaga(database, { ...act.value, now: clock.now(), ids, force });
      if (!reverted.ok) return reverted;
      return ok({
        message: 'The resolution is taken back; its review has failed, and its agents are free.',
        saga: viewOf(reverted.value.saga),
        ended_session: reverted.value.endedSession,
      });
    },
  }),
];
