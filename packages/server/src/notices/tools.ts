import {
  accept,
  CLAIMS_LIMITS,
  config as configSpec,
  notices as noticesSpec,
  NOT_OFFERED,
  notOffered,
  observe as observeSpec,
  readTime,
  refuse,
  report as reportSpec,
  TIME_RULE,
  type Outcome,
} from '@breakwater/contract';
import type { AgentHead } from '../agents/index.ts';
import { reportWindow } from '../channel/index.ts';
import { DEFAULT_LOOP_LIMITS } from '../checkin/index.ts';
import { visibleId, visibleName, visibleText, type Viewer } from '../lifecycle/index.ts';
import { defineTool, type Caller, type Tool, type ToolCall } from '../runtime/index.ts';
import { anomaliesOf, meansOf, measuresOf, similarTo } from './rules/fleet.ts';
import type { Notices } from './service.ts';
import type { NoticeKind, NoticeRow } from './sql.ts';

type Payload = Readonly<Record<string, unknown>>;
type Report = ToolCall<typeof reportSpec.input._zod.output>;
type Observe = ToolCall<typeof observeSpec.input._zod.output>;

const SHOWN = 100;
const SINCE = '30d';
/** Time that a reported value may lie ahead of this server's clock. */
const AHEAD_MS = 300_000;
const RESIDENT_TAGS = ['persistent', 'autonomous'];

const iso = (ms: number): string => new Date(ms).toISOString();

const needed = (parameter: string, why: string) =>
  refuse('PARAMETER_ERROR', `${parameter}: ${why}`, { details: { parameter } });

const viewerOf = ({ agentId, operator }: Caller): Viewer => ({ agentId, operator: operator !== undefined });

const findingView = ({ notice_id: id, at, agent_id: agentId, payload }: NoticeRow, viewer: Viewer): Payload => ({
  ...payload,
  event_id: id,
  timestamp: iso(at),
  reported_by: agentId === null ? null : visibleId(agentId, viewer).id,
});

