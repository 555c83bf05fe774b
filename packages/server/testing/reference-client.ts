import { callTool, postJson, type Json } from './rest.ts';

/** The reference's client could not go on: what its SDK raises, with what it was told. */
export class ReferenceError extends Error {
  readonly answer: Json;

  constructor(tool: string, answer: Json) {
    super(`Tool ${tool} failed: ${String(answer['error'])}`);
    this.answer = answer;
  }
}

/** What a resident keeps in its anchor file between two cycles, and nothing else. */
export interface Anchor {
  readonly agentUuid: string;
  readonly clientSessionId: string;
  readonly continuityToken: string | undefined;
}

const text = (answer: Json, key: string): string => {
  const value = answer[key];
  if (typeof value !== 'string' || value === '')
    throw new Error(`${key}: field required, in ${JSON.stringify(answer)}`);
  return value;
};

/** Calls one tool as the reference's clients do; gives the result, or raises what they would. */
export type CallTool = (name: string, args: Json) => Promise<Json>;

/** Over REST: any status but 200 loses the body, and `success: false` is an error. */
export const overRest =
  (url: string, headers: Readonly<Record<string, string>> = {}): CallTool =>
  async (name, args) => {
    const { status, result } = await callTool(url, name, args, headers);
    if (status !== 200) throw new Error(`REST call to ${name} failed: HTTP Error ${status}`);
    if (result['success'] === false) throw new ReferenceError(name, result);
    return result;
  };

/**
 * A client of our own writing that sends what the reference's SDK sends, and reads the answers as strictly: a field that
 * its models require and that is not there is an error.
 */
export class ReferenceClient {
  readonly #call: CallTool;
  anchor: Anchor | undefined;

  constructor(call: CallTool, anchor?: Anchor) {
    this.#call = call;
    this.anchor = anchor;
  }

  async onboard(name: string, more: Json = {}): Promise<Json> {
    const answer = await this.#call('onboard', { name, ...more });
    this.#keep(answer);
    return answer;
  }

  /** With `args`, exactly these; the SDK adds no session to this call. */
  async identity(args: Json = {}): Promise<Json> {
    const answer = await this.#call('identity', args);
    this.#keep(answer);
    return answer;
  }

  /** What a resident does first in each cycle: by its uuid and token, and by nothing else. */
  async resume(name: string): Promise<Json> {
    const { anchor } = this;
    if (anchor === undefined) return this.onboard(name);
    const proof = { agent_uuid: anchor.agentUuid, continuity_token: anchor.continuityToken, resume: true, name };
    const answer = await this.identity(proof);
    if (this.anchor?.agentUuid !== anchor.agentUuid) throw new Error('identity drift');
    return answer;
  }

  /** A check-in; gives the verdict. */
  async checkIn(response_text: string, more: Json = {}): Promise<string> {
    const claim = { complexity: 0.1, confidence: 0.9, response_mode: 'compact' };
    const answer = await this.bound('sync_state', { response_text, ...claim, ...more });
    const decision = answer['decision'] as Json | undefined;
    const metrics = answer['metrics'] as Json | undefined;
    const risk = metrics?.['risk'];
    // Its model takes no risk as well as a number: of an agent without evidence it is null, and says that it is unknown.
    const labelled = risk === null && (answer['provenance'] as Json | undefined)?.['risk'] === 'unknown';
    if (typeof metrics?.['coherence'] !== 'number' || (typeof risk !== 'number' && !labelled)) {
      throw new Error(`metrics: field required, in ${JSON.stringify(answer)}`);
    }
    return text({ verdict: decision?.['action'] ?? answer['verdict'] }, 'verdict');
  }

  /** Any other tool, with the session of the anchor. */
  bound(name: string, args: Json = {}): Promise<Json> {
    return this.#call(name, { ...args, client_session_id: this.anchor?.clientSessionId });
  }

  #keep(answer: Json): void {
    const token = answer['continuity_token'];
    this.anchor = {
      agentUuid: text(answer, 'uuid'),
      clientSessionId: text(answer, 'client_session_id'),
      continuityToken: typeof token === 'string' ? token : this.anchor?.continuityToken,
    };
  }
}

/** Posts to an address of the reference; gives its answer when it has the status that the clients take for success. */
export const post = async (url: string, path: string, body: Json, wanted: number): Promise<Json> => {
  const answer = await postJson(url, path, body);
  if (answer.status !== wanted) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
};
