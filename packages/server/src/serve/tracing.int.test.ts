import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { dispatcherOf } from '../../testing/calls.ts';
import { testDatabase } from '../../testing/database.ts';
import { testNode } from '../../testing/node.ts';
import { verifies } from '../../testing/verifies.ts';
import { tracedDatabase } from '../postgres/index.ts';
import { SharedAnswers, systemClock } from '../runtime/index.ts';
import { createTracing } from './tracing-otel.ts';
import { createCallTool } from './tool-calls.ts';
import { createMetrics } from './metrics.ts';
import type { Json } from '../../testing/rest.ts';

const { database } = await testDatabase();

/** Tools over a real database, and the spans of each call. */
const world = async () => {
  const exporter = new InMemorySpanExporter();
  const kept: ReadableSpan[] = [];
  exporter.shutdown = async () => void kept.push(...exporter.getFinishedSpans());
  const tracing = createTracing({
    endpoint: new URL('http://127.0.0.1:1'),
    ratio: 1,
    version: 'test',
    instanceId: 'i',
    clock: systemClock,
    exporter,
    onError: () => undefined,
  });
  const watched = tracedDatabase(database);
  const node = await testNode(watched);
  const dispatcher = dispatcherOf(node, watched);
  const callTool = createCallTool(
    { dispatcher, metrics: createMetrics(), tracing, clock: systemClock, log: pino({ enabled: false }) },
    new SharedAnswers(systemClock),
  );
  let calls = 0;
  const call = async (name: string, args: Json = {}) => {
    calls += 1;
    const requestId = `${name}-${calls}`;
    const { body } = await callTool(
      { name, args, evidence: { address: '127.0.0.1', peer: 'test' }, transport: 'rest' },
      () => ({ headers: {}, httpVersion: '1.1', local: false, requestId }),
    );
    return body;
  };
  const spans = async () => {
    await node.stop();
    await tracing.stop();
    const of = (name: string) =>
      kept
        .filter(({ attributes }) => String(attributes['breakwater.request.id']).startsWith(name))
        .map((request) => ({
          request,
          below: kept.filter(({ parentSpanContext }) => parentSpanContext?.spanId === request.spanContext().spanId),
        }));
    return {
      of,
      orphans: kept.filter(({ kind, parentSpanContext }) => kind !== SpanKind.SERVER && !parentSpanContext),
    };
  };
  return { call, spans };
};

/** A span's start is read from the wall clock in whole ms, and its end counted from there: so fine are the times. */
const EXACT_TO = 1_000_000n;

const within = (outer: ReadableSpan, inner: ReadableSpan) => {
  const at = ([seconds, nanos]: [number, number]) => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
  return at(outer.startTime) <= at(inner.startTime) + EXACT_TO && at(inner.endTime) <= at(outer.endTime) + EXACT_TO;
};

test('each boundary that a call crosses is a span below it, also behind the queue of its agent', async () => {
  verifies('W3-6.10');
  const { call, spans } = await world();
  const { client_session_id } = await call('onboard', { name: 'Ada' });
  const checkIns = Array.from({ length: 3 }, (_, i) =>
    call('sync_state', { client_session_id, response_text: `Piece ${i} of work.`, confidence: 0.7 }),
  );
  for (const answer of await Promise.all(checkIns)) expect(answer).toMatchObject({ success: true });
  const stored = await call('store_finding', {
    client_session_id,
    summary: 'A finding is written with its trail at once',
  });
  expect(stored).toMatchObject({ success: true });
  const { of, orphans } = await spans();
  expect(orphans, 'no span of a crossing stands alone').toEqual([]);

  const [finding] = of('store_finding');
  expect(finding?.below.map(({ name, kind }) => [name, kind])).toContainEqual([
    'postgresql transaction',
    SpanKind.CLIENT,
  ]);
  const checkedIn = of('sync_state');
  expect(checkedIn).toHaveLength(3);
  for (const { request, below } of checkedIn) {
    const commits = below.filter(({ name }) => name === 'group commit');
    expect(commits, 'its own wait, and nobody else’s').toHaveLength(1);
    for (const span of below) {
      expect(span.attributes).toMatchObject({ 'db.system.name': 'postgresql' });
      expect(within(request, span)).toBe(true);
    }
  }
});

test('a commit that is refused is an error of its span', async () => {
  const { call, spans } = await world();
  const { client_session_id } = await call('onboard', { name: 'Bob' });
  await database.query({ text: `ALTER TABLE core.predictions ADD CONSTRAINT full_up CHECK (false) NOT VALID` });
  const answer = await call('sync_state', { client_session_id, response_text: 'One piece.' });
  await database.query({ text: 'ALTER TABLE core.predictions DROP CONSTRAINT full_up' });
  expect(answer).toMatchObject({ success: false });
  const { of } = await spans();
  const commit = of('sync_state')[0]?.below.find(({ name }) => name === 'group commit');
  expect(commit?.attributes['error.type']).toBe('INTERNAL_ERROR');
});
