import { unavailableBody, UNAVAILABLE_RETRY_SECONDS, type ErrorCode } from '@breakwater/contract';
import type { FastifyReply } from 'fastify';

/** The reason that the 503 body gives for a refusal; not ready keeps the reference's word. */
const reasonOf = (code: ErrorCode | undefined): string | undefined =>
  code === undefined || code === 'NOT_READY' ? undefined : code.toLowerCase();

/** Answers the 503 contract, the same for every route and transport (W3-3.12, W3-10.05). */
export const sendUnavailable = (reply: FastifyReply, code?: ErrorCode): FastifyReply =>
  reply
    .code(503)
    .header('retry-after', String(UNAVAILABLE_RETRY_SECONDS))
    .type('application/json')
    .send(JSON.stringify(unavailableBody(reasonOf(code))));
