import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { DispatchReply } from '../dispatch/index.ts';
import { UNKNOWN_TOOL } from './tool-calls.ts';

/** What a request called; a batch of MCP keeps the last call of it. */
interface Called {
  readonly tool: string;
  readonly agent_id?: string;
  readonly error_code?: string;
}

/** One line of the log for each request, and what is to stand in it. */
export interface RequestLog {
  /** Keeps which tool a request called, and who called it, for the request's line. */
  called(request: FastifyRequest, reply: DispatchReply): void;
  /** Writes the line of a request that was answered. */
  answered(request: FastifyRequest, reply: FastifyReply): void;
}

const SILENT: RequestLog = { called: () => undefined, answered: () => undefined };

const factsOf = ({ tool, agentId, isError, refusal, body }: DispatchReply): Called => {
  const code = isError ? (refusal?.code ?? body['error_code']) : undefined;
  return {
    tool: code === 'TOOL_NOT_FOUND' ? UNKNOWN_TOOL : tool,
    ...(agentId !== undefined && { agent_id: agentId }),
    ...(typeof code === 'string' && { error_code: code }),
  };
};

/**
 * The lines of requests, at level `info`: `request_id`, `method`, `route` (as it is registered, so that no query and no id
 * stands there), `status`, `ms`, and of a call `tool`, `agent_id` and the code of its refusal. Nothing that proves a caller is
 * ever written. The level is asked for once: above it a request costs nothing here.
 */
export const createRequestLog = (log: Logger): RequestLog => {
  if (!log.isLevelEnabled('info')) return SILENT;
  const calls = new WeakMap<FastifyRequest, Called>();
  return {
    called: (request, reply) => void calls.set(request, factsOf(reply)),
    answered(request, reply) {
      const { id: request_id, method } = request;
      const route = request.routeOptions.url ?? '_unknown';
      const ms = Math.round(reply.elapsedTime * 10) / 10;
      log.info({ request_id, method, route, status: reply.statusCode, ms, ...calls.get(request) }, 'request');
    },
  };
};
