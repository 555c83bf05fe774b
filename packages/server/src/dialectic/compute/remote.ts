import { ok } from '@breakwater/contract';
import { z } from 'zod';
import { crossed, traced, type Clock, type Crossing, type Ids } from '../../runtime/index.ts';
import type { ComputeJob } from './job.ts';
import { COMPUTE_RESULTS, type ComputeRequest } from '@breakwater/contract/routes';
import type { Lost, Placed, Placement } from './computation.ts';

interface RemoteOptions {
  /** Base of the other server; the route is added to it. */
  readonly url: URL;
  /** Bearer token that the other server asks for. */
  readonly token: string | undefined;
  readonly ids: Ids;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Told of every answer that is a result (W3-6.05). */
  readonly onAnswer: (answer: RemoteAnswer) => void;
}

/** What it took to get a result from the other server. */
export interface RemoteAnswer {
  readonly statusCode: number;
  readonly elapsedMs: number;
  /** Of the request's body. */
  readonly payloadBytes: number;
}

const OK = 200;
/** So that the name on the wire stays within its limit. */
const MOST_OF_ID = 150;

const lost = (errorClass: Lost['errorClass'], reason: string, statusCode?: number): Placed => ({
  ok: false,
  lost: { errorClass, reason, ...(statusCode !== undefined && { statusCode }) },
});

/** fetch() says "fetch failed" of everything; the cause says what it was. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
};

/** Time and chance go along, so that the other server gives what this one would (W3-5.07). */
const inputOf = (request: ComputeRequest, { now, random }: ComputeJob) =>
  request.mode === 'synthesize'
    ? request.input
    : {
        ...request.input,
        now: request.input.now ?? new Date(now).toISOString(),
        random: request.input.random ?? random,
      };

const decode = (text: string, mode: ComputeRequest['mode']): Placed => {
  try {
    const answer = z.object({ ok: z.literal(true), result: COMPUTE_RESULTS[mode] }).safeParse(JSON.parse(text));
    if (answer.success) return ok(answer.data.result);
    return lost('decode_error', `unexpected ${answer.error.issues[0]?.path.join('.') ?? 'answer'}`);
  } catch (error) {
    return lost('decode_error', reasonOf(error));
  }
};

/**
 * At another server: `POST {url}/v1/dialectic/compute`. It is asked for each job under a session id that nobody can guess,
 * because it keeps results by that id, and whoever may call it could have left one there.
 */
export const remotePlacement = ({ url, token, ids, clock, onAnswer }: RemoteOptions): Placement => {
  const endpoint = `${url.origin}${url.pathname.replace(/\/$/, '')}/v1/dialectic/compute`;
  const headers = {
    'content-type': 'application/json',
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  const asking = {
    name: 'remote compute',
    kind: 'client',
    attributes: { 'http.request.method': 'POST', 'server.address': url.hostname },
  } as const;
  return (job, signal) => {
    const { request } = job;
    const body = JSON.stringify({
      mode: request.mode,
      session_id: `${request.session_id.slice(0, MOST_OF_ID)}:${ids.uuid()}`,
      round: request.round,
      input: inputOf(request, job),
    });
    const started = clock.monotonic();
    crossed();
    const ask = async (crossing?: Crossing): Promise<Placed> => {
      try {
        const sent = crossing === undefined ? headers : { ...headers, traceparent: crossing.traceparent };
        // A redirect is not followed: the token is for this server alone.
        const response = await fetch(endpoint, { method: 'POST', headers: sent, body, signal, redirect: 'manual' });
        if (response.status === OK) {
          const placed = decode(await response.text(), request.mode);
          const payloadBytes = Buffer.byteLength(body);
          if (placed.ok) onAnswer({ statusCode: OK, elapsedMs: clock.monotonic() - started, payloadBytes });
          return placed;
        }
        response.body?.cancel().catch(() => undefined);
        return lost('non_200', `the other server answered ${response.status}`, response.status);
      } catch (error) {
        return lost('connect_error', reasonOf(error));
      }
    };
    return traced(asking, ask, (placed) => ('lost' in placed ? placed.lost.errorClass : undefined));
  };
};
