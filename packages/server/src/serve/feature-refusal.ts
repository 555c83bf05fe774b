import { ERRORS, type ErrorCategory, type Refusal } from '@breakwater/contract';
import type { FastifyReply } from 'fastify';
import { sendRefusal } from './refusal-reply.ts';
import { sendUnavailable } from './unavailable.ts';

const NOT_FOUND: ReadonlySet<string> = new Set(['AGENT_NOT_FOUND', 'DIALECTIC_NOT_FOUND']);

const STATUS: Readonly<Record<ErrorCategory, number>> = {
  validation_error: 400,
  auth_error: 403,
  state_error: 409,
  system_error: 500,
};

/**
 * Answers a refusal of a feature that has a route of its own. The catalogue's 200 is for tools, whose refusal stands
 * inside a call that worked; here the request itself was refused, and the status says so.
 */
export const sendFeatureRefusal = (reply: FastifyReply, refusal: Refusal): FastifyReply => {
  const { status, category } = ERRORS[refusal.code];
  if (status === 503) return sendUnavailable(reply, refusal.code);
  if (NOT_FOUND.has(refusal.code)) return sendRefusal(reply, refusal, 404);
  if (refusal.code === 'RATE_LIMIT_EXCEEDED') return sendRefusal(reply, refusal, 429);
  return sendRefusal(reply, refusal, status === 200 ? STATUS[category] : status);
};
