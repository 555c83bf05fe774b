import { ERRORS, type ErrorEnvelope, type Refusal, type SuccessEnvelope } from '@breakwater/contract';
import type { Caller } from '../runtime/index.ts';
import type { Arguments, Frame } from './frame.ts';
import { experience } from './experience.ts';

type Body = Record<string, unknown>;

/** Whether the caller asked for the whole answer: `response_mode: full`, or `lite: false`. */
const wantsAll = (args: Arguments): boolean => args['response_mode'] === 'full' || args['lite'] === false;

const signatureOf = ({ agentId, assurance }: Caller) =>
  agentId === undefined ? { uuid: null } : { uuid: agentId, identity_assurance: assurance };

const isoTime = (now: number): string => new Date(now).toISOString();

/**
 * The result of a tool that did its work. The payload's own keys stand at the top for every name of the tool, because
 * clients read the decision and the metrics there; the workflow aliases add to it. The signature and the second copy
 * under `raw_governance` come only when the whole answer is asked for, so that the usual one stays small.
 */
export const successBody = (frame: Frame, payload: Readonly<Record<string, unknown>>, now: number): Body => {
  const all = wantsAll(frame.args);
  const { target, caller, normalized } = frame;
  const body: Body = { success: true, server_time: isoTime(now) };
  if (target?.alias?.kind === 'workflow') {
    body['tool'] = target.alias.name;
    Object.assign(body, payload, experience(target.entry.tool.spec.name, payload));
    if (all) body['raw_governance'] = { success: true, server_time: body['server_time'], ...payload };
  } else Object.assign(body, payload);
  if (normalized !== undefined) body['normalized_parameters'] = normalized;
  if (caller !== undefined && caller.warnings.length > 0) body['identity_warnings'] = caller.warnings;
  if (all && caller !== undefined) body['agent_signature'] = signatureOf(caller);
  return body satisfies SuccessEnvelope | Body;
};

/**
 * The result of a tool that refused: code, category, message and the way out, always (BW-dispatch.08). A detail never
 * replaces one of these, whatever it is called.
 */
export const errorBody = (refusal: Refusal, now: number): ErrorEnvelope => {
  const { category, recovery } = ERRORS[refusal.code];
  const head = {
    success: false,
    error: refusal.message,
    server_time: isoTime(now),
    error_code: refusal.code,
    error_category: category,
  } as const;
  return {
    ...head,
    ...refusal.details,
    ...head,
    recovery: refusal.recovery ?? recovery,
    ...(refusal.retryAfterSeconds !== undefined && { retry_after_seconds: refusal.retryAfterSeconds }),
  };
};
