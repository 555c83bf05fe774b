import { hash } from 'node:crypto';
import type { AgentHead } from '../../agents/index.ts';
import type { Caller } from '../../runtime/index.ts';

/** Who reads. Every operator may read all; an agent knows its own id only. */
export interface Viewer {
  readonly agentId: string | undefined;
  readonly operator: boolean;
}

/** Who reads by this call. */
export const viewerOf = ({ agentId, operator }: Pick<Caller, 'agentId' | 'operator'>): Viewer => ({
  agentId,
  operator: operator !== undefined,
});

/** A uuid as it is written, with its dashes anywhere in a text, or without them as a word of its own. */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/gi;

const undashed = (id: string): string => id.toLowerCase().replaceAll('-', '');

const dashed = (id: string): string => undashed(id).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

/** A stable name for an agent that tells nothing of its uuid: no prefix of it, since session ids were made of one. */
const redactedId = (agentId: string): string => `agent-redacted-${hash('sha256', dashed(agentId)).slice(0, 12)}`;

/** An agent id as this viewer may see it (BW-identity.14). */
export const visibleId = (agentId: string, viewer: Viewer): { readonly id: string; readonly redacted: boolean } =>
  viewer.operator || viewer.agentId === agentId
    ? { id: agentId, redacted: false }
    : { id: redactedId(agentId), redacted: true };

/** A text that somebody wrote, without the uuids of other agents. */
export const visibleText = <T extends string | null>(text: T, viewer: Viewer): T | string =>
  text === null || viewer.operator
    ? text
    : text.replace(UUID, (id) =>
        viewer.agentId !== undefined && undashed(id) === undashed(viewer.agentId) ? id : redactedId(id),
      );

/** A name without the piece of the agent's own uuid that makes it unique, and without what follows it. */
export const withoutOwnId = (name: string, agentId: string): string => {
  const start = name.toLowerCase().indexOf(agentId.slice(0, 8).toLowerCase());
  return start === -1 ? name : name.slice(0, start).replace(/[\s_.:(-]+$/, '');
};

/** The name of an agent for this viewer: its label, or else its handle. */
export const visibleName = (head: AgentHead, viewer: Viewer): string => {
  const name = head.label ?? head.handle;
  if (viewer.operator || viewer.agentId === head.agentId) return name;
  const short = withoutOwnId(name, head.agentId) || withoutOwnId(head.handle, head.agentId) || 'agent';
  return visibleText(short, viewer);
};
