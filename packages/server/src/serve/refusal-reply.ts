import { ERRORS, type Refusal } from '@breakwater/contract';
import type { FastifyReply } from 'fastify';

/** The body of a refusal of the transport itself. */
export const refusalText = (refusal: Refusal): string =>
  JSON.stringify({
    success: false,
    error: refusal.message,
    error_code: refusal.code,
    error_category: ERRORS[refusal.code].category,
    ...refusal.details,
    ...(refusal.retryAfterSeconds !== undefined && { retry_after_seconds: refusal.retryAfterSeconds }),
    recovery: refusal.recovery ?? ERRORS[refusal.code].recovery,
  });

/**
 * Answers a refusal of the transport itself: `{success: false, error, error_code, …details, recovery}` with the
 * catalogue's status. Refusals of a tool do not come here; they stand in the tool's result.
 */
export const sendRefusal = (
  reply: FastifyReply,
  refusal: Refusal,
  status: number = ERRORS[refusal.code].status,
): FastifyReply => {
  const { retryAfterSeconds } = refusal;
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(Math.ceil(retryAfterSeconds)));
  return reply.code(status).type('application/json').send(refusalText(refusal));
};
