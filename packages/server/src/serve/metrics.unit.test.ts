import { afterEach, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { startFakeNode } from './testing/fake-node.ts';
import { initialize, legacyCall, modernCall, post } from './testing/mcp-messages.ts';

let stop: (() => Promise<void>) | undefined;
afterEach(() => stop?.());

/** The value of one series, by its name and the labels that the test names. */
const series = (text: string, name: string, labels: Record<string, string> = {}): number | undefined => {
  const line = text
    .split('\n')
    .find(
      (candidate) =>
        (candidate.startsWith(`${name}{`) || candidate.startsWith(`${name} `)) &&
        Object.entries(labels).every(([label, value]) => candidate.includes(`${label}="${value}"`)),
    );
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
};

test('failed tools count as errors whatever the transport, and callers cannot make series', async () => {
  verifies('BW-serve.07', 'BW-serve.09');
  const node = await startFakeNode();
  stop = node.stop;
  const rest = (name: string, args: object = {}) =>
    fetch(`${node.url}/v1/tools/call`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, arguments: args }),
    });
  const refused = { name: 'refuse', arguments: { code: 'AGENT_PAUSED' } };
  await rest('echo');
  await rest('refuse', { code: 'AGENT_PAUSED' });
  await rest('refuse', { code: 'NOT_READY' });
  await rest('invented-by-the-caller');
  await post(node.url, legacyCall({ params: refused }));
  await post(node.url, modernCall({ params: refused }));
  await post(node.url, modernCall({ params: refused, headers: { accept: 'text/event-stream' } })).then((r) => r.text());
  await post(node.url, initialize());
  await post(node.url, legacyCall({ message: { method: 'made/up' } }));

  const text = await (await fetch(`${node.url}/metrics`)).text();
  const count = (labels: Record<string, string>) => series(text, 'mcp_server_operation_duration_seconds_count', labels);
  const call = { mcp_method_name: 'tools/call' };
  expect(count({ ...call, gen_ai_tool_name: 'echo', error_type: '' })).toBe(1);
  expect(count({ ...call, gen_ai_tool_name: 'refuse', error_type: 'tool_error', breakwater_transport: 'rest' })).toBe(
    1,
  );
  expect(count({ ...call, gen_ai_tool_name: 'refuse', error_type: 'tool_error', breakwater_transport: 'mcp' })).toBe(3);
  expect(count({ ...call, gen_ai_tool_name: 'refuse', error_type: '503' })).toBe(1);
  expect(count({ ...call, gen_ai_tool_name: '_unknown', error_type: 'tool_error' })).toBe(1);
  expect(count({ mcp_method_name: 'initialize', error_type: '' })).toBe(1);
  expect(count({ mcp_method_name: '_other' })).toBe(1);
  expect(series(text, 'breakwater_tool_errors_total', { gen_ai_tool_name: 'refuse', error_code: 'AGENT_PAUSED' })).toBe(
    4,
  );
  expect(
    series(text, 'http_server_request_duration_seconds_count', {
      http_route: '/v1/tools/call',
      http_response_status_code: '503',
    }),
  ).toBe(1);
  expect(text).not.toContain('invented-by-the-caller');
  expect(text).not.toContain('made/up');
});

test('gauges and commits are exposed as they are at the time of the question', async () => {
  verifies('BW-serve.09');
  const node = await startFakeNode({ ready: false });
  stop = node.stop;
  let waiting = 3;
  node.options.metrics.watch({
    mailboxes: { agents: () => ({ keys: 10, waiting }) },
    liveTables: { flags: () => 4 },
    readiness: () => node.readiness.parts(),
    channel: () => ({ failures: { stored: 5, dropped: 2, waiting: 1 } }),
    commitQueue: () => 7,
    loopDelay: () => ({ maxMs: 20, p99Ms: 5 }),
  });
  node.options.metrics.commit({ items: 12, ok: true, seconds: 0.004 });
  node.options.metrics.commit({ items: 1, ok: false, seconds: 0.1 });
  const read = async () => (await fetch(`${node.url}/metrics`)).text();
  let text = await read();
  expect(series(text, 'breakwater_mailbox_keys', { mailbox: 'agents' })).toBe(10);
  expect(series(text, 'breakwater_mailbox_waiting', { mailbox: 'agents' })).toBe(3);
  expect(series(text, 'breakwater_live_table_rows', { table: 'flags' })).toBe(4);
  expect(series(text, 'breakwater_ready', { part: 'flags' })).toBe(0);
  expect(series(text, 'breakwater_commit_waiting')).toBe(7);
  expect(series(text, 'breakwater_channel_emissions', { kind: 'failures', fate: 'dropped' })).toBe(2);
  expect(series(text, 'breakwater_event_loop_delay_seconds', { quantile: '0.99' })).toBe(0.005);
  expect(series(text, 'breakwater_commit_items_total', { outcome: 'committed' })).toBe(12);
  expect(series(text, 'breakwater_commit_duration_seconds_count', { outcome: 'failed' })).toBe(1);
  expect(series(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
  waiting = 0;
  node.readiness.report('flags', true);
  text = await read();
  expect(series(text, 'breakwater_mailbox_waiting', { mailbox: 'agents' })).toBe(0);
  expect(series(text, 'breakwater_ready', { part: 'flags' })).toBe(1);
});
