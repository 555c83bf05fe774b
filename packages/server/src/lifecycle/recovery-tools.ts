import { ok } from '@breakwater/contract';
import { operatorResumeAgent, selfRecovery } from '@breakwater/contract/tools';
import { defineActions, defineTool, type ActionCallOf, type Tool } from '../runtime/index.ts';
import { actorOf } from './rules/authority.ts';
import { viewerOf, visibleName } from './rules/redaction.ts';
import { operatorResume } from './rules/resume.ts';
import { checkSelfRecovery, quickRecovery, refusedReviewRecord, reviewRecovery } from './rules/self-recovery.ts';
import type { Lifecycle } from './service.ts';

/** The tool by which an operator resumes an agent. */
export const operatorResumeTool = (service: Lifecycle): Tool =>
  defineTool(operatorResumeAgent, async ({ args, caller, deadline }) => {
    const target = await service.find(args.target_agent_id);
    if (!target.ok) return target;
    const resumed = await service.change(target.value.agentId, deadline, (head, _, hold) =>
      operatorResume(
        actorOf(caller),
        head,
        { reason: args.reason, force: args.force === true, vitals: head.vitals },
        hold,
      ),
    );
    if (!resumed.ok) return resumed;
    const { agentId, status } = resumed.value;
    return ok({
      message: `${visibleName(resumed.value, viewerOf(caller))} is active again.`,
      agent_id: agentId,
      lifecycle_status: status,
    });
  });

/** The tool by which an agent resumes itself. */
export const selfRecoveryTool = (service: Lifecycle): Tool => {
  const ownOf = ({ caller }: ActionCallOf<typeof selfRecovery, 'check'>) => service.find(caller.agentId);

  return defineActions(selfRecovery, {
    async check(call) {
      const own = await ownOf(call);
      if (!own.ok) return own;
      const hold = await service.holdOf(own.value);
      const checked = checkSelfRecovery(actorOf(call.caller), own.value, service.now, hold);
      return checked.ok ? ok({ action: 'check', ...checked.value }) : checked;
    },

    async quick(call) {
      const own = await ownOf(call);
      if (!own.ok) return own;
      const { args, caller, deadline } = call;
      const resumed = await service.change(own.value.agentId, deadline, (head, _, hold) =>
        quickRecovery(actorOf(caller), head, { reason: args.reason ?? null }, service.now, hold),
      );
      if (!resumed.ok) return resumed;
      const { agentId, status } = resumed.value;
      return ok({ action: 'resumed', mode: 'quick', agent_id: agentId, lifecycle_status: status });
    },

    async review(call) {
      const own = await ownOf(call);
      if (!own.ok) return own;
      const { args, caller, deadline } = call;
      const said = {
        reflection: args.reflection ?? '',
        rootCause: args.root_cause ?? null,
        conditions: args.conditions ?? [],
      };
      const resumed = await service.change(
        own.value.agentId,
        deadline,
        (head, _, hold) => reviewRecovery(actorOf(caller), head, said, service.now, hold),
        (refusal) => refusedReviewRecord(refusal, said),
      );
      if (!resumed.ok) return resumed;
      const { agentId, status } = resumed.value;
      return ok({ action: 'resumed', mode: 'review', agent_id: agentId, lifecycle_status: status });
    },
  });
};
