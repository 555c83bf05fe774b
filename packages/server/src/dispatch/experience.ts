import { isObject } from '../runtime/index.ts';

type Payload = Readonly<Record<string, unknown>>;

interface Experience {
  /** Undefined: the payload says it already. */
  next(payload: Payload): string | undefined;
  /** Keys of the payload, by their names in the summary; dots lead into objects. */
  readonly summary: Readonly<Record<string, string>>;
}

const at = (payload: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), payload);

const paused = (payload: Payload): boolean => isObject(payload['paused']) || isObject(payload['pause']);

/** What a held agent is told next stands in the answer already, and it is told nothing else. */
const stepOf = (payload: Payload): string | undefined =>
  typeof payload['next_step'] === 'string' ? payload['next_step'] : undefined;

/**
 * What each tool says through its workflow alias. Short on purpose: the check-in's answer must stay under 1 KB whole
 * (BW-serve.08), and its decision and metrics stand beside the summary.
 */
const EXPERIENCES: Readonly<Record<string, Experience>> = {
  onboard: {
    next: (payload) =>
      paused(payload)
        ? stepOf(payload)
        : 'Send client_session_id with every call; sync_state after each piece of work.',
    summary: { is_new: 'is_new', display_name: 'display_name' },
  },
  process_agent_update: {
    next: (payload) =>
      paused(payload)
        ? undefined
        : payload['prediction_id'] == null
          ? 'Carry on.'
          : 'Then record_result with prediction_id.',
    // Everything that a summary could name stands right beside it.
    summary: {},
  },
  get_governance_metrics: {
    next: (payload) =>
      stepOf(payload) !== undefined
        ? stepOf(payload)
        : payload['status'] === 'unbound'
          ? 'Call start_session, or send client_session_id.'
          : 'Carry on, and sync_state after the next piece of work.',
    summary: { status: 'status', verdict: 'verdict', risk_score: 'metrics.risk_score' },
  },
  outcome_event: {
    next: (payload) => stepOf(payload) ?? 'Carry on; sync_state after the next piece of work.',
    summary: {
      outcome_id: 'outcome_id',
      outcome_score: 'outcome_score',
      corroboration_grade: 'corroboration_grade',
      evidence_weight: 'evidence_weight',
    },
  },
};

/** `next_action` and `state_summary` of a tool's answer; a fact that the payload lacks is left out, never made up. */
export const experience = (
  tool: string,
  payload: Payload,
): { readonly next_action?: string; readonly state_summary?: Payload } => {
  const told = Object.hasOwn(EXPERIENCES, tool) ? EXPERIENCES[tool] : undefined;
  if (told === undefined) return {};
  const summary: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(told.summary)) {
    const value = at(payload, path);
    if (value !== undefined) summary[name] = value;
  }
  const next = told.next(payload);
  return {
    ...(next !== undefined && { next_action: next }),
    ...(Object.keys(summary).length > 0 && { state_summary: summary }),
  };
};
