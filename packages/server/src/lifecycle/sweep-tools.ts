import { ok, AUDIT_EVENTS, refuse } from '@breakwater/contract';
import { archiveOrphanAgents, detectStuckAgents } from '@breakwater/contract/tools';
import { defineTool, type Tool } from '../runtime/index.ts';
import { viewerOf, visibleId, visibleName } from './rules/redaction.ts';
import { orphans, stuck } from './rules/sweep.ts';
import type { Lifecycle } from './service.ts';

/** The tool that finds agents which were at work and are silent. */
export const stuckTool = (service: Lifecycle): Tool =>
  defineTool(detectStuckAgents, async ({ args, caller }) => {
    const timeoutMinutes = args.timeout_minutes ?? 15;
    const viewer = viewerOf(caller);
    const found = stuck(service.heads(), { timeoutMinutes, now: service.now });
    return ok({
      stuck_agents: found.slice(0, 200).map(({ head, ...why }) => ({
        agent_id: visibleId(head.agentId, viewer).id,
        label: visibleName(head, viewer),
        status: head.status,
        ...why,
      })),
      stuck_count: found.length,
      timeout_minutes: timeoutMinutes,
      ...(found.length === 0 && { message: `No agent has been silent for more than ${timeoutMinutes} minutes.` }),
    });
  });

/** The tool that finds agents which nobody went on with, and archives them for an operator. */
export const orphanTool = (service: Lifecycle): Tool =>
  defineTool(archiveOrphanAgents, async ({ args, caller, deadline }) => {
    const limits = { maxAgeHours: args.max_age_hours ?? 6, maxUpdates: args.max_updates ?? 3 };
    const found = orphans(service.heads(), { ...limits, now: service.now });
    if (args.dry_run !== false) {
      return ok({
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
        return ok({
          status: 'archived',
          archive: { at, by: 'housekeeping', actor: operator, reason: still.reason },
          events: [
            { type: AUDIT_EVENTS.agentArchived, payload: { by: 'housekeeping', operator, reason: still.reason } },
          ],
        });
      });
      if (done.ok) archived.push(agentId);
    }
    return ok({
      dry_run: false,
      archived_count: archived.length,
      archived_agents: archived,
      found: found.length,
    });
  });