/** The tools by which programs report, and by which what they reported is read. */
export const noticeTools = (
  service: Notices,
  heads: () => Iterable<AgentHead>,
  residents: readonly string[],
): Tool[] => {
  /** What was sent beside the arguments of every call, without what proves the caller. */
  const sent = ({ args, unknownArguments }: Report): Payload => {
    const { client_session_id: _secret, continuity_token: _token, action: _action, detail, ...rest } = args;
    const given = Object.entries({ ...rest, ...unknownArguments }).filter(([, value]) => value != null);
    return { ...Object.fromEntries(given), ...(detail != null && { detail }) };
  };
  const add = (kind: NoticeKind, key: string, call: Report) =>
    service.add({ kind, key, agentId: call.caller.agentId ?? null, payload: sent(call) });

  const finding = async (call: Report): Promise<Outcome<Payload>> => {
    const { type, message, severity, fingerprint } = call.args;
    if (type == null || !/^[a-z][a-z0-9_]*_finding$/.test(type)) {
      return needed('type', 'must be small letters, digits and _, and end in _finding.');
    }
    if (message == null || message === '') return needed('message', 'say what was found.');
    if (severity == null) return needed('severity', 'must be one of info, low, medium, warning, high, critical.');
    const key = fingerprint ?? `${type}:${message}`;
    const { deduped, notice } = await add('finding', key, call);
    return accept({ deduped, event: findingView(notice, viewerOf(call.caller)) });
  };

  const metric = async ({ args }: Report): Promise<Outcome<Payload>> => {
    const { name, value, ts } = args;
    if (name == null || !/^[\w.:/-]{1,128}$/.test(name)) {
      return needed('name', 'must be 1 to 128 letters, digits and . _ : / -.');
    }
    if (value == null || !Number.isFinite(value)) return needed('value', 'must be a finite number.');
    const at = ts == null ? service.now : readTime(ts);
    if (at === undefined) return needed('ts', `${TIME_RULE}.`);
    if (at > service.now + AHEAD_MS) return needed('ts', 'must not lie ahead.');
    const stored = await service.point(name, at, value);
    return stored.ok ? accept({ name, value, ts: iso(at) }) : stored;
  };

  const substrate = async (call: Report): Promise<Outcome<Payload>> => {
    const { slot_key: slot } = call.args;
    if (slot == null || slot === '') return needed('slot_key', 'say which session of the host it was.');
    const { notice } = await add('substrate', slot, call);
    return accept({ observation_id: notice.notice_id });
  };

  /** Of an agent that proves itself in the call: an anonymous one could put words into any agent's record. */
  const own = async (kind: 'runtime' | 'progress', call: Report): Promise<Outcome<Payload>> => {
    const { agentId } = call.caller;
    if (agentId === undefined) return refuse('IDENTITY_REQUIRED', `A report of ${kind} needs a proof of the agent.`);
    const { notice } = await add(kind, agentId, call);
    return accept({ observation_id: notice.notice_id });
  };

  const REPORTS = {
    finding,
    metric,
    substrate,
    runtime: (call: Report) => own('runtime', call),
    progress: (call: Report) => own('progress', call),
  } as const;

  const residentsNow = (viewer: Viewer): Payload[] =>
    [...heads()]
      .filter(({ status, tags }) => status !== 'deleted' && status !== 'archived' && tags.includes('persistent'))
      .map((head) => ({
        agent_id: visibleId(head.agentId, viewer).id,
        label: visibleName(head, viewer),
        status: head.status,
        tags: head.tags,
        missing_tags: RESIDENT_TAGS.filter((tag) => !head.tags.includes(tag)),
        total_updates: head.updateCount,
        last_update: head.lastActivityAt === null ? null : iso(head.lastActivityAt),
      }));

  return [
    defineTool(reportSpec, async (call) => {
      const { action } = call.args;
      if (action == null) return needed('action', `must be one of ${Object.keys(REPORTS).join(', ')}.`);
      return REPORTS[action](call);
    }),
    defineTool(noticesSpec, async ({ args, caller }) => {
      const viewer = viewerOf(caller);
      const action = args.action ?? 'findings';
      const limit = args.limit ?? SHOWN;
      if (action === 'residents') {
        return accept({ configured: residents, residents: residentsNow(viewer), source: 'roster' });
      }
      if (action === 'tag_audit') {
        const found = residentsNow(viewer);
        const drifted = found.filter((resident) => (resident['missing_tags'] as string[]).length > 0);
        return accept({ checked: found.length, ok: drifted.length === 0, residents: found, drifted, issues: drifted });
      }
      if (action === 'catalog') {
        const names = await service.catalog();
        return accept({ metrics: names.map(({ newest, ...rest }) => ({ ...rest, newest: iso(newest) })) });
      }
      const window = reportWindow(args.since ?? SINCE, args.until ?? undefined, service.now);
      if (!window.ok) return window;
      const { from, to } = window.value;
      if (action === 'findings') {
        const rows = await service.findings(from, to, args.severity ?? null, limit);
        return accept({ count: rows.length, findings: rows.map((row) => findingView(row, viewer)) });
      }
      if (args.name == null || args.name === '')
        return needed('name', 'which metric; notices(action=catalog) lists them.');
      const points = (await service.series(args.name, from, to, limit)).map(({ at, value }) => ({
        ts: iso(at),
        value,
      }));
      return accept({ name: args.name, count: points.length, points });
    }),
  ];
};

const instead = (message: string) => refuse('NOT_OFFERED', message);

