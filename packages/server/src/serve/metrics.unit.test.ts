import { afterEach, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import type { AgentCommit, AgentHead } from '../agents/index.ts';
import { createFleetTally } from '../feed/index.ts';
import { head, ME, pauseUntil, vitals } from '../lifecycle/rules/testing/head.ts';
import { createLiveTable } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { boundedReading } from './bounded-reading.ts';
import type { FleetSeries } from './fleet-series.ts';
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
  const read = () => node.options.metrics.expose();
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

test('the fleet is counted from memory; what PostgreSQL does not tell is absent, and not zero', async () => {
  verifies('BW-serve.09');
  const node = await startFakeNode();
  stop = node.stop;
  const { table, writer } = createLiveTable<AgentHead>('agents');
  const tally = createFleetTally();
  let work: Awaited<ReturnType<FleetSeries['openWork']>>;
  node.options.metrics.watch({
    mailboxes: {},
    liveTables: {},
    readiness: () => ({}),
    fleet: {
      agents: table,
      tally,
      feedEvents: () => new Map([['drift', 2]]),
      openWork: () => Promise.resolve(work),
      spans: { exported: 5, dropped: 1, failed: 0 },
    },
  });
  const read = () => node.options.metrics.expose();
  let text = await read();
  expect(series(text, 'breakwater_agents', { status: 'paused' })).toBe(0);
  expect(series(text, 'breakwater_checkins_total', { verdict: 'guide' })).toBe(0);
  expect(series(text, 'breakwater_outcomes_total', { grade: 'tool_observed' })).toBe(0);
  expect(series(text, 'breakwater_open_work', { kind: 'review' })).toBeUndefined();
  expect(series(text, 'breakwater_trace_spans_total', { outcome: 'dropped' })).toBe(1);

  writer.publish(ME, head({ status: 'paused' }));
  const change = {
    countsUpdate: true,
    vitals: vitals({ verdict: 'guide' }),
    pause: { ...pauseUntil(0), sub_action: 'claims_pause' },
    outcomes: [{ grade: 'tool_observed' }, { grade: 'tool_observed' }],
  };
  tally.observe({ change } as unknown as AgentCommit);
  work = { reviews: 3, awaitingFacilitation: 1, sagas: 2, deadLetters: 0 };
  text = await read();
  expect(series(text, 'breakwater_agents', { status: 'paused' })).toBe(1);
  expect(series(text, 'breakwater_checkins_total', { verdict: 'guide' })).toBe(1);
  expect(series(text, 'breakwater_pauses_total', { sub_action: 'claims_pause' })).toBe(1);
  expect(series(text, 'breakwater_outcomes_total', { grade: 'tool_observed' })).toBe(2);
  expect(series(text, 'breakwater_feed_events_total', { type: 'drift' })).toBe(2);
  expect(series(text, 'breakwater_open_work', { kind: 'review_awaiting_facilitation' })).toBe(1);
  expect(series(await read(), 'breakwater_checkins_total', { verdict: 'guide' }), 'read again').toBe(1);
  work = undefined;
  expect(series(await read(), 'breakwater_open_work', { kind: 'review' }), 'nor what it said before').toBeUndefined();
});

test('the audit tables are there as they were last seen, and what nobody knows is no number', async () => {
  const node = await startFakeNode();
  stop = node.stop;
  let tables: { table: string; rows: number | null; bytes: number; ahead: number; overdue: string[] }[] = [];
  node.options.metrics.watch({ mailboxes: {}, liveTables: {}, readiness: () => ({}), auditTables: () => tables });
  const read = () => node.options.metrics.expose();
  const of = { table: 'events' };
  expect(series(await read(), 'breakwater_audit_bytes', of)).toBeUndefined();
  tables = [{ table: 'events', rows: null, bytes: 8192, ahead: 3, overdue: ['events_2026_01', 'events_2026_02'] }];
  const text = await read();
  expect(series(text, 'breakwater_audit_rows', of)).toBeUndefined();
  expect(series(text, 'breakwater_audit_bytes', of)).toBe(8192);
  expect(series(text, 'breakwater_audit_partitions_ahead', of)).toBe(3);
  expect(series(text, 'breakwater_audit_partitions_overdue', of)).toBe(2);
  tables = [{ table: 'events', rows: 7, bytes: 8192, ahead: 3, overdue: [] }];
  expect(series(await read(), 'breakwater_audit_rows', of)).toBe(7);
});

test('a scrape waits for PostgreSQL as long as it may, and asks it once at a time', async () => {
  const clock = new ManualClock();
  const answers: ((value: number) => void)[] = [];
  const failures: ((error: Error) => void)[] = [];
  const reading = boundedReading(
    () =>
      new Promise<number>((resolve, reject) => {
        answers.push(resolve);
        failures.push(reject);
      }),
    clock,
    1_000,
  );
  const [first, second] = [reading(), reading()];
  clock.advance(1_000);
  expect(await Promise.all([first, second])).toEqual([undefined, undefined]);
  const third = reading();
  expect(answers, 'the one that is under way').toHaveLength(1);
  answers[0]?.(7);
  expect(await third).toBe(7);
  const fourth = reading();
  failures[1]?.(new Error('away'));
  expect(await fourth).toBeUndefined();
  expect(clock.pending).toBe(0);
});
