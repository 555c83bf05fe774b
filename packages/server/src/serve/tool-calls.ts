import { ERRORS } from '@breakwater/contract';
import type { DispatchReply, DispatchRequest } from '../dispatch/index.ts';
import type { SharedAnswers } from '../runtime/index.ts';
import type { ServeOptions } from './ports.ts';
import type { TracedOperation } from './tracing.ts';

/** Calls a tool; never rejects. `operation` is asked for only when there are traces. */
export type CallTool = (
  request: DispatchRequest,
  operation: () => Omit<TracedOperation, 'method' | 'transport'>,
) => Promise<DispatchReply>;

/** In place of a name that no tool has: it is the caller's invention, and may be anything. */
export const UNKNOWN_TOOL = '_unknown';

const errorTypeOf = (reply: DispatchReply): string | undefined => {
  if (!reply.isError) return undefined;
  return reply.status === 200 ? 'tool_error' : String(reply.status);
};

/** The refusal's code, or the one that the body carries. */
const codeOf = (reply: DispatchReply): string => {
  if (reply.refusal !== undefined) return reply.refusal.code;
  const code = reply.body['error_code'];
  return typeof code === 'string' && Object.hasOwn(ERRORS, code) ? code : 'UNKNOWN';
};

/**
 * The one way from a transport to dispatch: measured, and safe from a bug below, which becomes INTERNAL_ERROR with the
 * request's id as the incident's, so that no transport has to invent an answer of its own.
 */
export const createCallTool = (
  {
    dispatcher,
    metrics,
    tracing,
    clock,
    log,
  }: Pick<ServeOptions, 'dispatcher' | 'metrics' | 'tracing' | 'clock' | 'log'>,
  shared: Pick<SharedAnswers, 'clear'>,
): CallTool => {
  const crashed = (request: DispatchRequest, error: unknown): DispatchReply => {
    log.error({ err: error, tool: request.name, request_id: request.requestId }, 'dispatch threw');
    const { category, recovery } = ERRORS.INTERNAL_ERROR;
    const incident = request.requestId === undefined ? {} : { incident_id: request.requestId };
    return {
      tool: UNKNOWN_TOOL,
      body: {
        success: false,
        error: 'An internal error occurred.',
        error_code: 'INTERNAL_ERROR',
        error_category: category,
        ...incident,
        recovery,
      },
      isError: true,
      status: 200,
    };
  };
  return async (request, operation) => {
    const started = clock.monotonic();
    const span = tracing?.begin({ method: 'tools/call', transport: request.transport, ...operation() });
    let reply: DispatchReply;
    try {
      reply = await dispatcher.call(span === undefined ? request : { ...request, trace: span });
    } catch (error) {
      reply = crashed(request, error);
    }
    // An operator who has acted looks at what became of it.
    if (request.evidence.operatorSecret !== undefined) shared.clear();
    const code = reply.isError ? codeOf(reply) : undefined;
    // A name that no tool has is the caller's invention; as a label it would let anybody make series without end.
    const tool = code === 'TOOL_NOT_FOUND' ? UNKNOWN_TOOL : reply.tool;
    const errorType = errorTypeOf(reply);
    metrics.operation({
      method: 'tools/call',
      tool,
      transport: request.transport,
      seconds: (clock.monotonic() - started) / 1000,
      ...(errorType !== undefined && { errorType }),
    });
    if (code !== undefined) metrics.toolError(tool, code);
    span?.end({ tool, errorType, errorCode: code });
    return reply;
  };
};
