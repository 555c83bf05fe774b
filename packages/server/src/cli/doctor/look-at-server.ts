import type { ServerFacts } from './facts.ts';
import { isObject } from '../../runtime/index.ts';

const TIMEOUT_MS = 3_000;
const MOST_TEXT = 60;

type Json = Readonly<Record<string, unknown>>;

/** The JSON object at an address, whatever the status; undefined when it is none. Rejects when nothing answers. */
const objectAt = async (url: string): Promise<{ status: number; body: Json | undefined; type: string }> => {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'manual' });
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const type = response.headers.get('content-type') ?? 'no content type';
  return { status: response.status, body: isObject(body) ? body : undefined, type };
};

const reasonOf = (error: unknown): string => {
  if (error instanceof DOMException && error.name === 'TimeoutError') return `no answer within ${TIMEOUT_MS / 1000} s`;
  const cause = error instanceof Error ? (error.cause as { code?: string; message?: string } | undefined) : undefined;
  return cause?.code ?? cause?.message ?? (error instanceof Error ? error.message : 'unknown');
};

/** Nobody is there. Any other failure comes of a program that listens and does not speak HTTP: it is in the way. */
const ABSENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|no answer)/;

/** What answers at the base URL of a server, by the routes that need no credential. Never rejects. */
export const lookAtServer = async (url: string): Promise<ServerFacts['found']> => {
  try {
    const live = await objectAt(`${url}/health/live`);
    if (live.body?.['status'] !== 'alive') {
      return { kind: 'stranger', what: `HTTP ${live.status}, ${live.type.slice(0, MOST_TEXT)}` };
    }
    const [{ body: ready = {}, status }, { body: health = {} }] = await Promise.all([
      objectAt(`${url}/health/ready`),
      objectAt(`${url}/health`),
    ]);
    const version = health['version'] ?? health['server_version'];
    const notReady = Array.isArray(ready['not_ready']) ? ready['not_ready'].map(String) : [];
    const since = typeof ready['since'] === 'string' ? Date.parse(ready['since']) : Number.NaN;
    return {
      kind: 'server',
      version: typeof version === 'string' ? version : null,
      ready: status === 200,
      notReady,
      since: Number.isNaN(since) ? null : since,
    };
  } catch (error) {
    const reason = reasonOf(error);
    return ABSENT.test(reason) ? { kind: 'nothing', reason } : { kind: 'stranger', what: reason };
  }
};
