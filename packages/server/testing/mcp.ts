import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { Json } from './rest.ts';

/** The protocol of 2025 with its sessions, or the sessionless one of 2026. */
export type Generation = '2025' | '2026';
export const GENERATIONS: readonly Generation[] = ['2025', '2026'];

/** An MCP client of the SDK, connected over HTTP. */
export interface McpConnection {
  /** Calls a tool; gives the object that its text holds, and whether MCP calls it an error. */
  call(name: string, args: Json): Promise<{ readonly result: Json; readonly isError: boolean }>;
  close(): Promise<void>;
}

export const connectMcp = async (
  url: string,
  generation: Generation,
  headers: Readonly<Record<string, string>> = {},
): Promise<McpConnection> => {
  const client = new Client(
    { name: 'breakwater-test', version: '1' },
    { versionNegotiation: { mode: generation === '2025' ? 'legacy' : 'auto' } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL('/mcp/', url), { requestInit: { headers: { ...headers } } }),
  );
  const spoken = client.getNegotiatedProtocolVersion() ?? '';
  if (!spoken.startsWith(generation)) throw new Error(`asked for MCP of ${generation}, got ${spoken}`);
  return {
    async call(name, args) {
      const { content, isError } = (await client.callTool({ name, arguments: args })) as {
        content: { type: string; text: string }[];
        isError?: boolean;
      };
      return { result: JSON.parse(content[0]?.text ?? '{}') as Json, isError: isError === true };
    },
    close: () => client.close(),
  };
};
