import { ok, readTime, refuse, TIME_RULE, type Result } from '@breakwater/contract';
import { notices as noticesSpec, report as reportSpec } from '@breakwater/contract/tools';
import type { AgentHead } from '../agents/index.ts';
import { reportWindow } from '../channel/index.ts';
import { viewerOf, visibleId, visibleName, type Viewer } from '../lifecycle/index.ts';
import { defineActions, iso, type CallOf, type Tool } from '../runtime/index.ts';
import { needed } from './needed.ts';
import type { Notices } from './service.ts';
import type { NoticeKind, NoticeRow } from './sql.ts';

type Report = CallOf<typeof reportSpec>;
type Read = CallOf<typeof noticesSpec>;

const SHOWN = 100;
const SINCE = '30d';
/** Time that a reported value may lie ahead of this server's clock. */
const AHEAD_MS = 300_000;
const RESIDENT_TAGS = ['persistent', 'autonomous'];

const findingView = ({ notice_id: id, at, agent_id: agentId, payload }: NoticeRow, viewer: Viewer) => ({
  ...payload,
  event_id: id,
  timestamp: iso(at),
  reported_by: agentId === null ? null : visibleId(agentId, viewer).id,
});

/** What was sent beside the arguments of every call, without what proves the caller. */
const sentIn = ({ args, unknownArguments }: Report): Readonly<Record<string, unknown>> => {
  const { client_session_id: _secret, continuity_token: _token, action: _action, detail, ...rest } = args;
  const given = Object.entries({ ...rest, ...unknownArguments }).filter(([, value]) => value != null);
  return { ...Object.fromEntries(given), ...(detail != null && { detail }) };
};

/** The tool by which programs report. */
const reportTool = (service: Notices): Tool => {
  const add = (kind: NoticeKind, key: string, call: Report) =>
    service.add({ kind, key, agentId: call.caller.agentId ?? null, payload: sentIn(call) });

  /** Of an agent that proves itself in the call: an anonymous one could put words into any agent's record. */
  const own = async (kind: 'runtime' | 'progress', call: Report): Promise<Result<{ observation_id: string }>> => {
    const { agentId } = call.caller;
    if (agentId === undefined) return refuse('IDENTITY_REQUIRED', `A report of ${kind} needs a proof of the agent.`);
    const { notice } = await add(kind, agentId, call);
    return ok({ observation_id: notice.notice_id });
  };

  return defineActions(reportSpec, {
    async finding(call) {
      const { type, message, severity, fingerprint } = call.args;
      if (type == null || !/^[a-z][a-z0-9_]*_finding$/.test(type)) {
        return needed('type', 'must be small letters, digits and _, and end in _finding.');
      }
      if (message == null || message === '') return needed('message', 'say what was found.');
      if (severity == null) return needed('severity', 'must be one of info, low, medium, warning, high, critical.');
      const key = fingerprint ?? `${type}:${message}`;
      const { deduped, notice } = await add('finding', key, call);
      return ok({ deduped, event: findingView(notice, viewerOf(call.caller)) });
    },

    async metric({ args: { name, value, ts } }) {
      if (name == null || !/^[\w.:/-]{1,128}$/.test(name)) {
        return needed('name', 'must be 1 to 128 letters, digits and . _ : / -.');
      }
      if (value == null || !Number.isFinite(value)) return needed('value', 'must be a finite number.');
      const at = ts == null ? service.now : readTime(ts);
      if (at === undefined) return needed('ts', `${TIME_RULE}.`);
      if (at > service.now + AHEAD_MS) return needed('ts', 'must not lie ahead.');
      const stored = await service.point(name, at, value);
      return stored.ok ? ok({ name, value, ts: iso(at) }) : stored;
    },

    async substrate(call) {
      const { slot_key: slot } = call.args;
      if (slot == null || slot === '') return needed('slot_key', 'say which session of the host it was.');
      const { notice } = await add('substrate', slot, call);
      return ok({ observation_id: notice.notice_id });
    },

    runtime: (call) => own('runtime', call),
    progress: (call) => own('progress', call),
  });
};

/** The tool by which what was reported is read. `residents`: names that the server keeps for residents. */
const noticesTool = (service: Notices, heads: () => Iterable<AgentHead>, residents: readonly string[]): Tool => {
  const windowOf = ({ args }: Read) => reportWindow(args.since ?? SINCE, args.until ?? undefined, service.now);

  const residentsNow = (viewer: Viewer) =>
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

  return defineActions(noticesSpec, {
    async findings(call) {
      const window = windowOf(call);
      if (!window.ok) return window;
      const { from, to } = window.value;
      const { severity, limit } = call.args;
      const rows = await service.findings(from, to, severity ?? null, limit ?? SHOWN);
      return ok({
        count: rows.length,
        findings: rows.map((row) => findingView(row, viewerOf(call.caller))),
      });
    },

    async series(call) {
      const window = windowOf(call);
      if (!window.ok) return window;
      const { from, to } = window.value;
      const { name, limit } = call.args;
      if (name == null || name === '') return needed('name', 'which metric; notices(action=catalog) lists them.');
      const stored = await service.series(name, from, to, limit ?? SHOWN);
      const points = stored.map(({ at, value }) => ({ ts: iso(at), value }));
      return ok({ name, count: points.length, points });
    },

    async catalog() {
      const names = await service.catalog();
      return ok({ metrics: names.map(({ newest, ...rest }) => ({ ...rest, newest: iso(newest) })) });
    },

    residents: async ({ caller }) =>
      ok({ configured: residents, residents: residentsNow(viewerOf(caller)), source: 'roster' }),

    async tag_audit({ caller }) {
      const found = residentsNow(viewerOf(caller));
      const drifted = found.filter(({ missing_tags: missing }) => missing.length > 0);
      return ok({ checked: found.length, ok: drifted.length === 0, residents: found, drifted, issues: drifted });
    },
  });
};

/** The tools by which programs report, and by which what they reported is read. */
export const noticeTools = (
  service: Notices,
  heads: () => Iterable<AgentHead>,
  residents: readonly string[],
): Tool[] => [reportTool(service), noticesTool(service, heads, residents)];
