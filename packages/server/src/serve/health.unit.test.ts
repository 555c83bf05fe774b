import { afterEach, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { startFakeNode } from './testing/fake-node.ts';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

const get = async (url: string) => {
  const response = await fetch(url);
  return {
    status: response.status,
    retry: response.headers.get('retry-after'),
    body: await response.json(),
  };
};

test('health says which part is not ready, is never empty, and live answers all the while', async () => {
  verifies('BW-serve.02');
  const node = await startFakeNode({ ready: false });
  stop = node.stop;
  node.readiness.report('flags', true);
  expect(await get(`${node.url}/health/live`)).toMatchObject({ status: 200, body: { status: 'alive' } });
  expect(await get(`${node.url}/health/ready`)).toEqual({
    status: 503,
    retry: '2',
    body: { status: 'warming_up', not_ready: ['baselines'], parts: { flags: true, baselines: false } },
  });
  const warming = await get(`${node.url}/health`);
  expect(warming).toMatchObject({ status: 503, retry: '2', body: { status: 'warming_up', server_version: '0.1.0' } });

  node.readiness.report('baselines', true);
  expect(await get(`${node.url}/health/ready`)).toMatchObject({ status: 200, body: { status: 'ready' } });
  expect(await get(`${node.url}/health`)).toMatchObject({
    status: 200,
    retry: null,
    body: { status: 'ok', version: '0.1.0' },
  });

  node.readiness.report('flags', false);
  expect((await get(`${node.url}/health/ready`)).status).toBe(503);
  expect((await get(`${node.url}/health/live`)).status).toBe(200);
});
