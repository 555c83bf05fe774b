import { wireNumbers } from './wire-numbers.ts';

/** A pause in force, as far as the refusal of a check-in tells of it. Times are ISO 8601, UTC. */
interface PauseInForce {
  readonly paused_at: string;
  readonly expires_at: string | null;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>>;
}

interface PausedDetails {
  readonly message: string;
  readonly details: {
    readonly paused_at: string;
    readonly reason: string;
    readonly evidence: unknown;
  };
  readonly recovery: {
    readonly action: string;
    readonly tools: readonly string[];
    readonly related_tools: readonly string[];
    readonly expires_at: string | null;
  };
}

/** What still answers while paused and helps to understand why. */
const TOOLS = ['check_working_state', 'record_result'] as const;
/** Evidence beyond this many characters is left for the agent's own reading, so that a refusal stays below 1 KB. */
const MOST_EVIDENCE = 380;

/** The part of the evidence that fits: the schema and the measurement's figures, as many as there is room for. */
const fitting = (evidence: Readonly<Record<string, unknown>>): unknown => {
  const whole = wireNumbers(evidence) as Record<string, unknown>;
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

/** What a paused agent is told when it checks in: since when, why, on what evidence, and the way out (BW-checkin.05). */
export const pausedDetails = (pause: PauseInForce): PausedDetails => ({
  message: `Paused: ${pause.reason}`,
  details: { paused_at: pause.paused_at, reason: pause.reason, evidence: fitting(pause.evidence) },
  recovery: {
    action:
      pause.expires_at === null
        ? 'Stop acting and read the evidence; an operator ends this pause.'
        : 'Stop acting and read the evidence; the pause ends by itself at expires_at.',
    tools: TOOLS,
    related_tools: TOOLS,
    expires_at: pause.expires_at,
  },
});
