import {
  createMcpHandler,
  isLegacyRequest,
  Server,
  WebStandardStreamableHTTPServerTransport,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/server/validators/ajv';
import type { ToolListing } from '@breakwater/contract';
import type { DispatchReply } from '../dispatch/index.ts';
import type { ServeOptions } from './ports.ts';

/** How a reply is written: one JSON body, or a stream of events. */
export type ReplyForm = 'json' | 'sse';

/** What a message says beside its parameters. */
export interface MessageFacts {
  readonly rpcId: unknown;
  readonly meta: unknown;
}

/** The HTTP request that the SDK shall answer. `body` is parsed JSON, or undefined when it was not JSON. */
interface McpExchange {
  readonly request: Request;
  readonly body: unknown;
  readonly form: ReplyForm;
  /** For the log. */
  readonly requestId: string;
  /** Calls a tool for this exchange. */
  readonly call: (name: string, args: unknown, message: MessageFacts) => Promise<DispatchReply>;
}

interface McpSdk {
  handle(exchange: McpExchange): Promise<Response>;
  close(): Promise<void>;
}

/** The first revision of the protocol that knows `structuredContent`. Revisions are dates, and later ones are greater. */
const STRUCTURED_SINCE = '2025-06-18';

/** Whether a caller reads `structuredContent`, by the revision in its header; without one it speaks an older revision. */
export const readsStructured = (revision: unknown): boolean =>
  typeof revision === 'string' && revision >= STRUCTURED_SINCE;

/**
 * Whether an answer is given as an object beside its text. A refusal is not: clients hold the object against what the tool
 * says it answers, which is true of successes only.
 */
export const isStructured = (reply: DispatchReply, structured: boolean): boolean => structured && !reply.isError;

/** The tool's answer in MCP's words; a refusal is an error there, whatever REST calls it (BW-serve.07). */
const toolResult = (reply: DispatchReply, structured: boolean) => ({
  content: [{ type: 'text' as const, text: JSON.stringify(reply.body) }],
  ...(isStructured(reply, structured) && { structuredContent: reply.body }),
  isError: reply.isError,
});

/**
 * MCP by the SDK, both generations.
 *
 * Every exchange gets a server instance and a transport of its own. A shared instance routes replies by JSON-RPC id, and
 * ids are chosen by clients, so two clients with equal ids would get each other's replies (CVE-2026-25536; BW-serve.04).
 * No state is kept between exchanges either, so that any node, and a restarted one, can answer the next: the 2025
 * protocol needs nothing but the session id, which is checked before this.
 */
export const createMcpSdk = (
  options: Pick<ServeOptions, 'server' | 'instructions' | 'log'> & { tools: () => readonly ToolListing[] },
): McpSdk => {
  const exchanges = new WeakMap<Request, McpExchange>();
  // The default is a new validator for every instance, which costs more than the call.
  const validator = new AjvJsonSchemaValidator();
  const report = (error: Error, requestId?: string) =>
    options.log.debug({ err: error, request_id: requestId }, 'mcp exchange refused');

  /* eslint-disable @typescript-eslint/no-deprecated -- The high-level class checks arguments against schemas of its own
     before dispatch sees them, and would build those schemas anew for every exchange. */
  const instance = (exchange: McpExchange): Server => {
    const server = new Server(options.server, {
      capabilities: { tools: {} },
      jsonSchemaValidator: validator,
      ...(options.instructions !== undefined && { instructions: options.instructions }),
    });
    server.onerror = (error) => report(error, exchange.requestId);
    server.setRequestHandler('tools/list', () => ({
      tools: options.tools().map(({ name, description, inputSchema, annotations }) => ({
        name,
        description,
        inputSchema: { type: 'object' as const, ...inputSchema },
        annotations,
      })),
    }));
    server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
      const message = { rpcId: mcpReq.id, meta: params._meta };
      const reply = await exchange.call(params.name, params.arguments ?? {}, message);
      return toolResult(reply, readsStructured(exchange.request.headers.get('mcp-protocol-version')));
    });
    return server;
  };
  /* eslint-enable @typescript-eslint/no-deprecated */

  const modern = (responseMode: 'auto' | 'sse'): McpHttpHandler =>
    createMcpHandler(
      ({ requestInfo }) => {
        const exchange = requestInfo === undefined ? undefined : exchanges.get(requestInfo);
        if (exchange === undefined) throw new Error('An MCP instance was asked for outside an exchange');
        return instance(exchange);
      },
      { legacy: 'reject', responseMode, onerror: report },
    );
  const handlers = { json: modern('auto'), sse: modern('sse') };

  const legacy = async (exchange: McpExchange): Promise<Response> => {
    const server = instance(exchange);
    const transport = new WebStandardStreamableHTTPServerTransport({ enableJsonResponse: exchange.form === 'json' });
    await server.connect(transport);
    exchange.request.signal.addEventListener('abort', () => void transport.close(), { once: true });
    const response = await transport.handleRequest(
      exchange.request,
      exchange.body === undefined ? {} : { parsedBody: exchange.body },
    );
    if (exchange.form === 'json' || response.body === null) void transport.close();
    return response;
  };

  return {
    async handle(exchange) {
      const { request, body, form } = exchange;
      if (await isLegacyRequest(request, body)) return await legacy(exchange);
      exchanges.set(request, exchange);
      return await handlers[form].fetch(request, body === undefined ? {} : { parsedBody: body });
    },
    async close() {
      await Promise.all([handlers.json.close(), handlers.sse.close()]);
    },
  };
};
