import type { FastifyRequest } from 'fastify';
import type { DispatchReply } from '../dispatch/index.ts';
import { evidenceOf } from './evidence.ts';
import type { ServeOptions } from './ports.ts';
import type { RequestLog } from './request-log.ts';
import type { CallTool } from './tool-calls.ts';

/** Calls a tool for an HTTP request, by the evidence that the request and `args` bring, and keeps the call for the log. */
export type RestCall = (
  request: FastifyRequest,
  name: string,
  args: Readonly<Record<string, unknown>>,
) => Promise<DispatchReply>;

/** The one way from a route to a tool; what the reply becomes on the wire is the route's to say. */
export const createRestCall =
  ({ attestor }: Pick<ServeOptions, 'attestor'>, callTool: CallTool, requests: RequestLog): RestCall =>
  async (request, name, args) => {
    const { headers } = request;
    const evidence = evidenceOf(request, attestor, { args });
    const answer = await callTool({ name, args, evidence, transport: 'rest', requestId: request.id }, () => ({
      headers,
      httpVersion: request.raw.httpVersion,
      local: evidence.attestation !== undefined,
      requestId: request.id,
    }));
    requests.called(request, answer);
    return answer;
  };
