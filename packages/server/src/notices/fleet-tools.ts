import { NOT_OFFERED, ok, CLAIMS_LIMITS, refuse, type Result } from '@breakwater/contract';
import { config as configSpec, notOffered, observe as observeSpec } from '@breakwater/contract/tools';
import type { AgentHead } from '../agents/index.ts';
import { DEFAULT_LOOP_LIMITS } from '../checkin/index.ts';
import { viewerOf, visibleId, visibleName, visibleText, type Viewer } from '../lifecycle/index.ts';
import { defineActions, defineTool, type CallOf, type Tool } from '../runtime/index.ts';
import { needed } from './needed.ts';
import { anomaliesOf, meansOf, measuresOf, similarTo } from './rules/fleet.ts';

const instead = (message: string) => refuse('NOT_OFFERED', message);

/** Parts of the fleet that the reference's tools of these names show, and that are looked at elsewhere here. */
const ELSEWHERE = {
  telemetry: 'Telemetry is at GET /metrics, for Prometheus, and in breakwater channel report.',
  audit_events: 'The audit trail is for operators: breakwater export --what audit, or an agent in the console.',
  outcome_evidence: 'Whether results bear out claims: calibration(action=check), or an agent in the console.',
  bridge: 'There is no bridge to a chat here; GET /api/events and /ws/eisv are what one would read.',
} as const;

const viewOf = (head: AgentHead, viewer: Viewer) => ({
  agent_id: visibleId(head.agentId, viewer).id,
  label: visibleName(head, viewer),
  status: head.status,
  total_updates: head.updateCount,
  verdict: head.vitals?.verdict ?? null,
  metrics: measuresOf(head),
  at: head.vitals?.at ?? null,
});

/** The tool that shows the fleet at once, from memory. */
const observeTool = (heads: () => Iterable<AgentHead>, find: (target: string) => Promise<Result<AgentHead>>): Tool => {
  const targetOf = ({ args, caller }: CallOf<typeof observeSpec>): Promise<Result<AgentHead>> => {
    const target = args.target_agent_id ?? args.agent_id ?? caller.agentId;
    return target == null
      ? Promise.resolve(needed('target_agent_id', 'name the agent, or prove that you are one.'))
      : find(target);
  };

  return defineActions(observeSpec, {
    async agent(call) {
      const head = await targetOf(call);
      if (!head.ok) return head;
      const view = viewOf(head.value, viewerOf(call.caller));
      return ok({ observation: view, ...view });
    },

    async similar(call) {
      const head = await targetOf(call);
      if (!head.ok) return head;
      const viewer = viewerOf(call.caller);
      const similar = similarTo(head.value, heads(), call.args.limit ?? 3);
      return ok({
        agent: viewOf(head.value, viewer),
        similar_agents: similar.map(({ head: other, distance }) => ({ ...viewOf(other, viewer), distance })),
      });
    },

    async compare({ args, caller }) {
      const asked = args.agent_ids ?? [];
      if (asked.length < 2) return needed('agent_ids', 'name at least two agents.');
      const compared: ReturnType<typeof viewOf>[] = [];
      for (const target of asked) {
        const head = await find(target);
        if (!head.ok) return head;
        compared.push(viewOf(head.value, viewerOf(caller)));
      }
      return ok({ agents: compared, compared: compared.length });
    },

    async anomalies({ args, caller }) {
      const viewer = viewerOf(caller);
      const { anomalies, looked } = anomaliesOf(heads(), CLAIMS_LIMITS.guide, args.min_severity ?? 'low');
      return ok({
        anomalies: anomalies.slice(0, args.limit ?? 50).map(({ head, type, severity, value, says, at }) => ({
          agent_id: visibleId(head.agentId, viewer).id,
          agent_name: visibleName(head, viewer),
          type,
          severity,
          value,
          description: visibleText(says, viewer),
          timestamp: at,
        })),
        count: anomalies.length,
        agents_analyzed: looked,
        not_looked_for: ['coherence_drop'],
      });
    },

    async aggregate() {
      const { agents, measured, means } = meansOf(heads());
      return ok({ aggregate: { total_agents: agents, agents_with_data: measured, means } });
    },

    telemetry: async () => instead(ELSEWHERE.telemetry),
    audit_events: async () => instead(ELSEWHERE.audit_events),
    outcome_evidence: async () => instead(ELSEWHERE.outcome_evidence),
    bridge: async () => instead(ELSEWHERE.bridge),
  });
};

/** The tool that shows the thresholds. */
const configTool = (pauseHours: number, updatesPerMinute: number): Tool =>
  defineActions(configSpec, {
    async get() {
      const loops = DEFAULT_LOOP_LIMITS;
      return ok({
        thresholds: {
          claims_guide: CLAIMS_LIMITS.guide,
          claims_pause: CLAIMS_LIMITS.pause,
          claims_least_graded: CLAIMS_LIMITS.leastGraded,
          loop_same_topic: loops.sameTopic,
          loop_same_topic_window_seconds: loops.sameTopicWindowMs / 1000,
          loop_updates_per_minute: updatesPerMinute === 0 ? null : updatesPerMinute,
          loop_pauses: loops.pauses,
          loop_pauses_window_seconds: loops.pausesWindowMs / 1000,
          pause_hours: pauseHours,
        },
        settable: false,
      });
    },

    set: async () =>
      instead(
        'Thresholds are set by nobody over a call: settings (BREAKWATER_…) are read at the start, and operators set switches with the tool flags.',
      ),
  });

/** The tools that show the fleet at once, from memory, and those that say what is not here. */
export const fleetTools = (options: {
  readonly heads: () => Iterable<AgentHead>;
  readonly find: (target: string) => Promise<Result<AgentHead>>;
  readonly pauseHours: number;
  readonly updatesPerMinute: number;
}): Tool[] => [
  observeTool(options.heads, options.find),
  configTool(options.pauseHours, options.updatesPerMinute),
  defineTool(notOffered, async ({ args }) => {
    const name = args.name ?? '';
    return instead(NOT_OFFERED[name] ?? 'This server has no such tool; list_tools shows what there is.');
  }),
];
