import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { callTool, onboard } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir, until } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

interface OtlpSpan {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
}
interface OtlpRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

/** A collector that keeps what it is sent. */
const collector = async () => {
  const spans: OtlpSpan[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as OtlpRequest;
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { spans, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
};

const counted = async (url: string, outcome: string): Promise<number> => {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, count] = new RegExp(`^breakwater_trace_spans_total\\{outcome="${outcome}"\\} (\\d+)`, 'm').exec(text) ?? [];
  return Number(count);
};

test('a check-in arrives at the collector as a span with its boundaries below, and goes on a trace of its caller', async () => {
  verifies('W3-6.10');
  const { spans, url: endpoint } = await collector();
  // The standard variable counts when ours is not set.
  const server = spawnServer(folder, { env: { ...NO_LIMITS, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint } });
  const url = await server.ready();
  const { secret } = await onboard(url, 'Tracy');
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const args = { client_session_id: secret, response_text: 'One piece of work.' };
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
  expect((await callTool(url, 'sync_state', args, headers)).result).toMatchObject({ success: true });
  const finding = {
    client_session_id: secret,
    summary: 'A trace has a transaction where rows of two tables are written',
  };
  expect((await callTool(url, 'store_finding', finding)).result).toMatchObject({ success: true });
  expect(await server.stop(), 'what waits is sent before the end').toMatchObject({ code: 0 });
  expect(server.stderr()).toBe('');
  const checkIn = spans.find(({ name }) => name === 'tools/call process_agent_update');
  expect(checkIn).toMatchObject({ traceId, parentSpanId: '00f067aa0ba902b7' });
  const below = spans.filter(({ parentSpanId }) => parentSpanId === checkIn?.spanId);
  expect(below.map(({ name }) => name)).toContain('group commit');
  expect(spans.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['tools/call onboard', 'postgresql transaction', 'postgresql query']),
  );
});

test('without a collector calls are answered, spans are counted as failed, and one warning is written', async () => {
  const env = { ...NO_LIMITS, BREAKWATER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const server = spawnServer(folder, { env });
  const url = await server.ready();
  const { secret } = await onboard(url, 'Theo');
  const args = { client_session_id: secret, response_text: 'One piece of work.' };
  expect((await callTool(url, 'sync_state', args)).result).toMatchObject({ success: true });
  await until(async () => ((await counted(url, 'failed')) > 0 ? true : undefined), 'the failure is counted');
  expect(await counted(url, 'exported')).toBe(0);
  const { code, ms } = await server.stop();
  expect(code).toBe(0);
  expect(ms).toBeLessThan(5_000);
  const warnings = server
    .stderr()
    .split('\n')
    .filter((line) => line.includes('traces do not reach their collector'));
  expect(warnings).toHaveLength(1);
});

test.each([
  ['BREAKWATER_OTLP_ENDPOINT', 'localhost:4318'],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'ftp://collector'],
  ['BREAKWATER_TRACE_RATIO', '1.5'],
])('%s=%s is refused by its name', async (name, value) => {
  const server = spawnServer(folder, { env: { [name]: value } });
  expect((await server.exited).code).not.toBe(0);
  expect(server.stderr()).toContain(`${name}="${value}" must be`);
});
