import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectMcp } from '../testing/mcp.ts';
import { overRest, post, ReferenceClient, ReferenceError, type Anchor } from '../testing/reference-client.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { removeDataDir, spawnServer, temporaryDataDir, type ServerProcess } from '../testing/server.ts';

const HOUR = 3_600_000;
/** Moves the wall clock of a process, so that a server can have been away for days. Its timers run as ever. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
  const shift = Number(process.env.TEST_CLOCK_SHIFT_MS ?? '0');
  const Real = globalThis.Date;
  globalThis.Date = class Date extends Real {
    constructor(...args) {
      if (args.length === 0) super(Real.now() + shift);
      else super(...args);
    }
    static now() {
      return Real.now() + shift;
    }
  };
`)}`;

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
/** Starts the server with its wall clock moved. */
const start = async (shiftMs: number): Promise<void> => {
  server = spawnServer(folder, {
    env: {
      BREAKWATER_CALLS_PER_MINUTE: '0',
      BREAKWATER_CALLS_PER_HOUR: '0',
      BREAKWATER_RESIDENTS: 'Vigil',
      NODE_OPTIONS: `--import=${CLOCK}`,
      TEST_CLOCK_SHIFT_MS: String(shiftMs),
    },
  });
  url = await server.ready();
};
beforeAll(() => start(0));
afterAll(async () => {
  await server.stop();
  await removeDataDir(folder);
});

const born = async (name: string): Promise<ReferenceClient> => {
  const client = new ReferenceClient(overRest(url));
  await client.onboard(name, { force_new: true });
  return client;
};

test('sdk: onboard, identity and check-in have every field that its models require', async () => {
  const client = await born('Sdk');
  const { agentUuid, continuityToken } = client.anchor!;
  await client.identity({ agent_uuid: agentUuid, continuity_token: continuityToken, resume: true, name: 'Sdk' });
  await client.identity({ client_session_id: client.anchor!.clientSessionId });
  expect(client.anchor?.agentUuid).toBe(agentUuid);
  for (const response_mode of ['compact', 'mirror', 'full', 'standard']) {
    expect(await client.checkIn(`In mode ${response_mode}.`, { response_mode })).toBe('proceed');
  }
  expect(await client.bound('check_working_state')).toMatchObject({ metrics: { coherence: 0.5 } });
  expect(await client.bound('self_recovery', { action: 'check' })).toMatchObject({ success: true });
});

test('sdk: identity() over a bound MCP session answers the uuid and a secret', async () => {
  const mcp = await connectMcp(url, '2025');
  const client = new ReferenceClient(async (name, args) => {
    const { result, isError } = await mcp.call(name, args);
    if (isError) throw new ReferenceError(name, result);
    return result;
  });
  await client.onboard('Bound');
  const { agentUuid } = client.anchor!;
  await client.identity();
  await client.identity({ name: 'Bound' });
  expect(client.anchor?.agentUuid).toBe(agentUuid);
  await mcp.close();
  const elsewhere = new ReferenceClient(overRest(url), client.anchor);
  expect(await elsewhere.checkIn('By the secret, over REST.')).toBe('proceed');
});

test('sdk: identity() that proves nobody is a refusal with words', async () => {
  const client = new ReferenceClient(overRest(url));
  for (const args of [{}, { resume: true }, { name: 'Nobody' }]) {
    await expect(client.identity(args)).rejects.toThrow(/no proof of an identity/);
  }
});

test('sdk: knowledge methods, with numbers and booleans as words, read what they look for', async () => {
  const client = await born('Librarian');
  const stored = await client.bound('knowledge', {
    action: 'store',
    summary: 'The pool is exhausted at night',
    discovery_type: 'bug_found',
    severity: 'medium',
    tags: ['pool'],
  });
  expect(stored['discovery_id']).toEqual(expect.any(String));
  const note = await client.bound('knowledge', { action: 'note', summary: 'Look at the pool', tags: ['pool'] });
  expect(note['discovery_id']).toEqual(expect.any(String));
  expect((await client.bound('knowledge', { action: 'search', query: 'pool exhausted' }))['results']).toHaveLength(1);
  const newest = (await client.bound('knowledge', { action: 'search' }))['results'] as Json[];
  expect(newest[0]?.['summary']).toBe('Look at the pool');
  const audited = await client.bound('knowledge', { action: 'audit', scope: 'open', top_n: '10', use_model: 'true' });
  expect(audited['audit']).toMatchObject({ total_audited: 2, buckets: { healthy: 2 }, top_stale: [] });
  const cleaned = await client.bound('knowledge', { action: 'cleanup', dry_run: 'false' });
  expect(cleaned['cleanup_result']).toMatchObject({
    discoveries_archived: 0,
    ephemeral_archived: 0,
    discoveries_deleted: 0,
  });
});

test('sdk: model inference is refused with a reason', async () => {
  const client = await born('Modeller');
  for (const name of ['call_model', 'delegate_inference', 'list_inference_hosts', 'describe_inference_host']) {
    await expect(client.bound(name, { prompt: 'x' })).rejects.toThrow(/runs no models/);
  }
});

test('sdk: what policy forbids is a refusal in an answer of HTTP 200', async () => {
  const client = await born('Escalating');
  await expect(
    client.bound('agent', { action: 'update', tags: ['persistent'], target_agent_id: client.anchor!.agentUuid }),
  ).rejects.toThrow(/cannot give itself the tag/);
});

