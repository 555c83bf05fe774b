import { unavailableBody, UNAVAILABLE_RETRY_SECONDS, type ErrorCode } from '@breakwater/contract';
import type { FastifyReply } from 'fastify';

/** The reason that the 503 body gives for a refusal; not ready keeps the reference's word. */
const reasonOf = (code: ErrorCode | undefined): string | undefined =>
  code === undefined || code === 'NOT_READY' ? undefined : code.toLowerCase();

/** Why the 503 contract answered, for the measurement: the reason of the body, or that of the refusal which has none. */
export const unavailableReason = (code: ErrorCode | undefined): string => (code ?? 'NOT_READY').toLowerCase();

const reasons = new WeakMap<FastifyReply, string>();

/** Why this reply is the 503 contract's; undefined when it is not. */
export const reasonOfReply = (reply: FastifyReply): string | undefined => reasons.get(reply);

/** Answers the 503 contract, the same for every route and transport (W3-3.12, W3-10.05). */
export const sendUnavailable = (reply: FastifyReply, code?: ErrorCode): FastifyReply => {
  reasons.set(reply, unavailableReason(code));
  return reply
    .code(503)
    .header('retry-after', String(UNAVAILABLE_RETRY_SECONDS))
    .type('application/json')
    .send(JSON.stringify(unavailableBody(reasonOf(code))));
};
