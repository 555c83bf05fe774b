import { ok, refuse } from '@breakwater/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { startFakeNode } from './testing/fake-node.ts';

const stops: (() => Promise<void>)[] = [];
const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  stops.push(node.stop);
  return node;
};
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const report = (url: string, headers: Record<string, string> = {}, body: unknown = { agent_uuid: 'a' }) =>
  fetch(`${url}/v1/harness/outcome`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
const away = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));

describe('POST /v1/harness/outcome', () => {
  test('gives the feature what was sent, and the answer back', async () => {
    const seen: unknown[] = [];
    const { url } = await start({
      // What it gives back is no outcome: only the way there and back is looked at.
      checksAnswers: false,
      recordExternalOutcome: (secret, body) => {
        seen.push([secret, body]);
        return Promise.resolve(ok({ outcome_id: 'o' }));
      },
    });
    const secret = `bwo_${'x'.repeat(30)}`;
    const answer = await report(url, { 'x-breakwater-operator': secret });
    expect([answer.status, await answer.json()]).toEqual([200, { success: true, outcome_id: 'o' }]);
    await report(url, { authorization: `Bearer ${secret}` });
    await report(url);
    expect(seen).toEqual([
      [secret, { agent_uuid: 'a' }],
      [secret, { agent_uuid: 'a' }],
      [undefined, { agent_uuid: 'a' }],
    ]);
  });

  test.each([
    ['PARAMETER_ERROR', 400],
    ['OPERATOR_REQUIRED', 403],
    ['AGENT_NOT_FOUND', 404],
    ['AGENT_ARCHIVED', 409],
    ['SEQUENCE_CONFLICT', 409],
    ['OVERLOADED', 503],
    ['STORAGE_UNAVAILABLE', 503],
    ['INTERNAL_ERROR', 500],
  ] as const)('%s is %d', async (code, status) => {
    const { url } = await start({ recordExternalOutcome: () => Promise.resolve(refuse(code, 'No.')) });
    const answer = await report(url);
    expect(answer.status).toBe(status);
    const body = (await answer.json()) as Record<string, unknown>;
    if (status !== 503)
      expect(body).toMatchObject({
        success: false,
        error_code: code,
        recovery: { action: expect.any(String) as string },
      });
    else expect(answer.headers.get('retry-after')).toBe('5');
  });

  test('a misspelt field and a name that is no text are refused before anybody is asked for', async () => {
    const { url } = await start({ recordExternalOutcome: () => Promise.reject(new Error('is not asked')) });
    const answer = await report(url, {}, { agent_uid: 'a', idempotency_key: 'k\ud83d', detail: '{"exit_code":1}' });
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      {
        error_code: 'PARAMETER_ERROR',
        errors: [{ field: 'agent_uid', did_you_mean: 'agent_uuid' }, { field: 'idempotency_key' }],
      },
    ]);
  });

  test('waits for the server to be ready and for PostgreSQL, by the 503 contract', async () => {
    const cold = await start({ ready: false });
    expect((await report(cold.url)).status).toBe(503);
    const { url } = await start({ recordExternalOutcome: away });
    const answer = await report(url);
    expect([answer.status, ((await answer.json()) as Record<string, unknown>)['reason']]).toEqual([
      503,
      'storage_unavailable',
    ]);
  });

  test('a bug is 500 and tells nothing of itself', async () => {
    const { url } = await start({ recordExternalOutcome: () => Promise.reject(new Error('secret path /etc')) });
    const answer = await report(url);
    expect([answer.status, await answer.text()]).toEqual([500, expect.not.stringContaining('secret')]);
  });

  test('needs the bearer token, where one is asked for', async () => {
    const { url } = await start({ tokens: ['t'] });
    expect((await report(url)).status).toBe(401);
    expect((await fetch(`${url}/v1/calibration/diagram.svg`)).status).toBe(401);
  });
});

describe('GET /v1/calibration/diagram.svg', () => {
  const draw = (url: string, query = '') => fetch(`${url}/v1/calibration/diagram.svg${query}`);

  test('is an image that nobody keeps and nothing runs in, of the fleet or of the agent asked for', async () => {
    const seen: unknown[] = [];
    const { url } = await start({
      calibrationDiagram: (agent) => {
        seen.push(agent);
        return Promise.resolve(ok('<svg>é</svg>'));
      },
    });
    const answer = await draw(url);
    expect([answer.status, await answer.text()]).toEqual([200, '<svg>é</svg>']);
    expect(answer.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    await draw(url, '?agent_id=Ada%20B');
    expect(seen).toEqual([undefined, 'Ada B']);
  });

  test.each(['?agent_id=', '?agent_id=a&agent_id=b', `?agent_id=${'x'.repeat(513)}`])(
    '%s is refused',
    async (query) => {
      const { url } = await start();
      expect((await draw(url, query)).status).toBe(400);
    },
  );

  test('an unknown agent is 404; not ready and without PostgreSQL 503', async () => {
    const unknown = await start({ calibrationDiagram: () => Promise.resolve(refuse('AGENT_NOT_FOUND', 'No.')) });
    expect((await draw(unknown.url)).status).toBe(404);
    expect((await draw((await start({ ready: false })).url)).status).toBe(503);
    expect((await draw((await start({ calibrationDiagram: away })).url)).status).toBe(503);
  });
});