test('mcp: a host is shown every name that the plugin and our texts tell it to call', async () => {
  const response = await fetch(`${url}/mcp/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} }),
  });
  const { result } = (await response.json()) as { result: { tools: { name: string }[] } };
  expect(result.tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'onboard',
      'bind_session',
      'self_recovery',
      'request_review',
      'search_shared_memory',
      'store_finding',
      'update_finding',
      'leave_note',
      'archive_orphan_agents',
      'detect_stuck_agents',
      'operator_resume_agent',
      'observe',
      'config',
      'dialectic',
    ]),
  );
});

test('plugin: five equal reports of its edit hook leave the words of the agent alone', async () => {
  const client = await born('Editor');
  const hook = { epistemic_class: 'substrate_interpretation', confidence: undefined };
  for (let i = 0; i < 5; i += 1) await client.checkIn('Auto: 5 edits across 1 file (/path/a.py) [hook]', hook);
  expect(await client.checkIn('Refactored the parser.')).toBe('proceed');
});

test('plugin: its hooks find health, recall, and the places for sessions without an identity', async () => {
  expect((await fetch(`${url}/health`)).status).toBe(200);
  const recall = await callTool(url, 'knowledge', {
    action: 'search',
    query: 'handoff open',
    operator: 'OR',
    include_provenance: true,
  });
  expect(recall.result['success']).toBe(true);
  const seen = {
    slot_key: 'slot-1',
    event: 'turn_stop',
    tool_count: 4,
    summary_excerpt: 'x',
    plugin_version: '0.4.14',
  };
  expect(await post(url, '/v1/substrate/observe', seen, 201)).toMatchObject({ success: true });
  const client = await born('Codex');
  const rollup = {
    agent_uuid: client.anchor!.agentUuid,
    client_session_id: client.anchor!.clientSessionId,
    event: 'activity_rollup',
    tools: 25,
  };
  expect(await post(url, '/v1/runtime/observe', rollup, 201)).toMatchObject({ success: true });
  await expect(post(url, '/v1/runtime/observe', { event: 'heartbeat' }, 201)).rejects.toThrow(/403/);
});

test('residents: Vigil finds deep health, the audit of tags, and a place for its findings', async () => {
  const vigil = await born('Vigil');
  const health = (await (await fetch(`${url}/health/deep`)).json()) as Json;
  expect(health).toMatchObject({
    status: 'healthy',
    operator_summary: { failing_checks: [] },
    _cache: { stale: false },
  });
  const audit = (await (await fetch(`${url}/v1/residents/tag_audit`)).json()) as Json;
  expect(audit).toMatchObject({ success: true, ok: true, checked: 1 });
  const residents = (await (await fetch(`${url}/v1/residents`)).json()) as Json;
  expect(residents).toMatchObject({ success: true, configured: ['Vigil'], residents: [{ label: 'Vigil' }] });
  const finding = {
    type: 'vigil_finding',
    severity: 'warning',
    message: 'The disk fills.',
    agent_id: vigil.anchor!.agentUuid,
    agent_name: 'Vigil',
    fingerprint: 'disk-1',
  };
  expect(await post(url, '/api/findings', finding, 200)).toMatchObject({ success: true, deduped: false });
  expect(await post(url, '/api/findings', finding, 200)).toMatchObject({ success: true, deduped: true });
  const listed = (await (await fetch(`${url}/api/findings?limit=5`)).json()) as Json;
  expect(listed).toMatchObject({ count: 1, findings: [{ fingerprint: 'disk-1', severity: 'warning' }] });
});

test('residents: Chronicler stores its fourteen metrics and reads their series', async () => {
  for (let i = 0; i < 14; i += 1) await post(url, '/v1/metrics', { name: `repo.metric_${i}`, value: i }, 201);
  const since = encodeURIComponent('14d');
  const series = (await (await fetch(`${url}/v1/metrics/series?name=repo.metric_7&since=${since}`)).json()) as Json;
  expect(series).toMatchObject({ success: true, name: 'repo.metric_7', count: 1, points: [{ value: 7 }] });
  const refused = await fetch(`${url}/v1/metrics/series`);
  expect([refused.status, ((await refused.json()) as Json)['parameter']]).toEqual([400, 'name']);
});

test('residents: the triage scribe asks for anomalies', async () => {
  const { result } = await callTool(url, 'observe', { action: 'anomalies' });
  expect(result).toMatchObject({ success: true, anomalies: expect.any(Array) as Json[] });
});

test('residents: one that slept for 26 hours, or for 30 days, comes back by its anchor; after that it is told the way', async () => {
  const resident = await born('Chronicler');
  await resident.checkIn('daily digest');
  const old: Anchor = resident.anchor!;
  for (const hours of [26, 30 * 24 - 1]) {
    await server.stop();
    await start(hours * HOUR);
    const woken = new ReferenceClient(overRest(url), old);
    await woken.resume('Chronicler');
    expect(await woken.checkIn('daily digest')).toBe('proceed');
    expect(woken.anchor?.agentUuid).toBe(old.agentUuid);
  }
  await server.stop();
  await start((30 * 24 + 1) * HOUR);
  const late = new ReferenceClient(overRest(url), old);
  await expect(late.resume('Chronicler')).rejects.toThrow(/expired/);
});
