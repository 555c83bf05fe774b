import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ok } from '@breakwater/contract';
import { afterEach, describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { countCrossings, idsFrom, seededRandom, systemClock } from '../../runtime/index.ts';
import type { ComputeJob } from './job.ts';
import { remotePlacement, type RemoteAnswer } from './remote.ts';
import { computeRequest } from '@breakwater/contract/routes';
import { computeAnswerPayload } from './computation.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
});

/** Listens on a port of its own; gives its base. */
const serve = async (listener: RequestListener): Promise<URL> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
};

const answers: RemoteAnswer[] = [];
const placement = (url: URL, token?: string) =>
  remotePlacement({
    url,
    token,
    ids: idsFrom(seededRandom(1)),
    clock: systemClock,
    onAnswer: (answer) => void answers.push(answer),
  });
const never = new AbortController().signal;

const offer = { agent_id: 'a', proposed_conditions: ['x'] };
const job = (call: object): ComputeJob => ({
  request: computeRequest.parse({ session_id: 's1', round: 3, ...call }),
  now: Date.UTC(2026, 0, 2),
  random: 0.25,
});
const synthesize = job({
  mode: 'synthesize',
  input: { message_a: offer, message_b: offer, transcript: [], session_type: 'review' },
});
const selection = {
  candidates: [],
  paused_agent_id: 'a',
  paused_agent_tags: [],
  excluded: [],
  busy: [],
  recent_pairs: [],
};
const select = (input: object = {}) => job({ mode: 'select_reviewer', input: { ...selection, ...input } });

const chosen = { ok: true, result: { reviewer_agent_id: 'c' }, elapsed_ms: 1, cache_hit: false };

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

/** A server that answers `reviewer c`, and keeps what it was asked. */
const keeping = async () => {
  const seen: Seen[] = [];
  const url = await serve((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => (text += part));
    request.on('end', () => {
      const { method, headers } = request;
      seen.push({ method, url: request.url, headers, body: JSON.parse(text) as Record<string, unknown> });
      response.end(JSON.stringify(chosen));
    });
  });
  return { url, seen };
};

describe('what it costs', () => {
  it('is told of every result, and of nothing else; each question is a crossing of its request', async () => {
    verifies('W3-6.05', 'W3-6.10');
    const { url } = await keeping();
    const broken = await serve((_, response) => response.end('{'));
    answers.length = 0;
    const tally = { crossings: 0 };
    await countCrossings(tally, async () => {
      await placement(url)(select(), never);
      await placement(broken)(select(), never);
    });
    await placement(url)(select(), never);
    expect(tally.crossings).toBe(2);
    const answer = {
      statusCode: 200,
      elapsedMs: expect.any(Number) as number,
      payloadBytes: expect.any(Number) as number,
    };
    expect(answers).toEqual([answer, answer]);
    expect(answers[0]?.payloadBytes).toBeGreaterThan(100);
    expect(computeAnswerPayload({ statusCode: 200, elapsedMs: 1.5, payloadBytes: 99 })).toEqual({
      endpoint: '/v1/dialectic/compute',
      method: 'POST',
      status_code: 200,
      elapsed_ms: 1.5,
      payload_bytes: 99,
    });
  });
});

