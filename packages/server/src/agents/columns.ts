import type { AgentHead, AgentStatus } from './agent.ts';

/** Every status, in the order of their words: their places sort as they do. */
export const STATUSES = [
  'active',
  'archived',
  'deleted',
  'disabled',
  'paused',
  'waiting_input',
] as const satisfies readonly AgentStatus[];

// What lists ask of each agent (see Columns): of a fleet in memory, a look at the agents themselves costs far more than a
// look at a column of numbers.

/** The place of an agent's status among {@link STATUSES}. */
export const statusOf = ({ status }: AgentHead): number => STATUSES.indexOf(status);

/** When an agent was last at work, ms since the epoch, UTC; before its first work, its birth. */
export const activityOf = ({ lastActivityAt, createdAt }: AgentHead): number => lastActivityAt ?? createdAt;

export const createdOf = ({ createdAt }: AgentHead): number => createdAt;

export const updatesOf = ({ updateCount }: AgentHead): number => updateCount;

export const idOf = ({ agentId }: AgentHead): string => agentId;

/** The first letters of an id as a number that sorts as they do: of most ids it says enough, and is far sooner compared. */
export const idStartOf = ({ agentId }: AgentHead): number =>
  [0, 1, 2].reduce((start, i) => start * 0x10000 + (agentId.charCodeAt(i) || 0), 0);

export const parentOf = ({ parentAgentId }: AgentHead): string | null => parentAgentId;

/** Whether an agent may be under a pause of its own; whether that still holds, the clock says. */
export const mayBeHeld = ({ status, pause }: AgentHead): boolean => pause !== null || status === 'paused';
