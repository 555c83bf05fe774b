import { accept } from '@breakwater/contract';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { WorkerPool } from './compute-pool.ts';

/** Answers with the job and its thread, unless the job says otherwise. */
const SCRIPT = new URL(
  `data:text/javascript,${encodeURIComponent(`import { parentPort, threadId } from 'node:worker_threads';
parentPort.on('message', (job) => {
  if (job === 'die') process.exit(7);
  if (job === 'throw') throw new Error('broken');
  if (job === 'spin') for (;;);
  if (job !== 'hold') parentPort.postMessage({ job, threadId });
});`)}`,
);

interface Answer {
  readonly job: unknown;
  readonly threadId: number;
}

/** Every thread that this process has started. */
const workers: Worker[] = [];
const onWorker = (worker: Worker) => void workers.push(worker);
const pools: WorkerPool<unknown, Answer>[] = [];
beforeEach(() => void process.on('worker', onWorker));
afterEach(async () => {
  process.off('worker', onWorker);
  workers.length = 0;
  await Promise.all(pools.splice(0).map((pool) => pool.stop()));
});

const start = ({ threads = 1, waiting = 1, script = SCRIPT } = {}) => {
  const pool = new WorkerPool<unknown, Answer>({ script, threads, waiting });
  pools.push(pool);
  return (job: unknown) => {
    const abort = new AbortController();
    return { placed: pool.run(job, abort.signal), abort: () => abort.abort() };
  };
};
const refused = (code: string) => ({ ok: false, refusal: { code } });
const answered = (job: unknown) => accept({ job, threadId: expect.any(Number) as number });

it('threads are started when there is work, at most as many as allowed, and are used again', async () => {
  const run = start({ threads: 2, waiting: 5 });
  expect(workers).toHaveLength(0);
  const first = await run('a').placed;
  expect(first).toEqual(answered('a'));
  expect(await run({ plain: ['data', 1, null] }).placed).toEqual(answered({ plain: ['data', 1, null] }));
  expect(workers).toHaveLength(1);
  const many = await Promise.all(['b', 'c', 'd', 'e'].map((job) => run(job).placed));
  expect(many).toEqual(['b', 'c', 'd', 'e'].map(answered));
  expect(workers).toHaveLength(2);
});

it('what finds no thread waits, and what finds no room to wait is refused', async () => {
  const run = start();
  const held = run('hold');
  const waits = run('a');
  expect(await run('b').placed).toMatchObject({ ...refused('OVERLOADED'), refusal: { retryAfterSeconds: 5 } });
  held.abort();
  expect(await held.placed).toMatchObject(refused('TIMEOUT'));
  expect(await waits.placed).toEqual(answered('a'));
});

it('an abort ends the thread that works on the job, and another takes its place', async () => {
  verifies('W3-5.06');
  const run = start();
  const spins = run('spin');
  spins.abort();
  expect(await spins.placed).toMatchObject(refused('TIMEOUT'));
  expect(await run('a').placed).toEqual(answered('a'));
  expect(workers.map(({ threadId }) => threadId > 0)).toEqual([false, true]);
});

it('an abort takes a job that waits out of the queue, so that it is never started', async () => {
  verifies('W3-5.06');
  const run = start();
  const held = run('hold');
  const gone = run('die');
  gone.abort();
  expect(await gone.placed).toMatchObject(refused('TIMEOUT'));
  const next = run('a');
  held.abort();
  expect(await next.placed).toEqual(answered('a'));
  // The one that was held, and the one that took its place; a third would have followed one that died.
  expect(workers).toHaveLength(2);
});

it('an abort after the answer does nothing', async () => {
  const run = start();
  const done = run('a');
  const first = await done.placed;
  done.abort();
  const second = await run('a').placed;
  expect(second).toEqual(first);
});

it.each([
  ['die', 'the thread ended with 7'],
  ['throw', 'Error: broken'],
])('a thread that dies of "%s" loses its job alone, and is replaced', async (job, reason) => {
  verifies('W3-6.04');
  const run = start();
  const dies = run(job);
  const waits = run('a');
  expect(await dies.placed).toEqual({ ok: false, lost: { errorClass: 'other', reason } });
  expect(await waits.placed).toEqual(answered('a'));
  expect(workers).toHaveLength(2);
});

it('a program that cannot be started loses its job', async () => {
  verifies('W3-6.04');
  const run = start({ script: new URL('file:///no/such/program.js') });
  expect(await run('a').placed).toMatchObject({ ok: false, lost: { errorClass: 'other' } });
});

it('a thread that cannot be had loses the job, and the next one is tried', async () => {
  verifies('W3-6.04');
  const run = start({ script: new URL('http://127.0.0.1/program.js') });
  for (const job of ['a', 'b']) {
    expect(await run(job).placed).toMatchObject({ ok: false, lost: { errorClass: 'other' } });
  }
});

it('a stop refuses what runs and what waits, and leaves no thread', async () => {
  const run = start({ threads: 2 });
  await Promise.all([run('a').placed, run('b').placed]);
  const unfinished = [run('spin'), run('hold'), run('c')];
  expect(workers.map(({ threadId }) => threadId > 0)).toEqual([true, true]);
  await pools[0]!.stop();
  expect(workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
  for (const { placed } of unfinished) expect(await placed).toMatchObject(refused('NOT_READY'));
  expect(await run('d').placed).toMatchObject(refused('NOT_READY'));
  expect(workers).toHaveLength(2);
});
