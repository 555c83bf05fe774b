import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { describe, expect, onTestFinished, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from '../runtime/index.ts';
import { startFakeNode } from './testing/fake-node.ts';
import { initialize, legacyCall, MODERN, modernCall, post } from './testing/mcp-messages.ts';
import { createTracing } from './tracing-otel.ts';
import { startTracing, type Tracing } from './tracing.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const PARENT = `00-${TRACE}-${SPAN}-01`;
const OTHER_TRACE = '11111111111111111111111111111111';
const OTHER_PARENT = `00-${OTHER_TRACE}-2222222222222222-01`;

const common = {
  endpoint: new URL('http://127.0.0.1:1'),
  ratio: 1,
  version: 'test',
  instanceId: 'i',
  clock: systemClock,
};

/** A server whose spans come back after `spans()`. */
const traced = async (change: { ratio?: number } = {}) => {
  const exporter = new InMemorySpanExporter();
  const errors: Error[] = [];
  const tracing = createTracing({ ...common, ...change, exporter, onError: (error) => errors.push(error) });
  // It empties itself when it ends.
  const seen: ReadableSpan[] = [];
  const shutdown = exporter.shutdown.bind(exporter);
  exporter.shutdown = async () => {
    seen.push(...exporter.getFinishedSpans());
    await shutdown();
  };
  const node = await startFakeNode({ tracing });
  onTestFinished(() => node.stop());
  const spans = async () => {
    await tracing.stop();
    expect(errors).toEqual([]);
    return seen;
  };
  return { ...node, tracing, spans };
};

const rest = (url: string, name: string, args: object = {}, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/tools/call`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name, arguments: args }),
  });

const only = (spans: readonly ReadableSpan[]): ReadableSpan => {
  expect(spans).toHaveLength(1);
  return spans[0] as ReadableSpan;
};

/** 0: taken, 1: failed; the library that names them is none of ours. */
type ResultCode = Parameters<Parameters<SpanExporter['export']>[1]>[0]['code'];

describe('the span of an operation', () => {
  test('says by the conventions for MCP what was called, on either path and over REST', async () => {
    const node = await traced();
    await post(node.url, legacyCall({ message: { id: 7 }, headers: { 'mcp-protocol-version': '2025-06-18' } }));
    await post(node.url, modernCall({ message: { id: 'käse' } }));
    const streamed = await post(node.url, modernCall({ headers: { accept: 'text/event-stream' } }));
    await streamed.text();
    await rest(node.url, 'echo');
    const [fast, modern, sse, overRest, ...more] = await node.spans();
    expect(more).toEqual([]);
    for (const span of [fast, modern, sse, overRest]) {
      expect(span).toMatchObject({ name: 'tools/call echo', kind: SpanKind.SERVER });
      expect(span?.parentSpanContext).toBeUndefined();
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(span?.attributes).toMatchObject({
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'echo',
        'gen_ai.operation.name': 'execute_tool',
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'network.protocol.version': '1.1',
      });
      expect(span?.attributes).not.toHaveProperty('error.type');
    }
    expect(fast?.attributes).toMatchObject({ 'jsonrpc.request.id': '7', 'mcp.protocol.version': '2025-06-18' });
    expect(modern?.attributes).toMatchObject({ 'jsonrpc.request.id': 'käse', 'mcp.protocol.version': MODERN });
    expect(sse?.attributes).toMatchObject({ 'jsonrpc.request.id': '1', 'breakwater.transport': 'mcp' });
    expect(overRest?.attributes).toMatchObject({ 'breakwater.transport': 'rest' });
    expect(overRest?.attributes).not.toHaveProperty('jsonrpc.request.id');
    expect(overRest?.resource.attributes).toMatchObject({ 'service.name': 'breakwater', 'service.instance.id': 'i' });
  });

  test('other methods are named by themselves, and callers cannot make names', async () => {
    const node = await traced();
    const answer = await post(node.url, initialize());
    const session = answer.headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    const headers = { 'mcp-session-id': session };
    await post(
      node.url,
      legacyCall({ message: { id: undefined, method: 'notifications/initialized', params: {} }, headers }),
    );
    await post(node.url, legacyCall({ message: { id: 3, method: 'tools/list', params: {} }, headers }));
    await post(node.url, legacyCall({ message: { method: 'made/up' } }));
    await rest(node.url, 'invented-by-the-caller');
    const spans = await node.spans();
    expect(spans.map(({ name }) => name)).toEqual([
      'initialize',
      'notifications/initialized',
      'tools/list',
      '_other',
      'tools/call _unknown',
    ]);
    for (const span of spans.slice(0, 3)) expect(span.attributes).not.toHaveProperty('gen_ai.operation.name');
    expect(spans[1]?.attributes, 'a notification has no id').not.toHaveProperty('jsonrpc.request.id');
    expect(spans[2]?.attributes).toMatchObject({ 'jsonrpc.request.id': '3' });
    expect(spans[2]?.attributes['mcp.session.id']).toEqual(spans[1]?.attributes['mcp.session.id']);
    const sent = JSON.stringify(spans.map(({ name, attributes }) => [name, attributes]));
    expect(sent, 'the id of a session is a secret').not.toContain(session);
    expect(sent).not.toContain('invented-by-the-caller');
  });

  test('a failed tool is an error, whatever the transport made of it', async () => {
    verifies('BW-serve.07');
    const node = await traced();
    const refused = (code: string) => ({ params: { name: 'refuse', arguments: { code } } });
    await post(node.url, legacyCall(refused('AGENT_PAUSED')));
    await rest(node.url, 'refuse', { code: 'AGENT_PAUSED' });
    await rest(node.url, 'refuse', { code: 'NOT_READY' });
    await rest(node.url, 'crash');
    const spans = await node.spans();
    expect(spans.map(({ attributes }) => [attributes['error.type'], attributes['breakwater.error.code']])).toEqual([
      ['tool_error', 'AGENT_PAUSED'],
      ['tool_error', 'AGENT_PAUSED'],
      ['503', 'NOT_READY'],
      ['tool_error', 'INTERNAL_ERROR'],
    ]);
    for (const span of spans) expect(span.status.code).toBe(SpanStatusCode.ERROR);
    expect(JSON.stringify(spans.map(({ attributes, events }) => [attributes, events]))).not.toContain('secret detail');
  });
});

describe('the trace of a caller', () => {
  test('goes on: from the header, or rather from the message, which then has the header as a link', async () => {
    const node = await traced();
    await rest(node.url, 'echo', {}, { traceparent: PARENT });
    await post(node.url, legacyCall({ params: { _meta: { traceparent: PARENT, tracestate: 'a=1' } } }));
    await post(node.url, modernCall({ meta: { traceparent: PARENT }, headers: { traceparent: OTHER_PARENT } }));
    await post(node.url, legacyCall({ message: { method: 'ping', params: { _meta: { traceparent: PARENT } } } }));
    const spans = await node.spans();
    for (const span of spans) {
      expect(span.spanContext().traceId).toBe(TRACE);
      expect(span.parentSpanContext).toMatchObject({ spanId: SPAN, isRemote: true });
    }
    expect(spans.map(({ links }) => links.map(({ context }) => context.traceId))).toEqual([[], [], [OTHER_TRACE], []]);
  });

  test.each([
    'x',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])('that is none begins anew: %s', async (traceparent) => {
    const node = await traced();
    await rest(node.url, 'echo', {}, { traceparent });
    const span = only(await node.spans());
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.spanContext().traceId).not.toBe(TRACE);
  });

  test('that the caller does not keep is not kept here, and one of a later version is read', async () => {
    const node = await traced();
    await rest(node.url, 'echo', {}, { traceparent: `00-${TRACE}-${SPAN}-00` });
    await rest(node.url, 'echo', {}, { traceparent: `01-${TRACE}-${SPAN}-01-what-comes` });
    expect(only(await node.spans()).parentSpanContext).toMatchObject({ spanId: SPAN });
  });

  test('that begins here is kept by its share', async () => {
    const node = await traced({ ratio: 0 });
    await rest(node.url, 'echo');
    await rest(node.url, 'echo', {}, { traceparent: PARENT });
    expect(only(await node.spans()).spanContext().traceId).toBe(TRACE);
  });
});

describe('a crossing', () => {
  const work = { name: 'group commit', kind: 'internal', attributes: {} } as const;
  const request = { method: 'ping', transport: 'mcp', httpVersion: '1.1', local: true, requestId: 'r' } as const;

  test('of a request that is over, or is not kept, is shown nowhere', async () => {
    const node = await traced();
    const kept = node.tracing.begin({ ...request, headers: {} });
    const crossing = kept.cross(work);
    kept.end({});
    expect(kept.cross(work)).toBeUndefined();
    crossing?.end('TIMEOUT');
    const ignored = node.tracing.begin({ ...request, headers: { traceparent: `00-${TRACE}-${SPAN}-00` } });
    expect(ignored.cross(work)).toBeUndefined();
    const [ping, commit, ...more] = await node.spans();
    expect(more).toEqual([]);
    expect(ping?.attributes).toMatchObject({ 'network.transport': 'unix' });
    expect(commit?.parentSpanContext?.spanId).toBe(ping?.spanContext().spanId);
    expect(commit).toMatchObject({ name: 'group commit', attributes: { 'error.type': 'TIMEOUT' } });
    expect(crossing?.traceparent).toBe(`00-${commit?.spanContext().traceId}-${commit?.spanContext().spanId}-01`);
  });
});

describe('the collector', () => {
  const flooded = (tracing: Tracing, spans: number) => {
    for (let i = 0; i < spans; i += 1) {
      const request = { httpVersion: '1.1', local: false, requestId: 'r' };
      tracing.begin({ method: 'ping', transport: 'mcp', headers: {}, ...request }).end({});
    }
  };

  test('one that takes nothing costs a bounded queue; what has no room there is counted', async () => {
    const hanging: SpanExporter = { export: () => undefined, shutdown: () => new Promise(() => undefined) };
    const tracing = createTracing({ ...common, exporter: hanging, queue: 8, onError: () => undefined });
    flooded(tracing, 20);
    expect(tracing.counts).toEqual({ exported: 0, dropped: 12, failed: 0 });
    const started = performance.now();
    await tracing.stop();
    expect(performance.now() - started, 'nor does it hold up the stop').toBeLessThan(3_000);
  });

  test('one that fails is complained of once for an outage, and every span is counted', async () => {
    const errors: string[] = [];
    const outcomes = [1, 1, 0, 1] as unknown[] as ResultCode[];
    const fine = 0 as unknown as ResultCode;
    const failing: SpanExporter = {
      export: (_, done) => done({ code: outcomes.shift() ?? fine, error: new Error('no') }),
      shutdown: () => Promise.resolve(),
    };
    const tracing = createTracing({
      ...common,
      exporter: failing,
      queue: 2,
      onError: ({ message }) => errors.push(message),
    });
    // A full batch goes out at once.
    for (let batch = 0; batch < 4; batch += 1) {
      flooded(tracing, 2);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(tracing.counts).toEqual({ exported: 2, dropped: 0, failed: 6 });
    expect(errors).toEqual(['no', 'no']);
    await tracing.stop();
  });

  test('gets the spans as OTLP over HTTP, below the base that was set', async () => {
    const got: { path: string | undefined; body: string }[] = [];
    const collector = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        got.push({ path: request.url, body });
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      });
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void collector.close());
    const endpoint = new URL(`http://127.0.0.1:${(collector.address() as AddressInfo).port}/otlp/`);
    const tracing = await startTracing({ ...common, endpoint, onError: () => undefined });
    flooded(tracing, 1);
    await tracing.stop();
    expect(got).toHaveLength(1);
    expect(got[0]?.path).toBe('/otlp/v1/traces');
    expect(got[0]?.body).toContain('"mcp.method.name"');
    expect(tracing.counts).toEqual({ exported: 1, dropped: 0, failed: 0 });
  });
});
