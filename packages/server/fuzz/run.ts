import { request } from 'node:http';
import { seededRandom } from '../src/runtime/index.ts';
import { nextShot, type Credentials, type Shot } from './plan.ts';

/** What must not have happened. */
export interface Finding {
  readonly what: string;
  readonly problem: string;
  readonly request: string;
  readonly answer: string;
}

/** How the requests went. */
export interface Figures {
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  /** The 503 contract, which overload may bring. */
  readonly unavailable: number;
  readonly statuses: Readonly<Record<number, number>>;
  readonly codes: Readonly<Record<string, number>>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const WAIT_MS = 60_000;
const SHOWN = 600;

/** Not fetch: it keeps some methods and headers to itself. */
const send = (url: string, { method, path, headers, body }: Shot): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request(`${url}${path}`, { method, headers: { ...headers, ...length }, timeout: WAIT_MS });
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer in ${WAIT_MS} ms`)));
    outgoing.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }),
      );
    });
    outgoing.end(body);
  });

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The code of the refusal that an answer is, wherever it stands in it. */
const codeIn = (answer: Answer): string | undefined =>
  /\\*"error_code\\*":\s*\\*"([A-Z_]+)/.exec(answer.text.startsWith('{"openapi"') ? '' : answer.text)?.[1];

/** What is wrong with an answer, whatever was asked; undefined when nothing is. */
export const problemOf = (shot: Pick<Shot, 'path' | 'method'>, answer: Answer): string | undefined => {
  const { status, text } = answer;
  const isTimeout = status === 504 && shot.path.startsWith('/v1/dialectic/compute');
  if (status >= 500 && status !== 503 && !isTimeout) return `status ${status}`;
  if (codeIn(answer) === 'INTERNAL_ERROR') return 'INTERNAL_ERROR';
  if (/"code":-32603/.test(text)) return 'an internal error of JSON-RPC';
  if (/"sqlstate"/.test(text) || /\\"sqlstate\\"/.test(text)) return 'PostgreSQL had to refuse it';
  if (status < 400 || shot.method === 'HEAD' || status === 503 || !answer.type.includes('json')) return undefined;
  const body = parsed(text) as Readonly<Record<string, unknown>> | undefined;
  if (body?.['jsonrpc'] !== undefined) return undefined;
  return typeof body?.['error_code'] === 'string' ||
    typeof (body?.['result'] as { error_code?: unknown } | undefined)?.error_code === 'string'
    ? undefined
    : 'a refusal without a code';
};

/** Sends `calls` requests that the seed decides, `clients` at once, and gives what must not have happened. */
export const fuzz = async (options: {
  readonly url: string;
  readonly calls: number;
  readonly seed: number;
  readonly clients: number;
  readonly known: Credentials;
  /** Told of every so many requests. */
  readonly onProgress?: (sent: number) => void;
}): Promise<{ readonly figures: Figures; readonly findings: Finding[] }> => {
  const { url, calls, seed, clients, known } = options;
  const random = seededRandom(seed);
  const findings: Finding[] = [];
  const statuses: Record<number, number> = {};
  const codes: Record<string, number> = {};
  let sent = 0;
  let accepted = 0;
  const one = async (): Promise<void> => {
    while (sent < calls) {
      sent += 1;
      if (sent % 5000 === 0) options.onProgress?.(sent);
      const shot = nextShot(random, known);
      const asked = `${shot.method} ${shot.path} ${JSON.stringify(shot.headers)} ${shot.body ?? ''}`.slice(
        0,
        4 * SHOWN,
      );
      try {
        const answer = await send(url, shot);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const code = codeIn(answer);
        if (code !== undefined) codes[code] = (codes[code] ?? 0) + 1;
        else if (answer.status < 400) accepted += 1;
        const problem = problemOf(shot, answer);
        if (problem !== undefined) {
          findings.push({ what: shot.what, problem, request: asked, answer: answer.text.slice(0, SHOWN) });
        }
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        // Node's own client refuses a header or an address that no client can send.
        if (!/Invalid character|unescaped characters/.test(problem)) {
          findings.push({ what: shot.what, problem, request: asked, answer: '' });
        }
      }
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
  const unavailable = statuses[503] ?? 0;
  const figures = { sent, accepted, refused: sent - accepted - unavailable, unavailable, statuses, codes };
  return { figures, findings };
};
