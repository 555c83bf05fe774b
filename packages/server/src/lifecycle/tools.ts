import {
  accept,
  agent as agentSpec,
  archiveOrphanAgents,
  AUDIT_EVENTS,
  detectStuckAgents,
  operatorResumeAgent,
  refuse,
  selfRecovery,
  type Outcome,
} from '@breakwater/contract';
import { isMeasured, readCoverage, recordOf, shownRisk, standingWord, type AgentHead } from '../agents/index.ts';
import { defineTool, type Caller, type Tool, type ToolCall } from '../runtime/index.ts';
import type { Actor } from './rules/authority.ts';
import { listAgents } from './rules/listing.ts';
import { visibleId, visibleName, visibleText, type Viewer } from './rules/redaction.ts';
import { pauseByOperator } from './rules/pause.ts';
import { operatorResume, resume } from './rules/resume.ts';
import { checkSelfRecovery, quickRecovery, refusedReviewRecord, reviewRecovery } from './rules/self-recovery.ts';
import { archive, remove } from './rules/standing.ts';
import { orphans, stuck } from './rules/sweep.ts';
import { update } from './rules/update.ts';
import type { Lifecycle } from './service.ts';

type Payload = Readonly<Record<string, unknown>>;
type AgentCall = ToolCall<typeof agentSpec.input._zod.output>;

const actorOf = ({ agentId, operator, origin }: Caller): Actor => ({
  agentId,
  operator,
  proven: origin === 'caller_asserted',
});

const viewerOf = ({ agentId, operator }: Caller): Viewer => ({ agentId, operator: operator !== undefined });

