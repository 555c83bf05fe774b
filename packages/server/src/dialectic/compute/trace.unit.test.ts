import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { countCrossings, systemClock, systemIds, type Trace, type TracedWork } from '../../runtime/index.ts';
import { remotePlacement } from './remote.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

test('a computation elsewhere is a crossing of the request, and the other server is told of it', async () => {
  verifies('W3-6.10');
  const heard: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    heard.push(request.headers['traceparent'] as string | undefined);
    response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const url = new URL(`http://127.0.0.1:${(other.address() as AddressInfo).port}`);
  const place = remotePlacement({
    url,
    token: undefined,
    ids: systemIds,
    clock: systemClock,
    onAnswer: () => undefined,
  });
  const crossings: { readonly work: TracedWork; readonly failure: string | undefined }[] = [];
  const trace: Trace = {
    cross: (work) => ({ traceparent: TRACEPARENT, end: (failure) => void crossings.push({ work, failure }) }),
  };
  const job = {
    request: {
      mode: 'select_reviewer' as const,
      session_id: 's',
      round: 1,
      input: {
        paused_agent_id: 'a',
        paused_agent_tags: [],
        candidates: [],
        excluded: [],
        busy: [],
        recent_pairs: [],
        now: null,
        random: null,
      },
    },
    now: 0,
    random: 0,
  };
  const signal = new AbortController().signal;
  await countCrossings({ crossings: 0, trace }, async () => place(job, signal));
  await place(job, signal);
  expect(heard).toEqual([TRACEPARENT, undefined]);
  expect(crossings).toEqual([
    { work: expect.objectContaining({ name: 'remote compute', kind: 'client' }) as TracedWork, failure: 'non_200' },
  ]);
});
