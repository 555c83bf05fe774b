import type { DriftBaselineRow } from './change.ts';

/**
 * What features remember about an agent between calls. Each feature declares its own part where it defines it
 * (`declare module`), so that this floor knows none of them and everybody else needs no type parameter.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- the features fill it
export interface AgentMemory {}

/** How an agent's memory comes back from PostgreSQL. */
export interface MemoryCodec {
  restore(stored: {
    /** state_json of the newest check-in; null before the first. */
    readonly state: Readonly<Record<string, unknown>> | null;
    /** Row of core.agent_baselines; null before the first check-in. */
    readonly drift: DriftBaselineRow | null;
    readonly evidence: Readonly<Record<string, unknown>>;
  }): AgentMemory;
}