describe('what is asked', () => {
  it('is the route of the other server, below its base, with the token that it asks for', async () => {
    verifies('W3-5.04');
    const { url, seen } = await keeping();
    for (const base of ['', '/', '/behind/', '/behind']) await placement(new URL(base, url), 'secret')(select(), never);
    await placement(url)(select(), never);
    expect(seen.map(({ method, url, headers }) => [method, url, headers.authorization])).toEqual([
      ['POST', '/v1/dialectic/compute', 'Bearer secret'],
      ['POST', '/v1/dialectic/compute', 'Bearer secret'],
      ['POST', '/behind/v1/dialectic/compute', 'Bearer secret'],
      ['POST', '/behind/v1/dialectic/compute', 'Bearer secret'],
      ['POST', '/v1/dialectic/compute', undefined],
    ]);
  });

  it('carries time and chance, unless the input has its own', async () => {
    verifies('W3-5.07');
    const { url, seen } = await keeping();
    const compute = placement(url);
    expect(await compute(select(), never)).toEqual(ok(chosen.result));
    await compute(select({ now: '2026-05-13T12:00:00Z', random: 0.5 }), never);
    expect(seen.map(({ body }) => [body['mode'], body['round'], body['input']])).toMatchObject([
      ['select_reviewer', 3, { now: '2026-01-02T00:00:00.000Z', random: 0.25 }],
      ['select_reviewer', 3, { now: '2026-05-13T12:00:00Z', random: 0.5 }],
    ]);
  });

  it('has an id that tells the session and that nobody can guess', async () => {
    verifies('W3-5.05');
    const { url, seen } = await keeping();
    const compute = placement(url);
    await compute(select(), never);
    await compute(select(), never);
    const long = select();
    await compute({ ...long, request: { ...long.request, session_id: 's'.repeat(200) } }, never);
    const ids = seen.map(({ body }) => body['session_id'] as string);
    expect(ids).toEqual(
      Array(2)
        .fill(expect.stringMatching(/^s1:[0-9a-f-]{36}$/))
        .concat(expect.any(String)),
    );
    expect(new Set(ids).size).toBe(3);
    expect(computeRequest.safeParse(seen[2]!.body).success).toBe(true);
  });
});

describe('what goes wrong has its class', () => {
  it.each([401, 404, 500, 503, 504])('an answer of %s', async (status) => {
    verifies('W3-6.04');
    const url = await serve((_request, response) => response.writeHead(status).end(JSON.stringify(chosen)));
    expect(await placement(url)(select(), never)).toMatchObject({
      ok: false,
      lost: { errorClass: 'non_200', statusCode: status },
    });
  });

  it('a redirect, which is not followed: the token is for this server alone', async () => {
    verifies('W3-6.04');
    const { url: elsewhere, seen } = await keeping();
    const url = await serve((_request, response) => response.writeHead(307, { location: elsewhere.href }).end());
    expect(await placement(url, 'secret')(select(), never)).toMatchObject({
      ok: false,
      lost: { errorClass: 'non_200', statusCode: 307 },
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['a refusal', JSON.stringify({ success: false, error_code: 'INTERNAL_ERROR' })],
    ['the result of another mode', JSON.stringify(chosen)],
    ['a result without a part', JSON.stringify({ ...chosen, result: { conditions: ['x'], root_cause: '' } })],
  ])('an answer with %s', async (_what, body) => {
    verifies('W3-6.04');
    const url = await serve((_request, response) => response.end(body));
    expect(await placement(url)(synthesize, never)).toMatchObject({ ok: false, lost: { errorClass: 'decode_error' } });
  });

  it('nobody who listens', async () => {
    verifies('W3-6.04');
    const url = await serve(() => undefined);
    await new Promise((resolve) => servers.pop()!.close(resolve));
    expect(await placement(url)(select(), never)).toEqual({
      ok: false,
      lost: { errorClass: 'connect_error', reason: `connect ECONNREFUSED ${url.host}` },
    });
  });

  it('a connection that is lost before the answer, or in it', async () => {
    verifies('W3-6.04');
    let half = false;
    const url = await serve((request, response) => {
      if (!half) request.socket.destroy();
      else response.writeHead(200, { 'content-length': '100' }).write('{"ok"', () => request.socket.destroy());
      half = true;
    });
    for (let i = 0; i < 2; i += 1) {
      expect(await placement(url)(select(), never)).toMatchObject({ ok: false, lost: { errorClass: 'connect_error' } });
    }
    expect(half).toBe(true);
  });
});

it('an abort gives up the request, also while its answer comes', async () => {
  verifies('W3-5.06');
  for (const begins of [false, true]) {
    const asked = Promise.withResolvers<undefined>();
    const gone = Promise.withResolvers<undefined>();
    const url = await serve((_request, response) => {
      response.once('close', () => gone.resolve(undefined));
      if (begins) response.write('{"ok"');
      asked.resolve(undefined);
    });
    const abort = new AbortController();
    const placed = placement(url)(select(), abort.signal);
    await asked.promise;
    abort.abort();
    expect(await placed).toMatchObject({ ok: false });
    await gone.promise;
  }
});
