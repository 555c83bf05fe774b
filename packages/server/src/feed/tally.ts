import type { AgentCommit } from '../agents/index.ts';

/** How often something was so, by its name. Names are the server's own and few. */
export type Counts = Readonly<Record<string, number>>;

/** What this node has committed since its start. */
export interface FleetTally {
  /** Hears of a change that this node committed; gives the verdict when it was a check-in. */
  observe(commit: AgentCommit): string | undefined;
  /** Check-ins by verdict. */
  readonly checkIns: Counts;
  /** Pauses put in force, by their sub-action. */
  readonly pauses: Counts;
  /** Outcomes by how they are known. */
  readonly outcomes: Counts;
}

/** What is counted from the start, so that its first time is seen as a change; other names come when they come. */
const VERDICTS = ['proceed', 'guide', 'pause', 'reject'];
const PAUSES = ['claims_pause', 'cirs_block', 'risk_pause', 'reject', 'conditions_pause'];
const GRADES = ['claim_only', 'self_report_with_refs', 'tool_observed', 'substrate_observed', 'externally_verified'];

const zeros = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 0]));

/** Counts what check-ins come to. Adds a handful of nanoseconds to each. */
export const createFleetTally = (): FleetTally => {
  const [checkIns, pauses, outcomes] = [zeros(VERDICTS), zeros(PAUSES), zeros(GRADES)];
  const count = (counts: Record<string, number>, name: string) => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return {
    observe({ change }) {
      if (change.pause != null) count(pauses, change.pause.sub_action);
      if (change.outcomes !== undefined) for (const { grade } of change.outcomes) count(outcomes, grade);
      if (change.countsUpdate !== true || change.vitals === undefined) return undefined;
      count(checkIns, change.vitals.verdict);
      return change.vitals.verdict;
    },
    checkIns,
    pauses,
    outcomes,
  };
};
