import { ok, refuse, type Result } from '@breakwater/contract';
import { agent as agentSpec } from '@breakwater/contract/tools';
import { isMeasured, readCoverage, recordOf, shownRisk, standingWord, type AgentHead } from '../agents/index.ts';
import { defineActions, type CallOf, type Tool } from '../runtime/index.ts';
import { actorOf } from './rules/authority.ts';
import { listAgents } from './rules/listing.ts';
import { pauseByOperator } from './rules/pause.ts';
import { viewerOf, visibleId, visibleName, visibleText, type Viewer } from './rules/redaction.ts';
import { resume } from './rules/resume.ts';
import { archive, remove } from './rules/standing.ts';
import { update } from './rules/update.ts';
import type { Lifecycle } from './service.ts';

type Call = CallOf<typeof agentSpec>;

/** What everybody may see of an agent; ids and texts of others are redacted for strangers (BW-identity.14). */
const viewOf = (head: AgentHead, viewer: Viewer, now: number, isPaused: boolean) => {
  const { id, redacted } = visibleId(head.agentId, viewer);
  return {
    id,
    ...(redacted && { uuid_redacted: true as const }),
    label: visibleName(head, viewer),
    status: head.status,
    purpose: visibleText(head.purpose, viewer),
    tags: head.tags,
    total_updates: head.updateCount,
    created_at: new Date(head.createdAt).toISOString(),
    last_update: head.lastActivityAt === null ? null : new Date(head.lastActivityAt).toISOString(),
    parent_agent_id: head.parentAgentId === null ? null : visibleId(head.parentAgentId, viewer).id,
    spawn_reason: visibleText(head.spawnReason, viewer),
    ...(head.pause !== null && { pause: { reason: head.pause.reason, expires_at: head.pause.expires_at } }),
    ...(head.vitals && { record: recordOf(head.vitals) }),
    current_state: head.vitals && {
      ...head.vitals,
      // Decisions use the computed values; who reads them gets what is known: a paused agent is never safe.
      risk: shownRisk(head.vitals),
      ...(!isMeasured(head.vitals) && { risk_latest: null }),
      risk_word: standingWord(head.vitals, isPaused),
      coverage: readCoverage(head.vitals.coverage, now),
    },
  };
};

/** The tool of agents. `isStable`: no resolution about the agent is being carried out (W3-9.20). */
export const agentTool = (service: Lifecycle, isStable: (agentId: string) => boolean): Tool => {
  /** The agent that the call names, or the one that calls. */
  const targetOf = async ({ args, caller }: Call): Promise<Result<AgentHead>> => {
    const target = args.target_agent_id ?? args.agent_id ?? caller.agentId;
    if (target === undefined) {
      return refuse('PARAMETER_ERROR', 'target_agent_id: name the agent.', {
        details: { parameter: 'target_agent_id' },
      });
    }
    return service.find(target);
  };

  const get = async (head: AgentHead, { caller }: Call) => {
    const viewer = viewerOf(caller);
    const hold = await service.holdOf(head);
    const view = { ...viewOf(head, viewer, service.now, hold !== undefined), is_stable: isStable(head.agentId) };
    if (!viewer.operator && viewer.agentId !== head.agentId) return view;
    const { notes, metadata, ...links } = await service.record(head.agentId);
    // Only operators see who others are.
    const linked = ({ agent_id, ...link }: (typeof links.successors)[number]) => ({
      agent_id: visibleId(agent_id, viewer).id,
      ...link,
    });
    const thread = { thread_id: head.threadId, position: head.threadPosition };
    return {
      ...view,
      notes,
      metadata,
      thread,
      lineage: head.lineage,
      archive: head.archive,
      ...(hold?.inherited === true && { held_by: hold.holder.agentId }),
      ...(links.successors.length > 0 && { successors: links.successors.map(linked) }),
      ...(links.successor_of.length > 0 && { successor_of: links.successor_of.map(linked) }),
    };
  };

  /** What an act answers of the agent as it is after it. */
  const changed = (head: AgentHead, { caller }: Call) => {
    const viewer = viewerOf(caller);
    return {
      message: `${visibleName(head, viewer)} is ${head.status}.`,
      agent_id: visibleId(head.agentId, viewer).id,
      lifecycle_status: head.status,
      ...(head.archive !== null && { archived_at: head.archive.at, reason: head.archive.reason }),
    };
  };

  /** The handler of an act on the agent that the call names. */
  const act = (change: (call: Call, head: AgentHead) => Promise<Result<AgentHead>>) => async (call: Call) => {
    const target = await targetOf(call);
    if (!target.ok) return target;
    const done = await change(call, target.value);
    return done.ok ? ok(changed(done.value, call)) : done;
  };

  return defineActions(
    agentSpec,
    {
      list: async ({ args, caller }) =>
        ok(
          listAgents(
            service.fleet,
            {
              limit: args.limit,
              offset: args.offset,
              statusFilter: args.status_filter ?? undefined,
              minUpdates: args.min_updates,
              recentDays: args.recent_days === 0 ? null : args.recent_days,
              namedOnly: args.named_only,
              includeTestAgents: args.include_test_agents,
            },
            viewerOf(caller),
            isStable,
            service.now,
          ),
        ),

      async get(call) {
        const target = await targetOf(call);
        return target.ok ? ok(await get(target.value, call)) : target;
      },

      async update(call) {
        const { args, caller, deadline } = call;
        const target = await targetOf(call);
        if (!target.ok) return target;
        const wanted = {
          ...(args.tags != null && { tags: args.tags }),
          ...(args.notes != null && { notes: args.notes }),
          ...(args.append_notes !== undefined && { appendNotes: args.append_notes }),
          ...(args.purpose != null && { purpose: args.purpose }),
          ...(args.preferences != null && { preferences: args.preferences }),
          ...(args.status != null && { status: args.status }),
        };
        const updated = await service.change(target.value.agentId, deadline, (current, { notes }, hold) =>
          update(actorOf(caller), current, wanted, {
            storedNotes: notes,
            proof: caller.source,
            hold,
            reason: args.reason ?? null,
          }),
        );
        if (!updated.ok) return updated;
        return ok({ ...changed(updated.value, call), agent: await get(updated.value, call) });
      },

      archive: act(({ args, caller, deadline }, head) =>
        service.change(head.agentId, deadline, (current, stored, hold) =>
          archive(
            actorOf(caller),
            current,
            {
              reason: args.reason ?? 'Manual archive',
              force: args.force === true,
              liveSignals: service.signsOfLife(current, stored),
            },
            service.now,
            hold,
          ),
        ),
      ),

      pause: act(({ args, caller, deadline }, head) => {
        const wanted = { reason: args.reason ?? null, hours: args.hours ?? null, actuationId: service.newId() };
        return service.change(head.agentId, deadline, (current, _, hold) =>
          pauseByOperator(actorOf(caller), current, wanted, service.now, hold),
        );
      }),

      resume: act(({ args, caller, deadline }, head) => {
        const wanted = { reason: args.reason ?? null, unstick: args.unstick === true };
        return service.change(head.agentId, deadline, (current, _, hold) =>
          resume(actorOf(caller), current, wanted, service.now, hold),
        );
      }),

      delete: act(({ args, caller, deadline }, head) => {
        const wanted = { confirm: args.confirm === true, reason: args.reason ?? 'Manual deletion' };
        return service.change(head.agentId, deadline, (current, _, hold) =>
          remove(actorOf(caller), current, wanted, service.now, hold),
        );
      }),
    },
    { checksAtCommit: true },
  );
};
