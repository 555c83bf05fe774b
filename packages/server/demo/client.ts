/** The two calls a demonstration needs, over plain REST: what any agent could do with an HTTP library. */
export interface Client {
  call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** The server cannot be reached, or cannot answer yet. */
export class Unreachable extends Error {}

export const connect = (url: string): Client => ({
  async call(tool, args) {
    let response: Response;
    try {
      response = await fetch(new URL('/v1/tools/call', url), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: tool, arguments: args }),
      });
    } catch {
      throw new Unreachable(`No Breakwater server answers at ${url}.`);
    }
    const body = (await response.json()) as { result?: Record<string, unknown>; error?: string };
    if (body.result === undefined)
      throw new Unreachable(`${url} answered ${response.status}: ${body.error ?? 'no result'}`);
    return body.result;
  },
});
