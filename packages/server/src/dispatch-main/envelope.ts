import { ERRORS, type Refusal, type ToolAlias } from '@breakwater/contract';
import type { Normalised } from './arguments.ts';

type Body = Record<string, unknown>;

/** What agents should do after a workflow call. */
const NEXT: Readonly<Record<string, string>> = {
  onboard: 'sync_state',
  process_agent_update: 'record_result',
  outcome_event: 'sync_state',
};

export interface EnvelopeFacts {
  /** ISO 8601, UTC. */
  readonly serverTime: string;
  readonly tool: string;
  readonly alias: ToolAlias | undefined;
  readonly normalised: Readonly<Record<string, Normalised>>;
  /** The caller asked for everything: the canonical payload is repeated under `raw_governance`. */
  readonly whole: boolean;
  readonly agentId: string | undefined;
}

/**
 * The result of a call that succeeded. Payload keys stand at the top level under every name of the tool, so that a
 * client that reads `decision`, `verdict` or `metrics` finds them; the workflow aliases add which tool answered and what
 * comes next.
 */
export const successBody = (payload: Readonly<Body>, facts: EnvelopeFacts): Body => {
  const next = facts.alias?.kind === 'workflow' ? NEXT[facts.tool] : undefined;
  const body: Body = { success: true, server_time: facts.serverTime };
  if (facts.alias?.kind === 'workflow') body['tool'] = facts.alias.name;
  Object.assign(body, payload);
  if (next !== undefined && payload['paused'] === undefined) body['next_action'] = next;
  if (Object.keys(facts.normalised).length > 0) body['normalized_parameters'] = facts.normalised;
  if (facts.whole) {
    if (facts.alias?.kind === 'workflow') body['raw_governance'] = { success: true, ...payload };
    body['agent_signature'] = { uuid: facts.agentId ?? null };
  }
  return body;
};

/** The result of a call that was refused: code, category, message and the way out, always (BW-dispatch.08). */
export const refusalBody = (refusal: Refusal, serverTime: string): Body => {
  const { category, recovery } = ERRORS[refusal.code];
  return {
    success: false,
    error: refusal.message,
    server_time: serverTime,
    error_code: refusal.code,
    error_category: category,
    ...refusal.details,
    ...(refusal.retryAfterSeconds !== undefined && { retry_after_seconds: refusal.retryAfterSeconds }),
    recovery: { ...recovery, ...refusal.recovery },
  };
};
