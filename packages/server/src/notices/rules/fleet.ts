import type { AgentHead, Vitals } from '../../agents/agent.ts';

/** The numbers that agents are compared by. */
const MEASURES = ['E', 'I', 'S', 'V', 'risk'] as const;
type Measure = (typeof MEASURES)[number];

type Severity = 'low' | 'medium' | 'high';
const RANK: Readonly<Record<Severity, number>> = { low: 0, medium: 1, high: 2 };

/** Something about an agent that a person should look at. */
export interface Anomaly {
  readonly head: AgentHead;
  readonly type: 'paused' | 'claims' | 'risk_spike';
  readonly severity: Severity;
  readonly value: number | null;
  readonly says: string;
  /** ISO 8601, UTC. */
  readonly at: string | null;
}

const round = (value: number): number => Math.round(value * 1e4) / 1e4;

const isPresent = ({ status }: AgentHead): boolean => status === 'active' || status === 'paused';

/** Risk from which the newest update is worth a look, and from which it is high. */
const SPIKE = 0.6;
const HIGH = 0.8;

/**
 * What is out of the ordinary now, the most severe first: pauses, claims that results do not bear out (`claimsGuide` is
 * where the detector begins to guide), and a newest risk far above. Coherence is a constant here, so nothing is said of it.
 */
export const anomaliesOf = (
  heads: Iterable<AgentHead>,
  claimsGuide: number,
  least: Severity,
): { readonly anomalies: readonly Anomaly[]; readonly looked: number } => {
  const anomalies: Anomaly[] = [];
  let looked = 0;
  for (const head of heads) {
    if (!isPresent(head)) continue;
    looked += 1;
    const { vitals, pause } = head;
    const at = vitals?.at ?? null;
    if (head.status === 'paused') {
      const says = pause?.reason ?? 'It is paused.';
      anomalies.push({ head, type: 'paused', severity: 'high', value: null, says, at: pause?.paused_at ?? at });
    }
    if (vitals === null) continue;
    if (vitals.claims >= claimsGuide) {
      const says = 'Its results fall short of its claims.';
      anomalies.push({ head, type: 'claims', severity: 'medium', value: round(vitals.claims), says, at });
    }
    if (vitals.risk_latest >= SPIKE) {
      const severity = vitals.risk_latest >= HIGH ? 'high' : 'medium';
      const says = 'The risk of its newest check-in is high.';
      anomalies.push({ head, type: 'risk_spike', severity, value: round(vitals.risk_latest), says, at });
    }
  }
  const kept = anomalies.filter(({ severity }) => RANK[severity] >= RANK[least]);
  kept.sort((a, b) => RANK[b.severity] - RANK[a.severity] || (a.head.agentId < b.head.agentId ? -1 : 1));
  return { anomalies: kept, looked };
};

const measured = (vitals: Vitals): Record<Measure, number> => ({
  E: round(vitals.E),
  I: round(vitals.I),
  S: round(vitals.S),
  V: round(vitals.V),
  risk: round(vitals.risk),
});

/** The numbers of one agent; null before its first check-in. */
export const measuresOf = (head: AgentHead): Record<Measure, number> | null =>
  head.vitals === null ? null : measured(head.vitals);

/** The means of all present agents that have checked in; null where there is none. */
export const meansOf = (
  heads: Iterable<AgentHead>,
): { readonly agents: number; readonly measured: number; readonly means: Record<Measure, number> | null } => {
  const sums: Record<Measure, number> = { E: 0, I: 0, S: 0, V: 0, risk: 0 };
  let agents = 0;
  let count = 0;
  for (const head of heads) {
    if (!isPresent(head)) continue;
    agents += 1;
    if (head.vitals === null) continue;
    count += 1;
    for (const measure of MEASURES) sums[measure] += head.vitals[measure];
  }
  if (count === 0) return { agents, measured: 0, means: null };
  for (const measure of MEASURES) sums[measure] = round(sums[measure] / count);
  return { agents, measured: count, means: sums };
};

/** The present agents nearest to one by E, I, S and V, the nearest first, with how far they are. */
export const similarTo = (
  head: AgentHead,
  heads: Iterable<AgentHead>,
  most: number,
): readonly { readonly head: AgentHead; readonly distance: number }[] => {
  const own = head.vitals;
  if (own === null) return [];
  const found: { head: AgentHead; distance: number }[] = [];
  for (const other of heads) {
    if (other.agentId === head.agentId || !isPresent(other) || other.vitals === null) continue;
    const { E, I, S, V } = other.vitals;
    found.push({ head: other, distance: round(Math.hypot(E - own.E, I - own.I, S - own.S, V - own.V)) });
  }
  found.sort((a, b) => a.distance - b.distance || (a.head.agentId < b.head.agentId ? -1 : 1));
  return found.slice(0, most);
};