/** What everybody may see of an agent; ids and texts of others are redacted for strangers (BW-identity.14). */
const viewOf = (head: AgentHead, viewer: Viewer, now: number, isPaused: boolean) => {
  const { id, redacted } = visibleId(head.agentId, viewer);
  return {
    id,
    ...(redacted && { uuid_redacted: true }),
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

/** The tools of lifecycle. `isStable`: no resolution about the agent is being carried out (W3-9.20). */
export const lifecycleTools = <M>(service: Lifecycle<M>, isStable: (agentId: string) => boolean): Tool[] => {
  const targetOf = async ({ args, caller }: AgentCall): Promise<Outcome<AgentHead>> => {
    const target = args.target_agent_id ?? args.agent_id ?? caller.agentId;
    if (target === undefined)
      return refuse('PARAMETER_ERROR', 'target_agent_id: name the agent.', {
        details: { parameter: 'target_agent_id' },
      });
    return service.find(target);
  };

  const list = ({ args, caller }: AgentCall): Payload => ({
    ...listAgents(
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
  });

  const get = async (head: AgentHead, { caller }: AgentCall): Promise<Payload> => {
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

  const ACTS = {
    update: (call: AgentCall, head: AgentHead) => {
      const { args, caller, deadline } = call;
      const wanted = {
        ...(args.tags != null && { tags: args.tags }),
        ...(args.notes != null && { notes: args.notes }),
        ...(args.append_notes !== undefined && { appendNotes: args.append_notes }),
        ...(args.purpose != null && { purpose: args.purpose }),
        ...(args.preferences != null && { preferences: args.preferences }),
        ...(args.status != null && { status: args.status }),
      };
      return service.change(head.agentId, deadline, (current, { notes }, hold) =>
        update(actorOf(caller), current, wanted, {
          storedNotes: notes,
          proof: caller.source,
          hold,
          reason: args.reason ?? null,
        }),
      );
    },
    archive: ({ args, caller, deadline }: AgentCall, head: AgentHead) =>
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
    pause: ({ args, caller, deadline }: AgentCall, head: AgentHead) => {
      const wanted = { reason: args.reason ?? null, hours: args.hours ?? null, actuationId: service.newId() };
      return service.change(head.agentId, deadline, (current, _, hold) =>
        pauseByOperator(actorOf(caller), current, wanted, service.now, hold),
      );
    },
    resume: ({ args, caller, deadline }: AgentCall, head: AgentHead) =>
      service.change(head.agentId, deadline, (current, _, hold) =>
        resume(
          actorOf(caller),
          current,
          { reason: args.reason ?? null, unstick: args.unstick === true },
          service.now,
          hold,
        ),
      ),
    delete: ({ args, caller, deadline }: AgentCall, head: AgentHead) =>
      service.change(head.agentId, deadline, (current, _, hold) =>
        remove(
          actorOf(caller),
          current,
          { confirm: args.confirm === true, reason: args.reason ?? 'Manual deletion' },
          service.now,
          hold,
        ),
      ),
  };

  return [
    defineTool(
      agentSpec,
      async (call) => {
        const { args, caller } = call;
        const action = args.action ?? 'list';
        if (action === 'list') return accept(list(call));
        const target = await targetOf(call);
        if (!target.ok) return target;
        if (action === 'get') return accept(await get(target.value, call));
        const changed = await ACTS[action](call, target.value);
        if (!changed.ok) return changed;
        const head = changed.value;
        return accept({
          message: `${visibleName(head, viewerOf(caller))} is ${head.status}.`,
          agent_id: visibleId(head.agentId, viewerOf(caller)).id,
          lifecycle_status: head.status,
          ...(head.archive !== null && { archived_at: head.archive.at, reason: head.archive.reason }),
          ...(action === 'update' && { agent: await get(head, call) }),
        });
      },
      { checksAtCommit: true },
    ),

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
      return accept({ message: 'The agent is active again.', agent_id: agentId, lifecycle_status: status });
    }),

    defineTool(selfRecovery, async ({ args, caller, deadline }) => {
      const actor = actorOf(caller);
      const own = await service.find(caller.agentId ?? '');
      if (!own.ok) return own;
      const action = args.action ?? 'check';
      if (action === 'check') {
        const checked = checkSelfRecovery(actor, own.value, service.now, await service.holdOf(own.value));
        return checked.ok ? accept({ action, ...checked.value }) : checked;
      }
      const said = {
        reflection: args.reflection ?? '',
        rootCause: args.root_cause ?? null,
        conditions: args.conditions ?? [],
      };
      const resumed = await service.change(
        own.value.agentId,
        deadline,
        (head, _, hold) =>
          action === 'quick'
            ? quickRecovery(actor, head, { reason: args.reason ?? null }, service.now, hold)
            : reviewRecovery(actor, head, said, service.now, hold),
        (refusal) => refusedReviewRecord(refusal, said),
      );
      if (!resumed.ok) return resumed;
      return accept({
        action: 'resumed',
        mode: action,
        agent_id: resumed.value.agentId,
        lifecycle_status: resumed.value.status,
      });
    }),

    defineTool(detectStuckAgents, async ({ args, caller }) => {
      const timeoutMinutes = args.timeout_minutes ?? 15;
      const viewer = viewerOf(caller);
      const heads = new Map(service.heads().map((head) => [head.agentId, head]));
      const found = stuck(service.heads(), { timeoutMinutes, now: service.now }).map(({ agentId, ...row }) => {
        const head = heads.get(agentId);
        return { agent_id: visibleId(agentId, viewer).id, label: head && visibleName(head, viewer), ...row };
      });
      return accept({
        stuck_agents: found.slice(0, 200),
        stuck_count: found.length,
        timeout_minutes: timeoutMinutes,
        ...(found.length === 0 && { message: `No agent has been silent for more than ${timeoutMinutes} minutes.` }),
      });
    }),

    defineTool(archiveOrphanAgents, async ({ args, caller, deadline }) => {
      const dryRun = args.dry_run !== false;
      const limits = { maxAgeHours: args.max_age_hours ?? 6, maxUpdates: args.max_updates ?? 3 };
      const found = orphans(service.heads(), { ...limits, now: service.now });
      if (dryRun) {
        return accept({
          dry_run: true,
          archived_count: 0,
          would_archive_count: found.length,
          would_archive_agents: found,
        });
      }
      if (caller.operator?.act !== true) {
        return refuse('OPERATOR_REQUIRED', 'Only an operator that may act archives agents of others.');
      }
      const archived: string[] = [];
      const operator = caller.operator.name;
      for (const { agentId } of found) {
        // The deadline bounds the sweep; what is left over is found again by the next one.
        if (service.now > deadline) break;
        const done = await service.change(agentId, deadline, (head) => {
          const [still] = orphans([head], { ...limits, now: service.now });
          if (still === undefined) return refuse('AGENT_NOT_RESUMABLE', 'The agent is no orphan any more.');
          const at = new Date(service.now).toISOString();
          return accept({
            status: 'archived',
            archive: { at, by: 'housekeeping', actor: operator, reason: still.reason },
            events: [
              { type: AUDIT_EVENTS.agentArchived, payload: { by: 'housekeeping', operator, reason: still.reason } },
            ],
          });
        });
        if (done.ok) archived.push(agentId);
      }
      return accept({
        dry_run: false,
        archived_count: archived.length,
        archived_agents: archived,
        found: found.length,
      });
    }),
  ];
};
