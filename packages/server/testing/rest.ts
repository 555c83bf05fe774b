/** A JSON object of the wire; tests look into it where they know its shape. */
export type Json = Record<string, unknown>;

/** The answer to one REST call of a tool. */
export interface RestAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
  /** `body.result`, or an empty object when there is none. */
  readonly result: Json;
}

/** Posts JSON; rejects only when no answer comes. */
export const postJson = async (
  url: string,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<RestAnswer> => {
  const response = await fetch(new URL(path, url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const json = (await response.json()) as Json;
  return { status: response.status, headers: response.headers, body: json, result: (json['result'] ?? {}) as Json };
};

/** Calls a tool over REST. */
export const callTool = (url: string, name: string, args: Json, headers: Readonly<Record<string, string>> = {}) =>
  postJson(url, '/v1/tools/call', { name, arguments: args }, headers);

/** A new agent, and the secret that proves it. */
export const onboard = async (url: string, name: string): Promise<{ agentId: string; secret: string }> => {
  const { result } = await callTool(url, 'onboard', { name });
  if (typeof result['uuid'] !== 'string' || typeof result['client_session_id'] !== 'string') {
    throw new Error(`onboard gave no identity: ${JSON.stringify(result)}`);
  }
  return { agentId: result['uuid'], secret: result['client_session_id'] };
};
