import type { Pause } from '../../agents/agent.ts';
import { wireNumbers } from './wire-numbers.ts';

/** Evidence beyond this many characters is left for the agent's own reading, so that a refusal stays below 1 KB. */
const MOST_EVIDENCE = 380;

/** The part of the evidence that fits: the schema and the measurement's figures, as many as there is room for. */
const fitting = (evidence: Readonly<Record<string, unknown>>): unknown => {
  const whole = wireNumbers(evidence);
  if (JSON.stringify(whole).length <= MOST_EVIDENCE) return whole;
  const { schema = null, measurement } = whole;
  let short: Record<string, unknown> = { schema, measurement: {}, shortened: true };
  // The claims detector's figures first: they are what an agent can dispute.
  const figures = Object.entries((measurement ?? {}) as Record<string, unknown>).sort(
    ([a], [b]) => Number(b === 'claims') - Number(a === 'claims'),
  );
  for (const [name, figure] of figures) {
    const longer = { ...short, measurement: { ...(short['measurement'] as object), [name]: figure } };
    if (JSON.stringify(longer).length <= MOST_EVIDENCE) short = longer;
  }
  return short;
};

/** A pause in force, as far as the refusal of a check-in tells of it. Times are ISO 8601, UTC. */
type PauseInForce = Pick<Pause, 'paused_at' | 'expires_at' | 'reason' | 'evidence'>;

/** What a held agent is told when it checks in: since when, why, on what evidence, and its one next step (BW-checkin.05). */
export const pausedDetails = (
  pause: PauseInForce | null,
  step: { readonly say: string; readonly tools: readonly string[] },
) => ({
  details: {
    paused_at: pause?.paused_at ?? null,
    reason: pause?.reason ?? null,
    evidence: pause === null ? null : fitting(pause.evidence),
  },
  recovery: {
    action: step.say,
    tools: step.tools,
    related_tools: step.tools,
    expires_at: pause?.expires_at ?? null,
  },
});