/** Parts of the fleet that the reference's tools of these names show, and that are looked at elsewhere here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  telemetry: 'Telemetry is at GET /metrics, for Prometheus, and in breakwater channel report.',
  audit_events: 'The audit trail is for operators: breakwater export --what audit, or an agent in the console.',
  outcome_evidence: 'Whether results bear out claims: calibration(action=check), or an agent in the console.',
  bridge: 'There is no bridge to a chat here; GET /api/events and /ws/eisv are what one would read.',
};

/** The tools that show the fleet at once, from memory, and those that say what is not here. */
export const fleetTools = (options: {
  readonly heads: () => Iterable<AgentHead>;
  readonly find: (target: string) => Promise<Outcome<AgentHead>>;
  readonly pauseHours: number;
  readonly updatesPerMinute: number;
}): Tool[] => {
  const { heads, find } = options;
  const view = (head: AgentHead, viewer: Viewer): Payload => ({
    agent_id: visibleId(head.agentId, viewer).id,
    label: visibleName(head, viewer),
    status: head.status,
    total_updates: head.updateCount,
    verdict: head.vitals?.verdict ?? null,
    metrics: measuresOf(head),
    at: head.vitals?.at ?? null,
  });
  const targetOf = ({ args, caller }: Observe): Promise<Outcome<AgentHead>> => {
    const target = args.target_agent_id ?? args.agent_id ?? caller.agentId;
    return target == null
      ? Promise.resolve(needed('target_agent_id', 'name the agent, or prove that you are one.'))
      : find(target);
  };

  const observe = async (call: Observe): Promise<Outcome<Payload>> => {
    const { args, caller } = call;
    const viewer = viewerOf(caller);
    const action = args.action ?? 'anomalies';
    const most = args.limit ?? 50;
    switch (action) {
      case 'agent': {
        const head = await targetOf(call);
        return head.ok ? accept({ observation: view(head.value, viewer), ...view(head.value, viewer) }) : head;
      }
      case 'similar': {
        const head = await targetOf(call);
        if (!head.ok) return head;
        const similar = similarTo(head.value, heads(), args.limit ?? 3);
        return accept({
          agent: view(head.value, viewer),
          similar_agents: similar.map(({ head: other, distance }) => ({ ...view(other, viewer), distance })),
        });
      }
      case 'compare': {
        const asked = args.agent_ids ?? [];
        if (asked.length < 2) return needed('agent_ids', 'name at least two agents.');
        const compared: Payload[] = [];
        for (const target of asked) {
          const head = await find(target);
          if (!head.ok) return head;
          compared.push(view(head.value, viewer));
        }
        return accept({ agents: compared, compared: compared.length });
      }
      case 'anomalies': {
        const { anomalies, looked } = anomaliesOf(heads(), CLAIMS_LIMITS.guide, args.min_severity ?? 'low');
        const byId = new Map([...heads()].map((head) => [head.agentId, head]));
        return accept({
          anomalies: anomalies.slice(0, most).map(({ agentId, type, severity, value, says, at }) => {
            const head = byId.get(agentId);
            return {
              agent_id: visibleId(agentId, viewer).id,
              agent_name: head && visibleName(head, viewer),
              type,
              severity,
              value,
              description: visibleText(says, viewer),
              timestamp: at,
            };
          }),
          count: anomalies.length,
          agents_analyzed: looked,
          not_looked_for: ['coherence_drop'],
        });
      }
      case 'aggregate': {
        const { agents, measured, means } = meansOf(heads());
        return accept({ aggregate: { total_agents: agents, agents_with_data: measured, means } });
      }
      default:
        return instead(ELSEWHERE[action] ?? 'This server does not show that.');
    }
  };

  return [
    defineTool(observeSpec, observe),
    defineTool(configSpec, async ({ args }) => {
      if (args.action === 'set') {
        return instead(
          'Thresholds are set by nobody over a call: settings (BREAKWATER_…) are read at the start, and operators set switches with the tool flags.',
        );
      }
      const { burst: _burst, ...loops } = DEFAULT_LOOP_LIMITS;
      return accept({
        thresholds: {
          claims_guide: CLAIMS_LIMITS.guide,
          claims_pause: CLAIMS_LIMITS.pause,
          claims_least_graded: CLAIMS_LIMITS.leastGraded,
          loop_same_topic: loops.sameTopic,
          loop_same_topic_window_seconds: loops.sameTopicWindowMs / 1000,
          loop_updates_per_minute: options.updatesPerMinute === 0 ? null : options.updatesPerMinute,
          loop_pauses: loops.pauses,
          loop_pauses_window_seconds: loops.pausesWindowMs / 1000,
          pause_hours: options.pauseHours,
        },
        settable: false,
      });
    }),
    defineTool(notOffered, async ({ args }) => {
      const name = args.name ?? '';
      return instead(NOT_OFFERED[name] ?? 'This server has no such tool; list_tools shows what there is.');
    }),
  ];
};
