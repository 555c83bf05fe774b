import { describe, expect, it } from 'vitest';
import { onboard } from '../../testing/calls.ts';
import { testWorld } from '../../testing/world.ts';
import { DAY_MS, idsFrom, seededRandom } from '../runtime/index.ts';
import { Notices } from './service.ts';

describe('what programs report', async () => {
  const w = await testWorld();
  const report = (action: string, args = {}) => w.call('report', { action, ...args });
  const finding = (more = {}) =>
    report('finding', { type: 'sentinel_finding', severity: 'high', message: 'Two agents dropped.', ...more });

  it('is one finding, however often it is reported within a day and by however many at once', async () => {
    const same = { fingerprint: 'drop-1', violation_class: 'INT' };
    const all = await Promise.all([finding(same), finding(same), finding(same)]);
    expect(all.map(({ body }) => body['deduped']).sort()).toEqual([false, true, true]);
    const ids = all.map(({ body }) => (body['event'] as { event_id: string }).event_id);
    expect(new Set(ids).size).toBe(1);
    expect(all[0].body['event']).toMatchObject({ ...same, type: 'sentinel_finding', severity: 'high' });
    w.clock.advance(DAY_MS + 1);
    expect((await finding(same)).body['deduped']).toBe(false);
    expect((await w.call('notices')).body).toMatchObject({ count: 2, findings: [same, same] });
    expect((await w.call('notices', { severity: 'low' })).body['count']).toBe(0);
  });

  it('is told apart by its action, which has no default', async () => {
    expect(await w.call('report', { message: 'Half of it.' })).toMatchObject({
      code: 'PARAMETER_ERROR',
      body: { parameter: 'action' },
    });
  });

  it.each([
    ['type', { type: 'sentinel' }],
    ['message', { message: ' ' }],
    ['severity', { severity: null }],
  ])('refuses a finding without its %s', async (parameter, args) => {
    expect(await finding(args)).toMatchObject({ code: 'PARAMETER_ERROR', body: { parameter } });
  });

  it('keeps no secret of whoever reports', async () => {
    const { secret, uuid } = await onboard(w.call);
    await finding({ client_session_id: secret, fingerprint: 'secretive' });
    const rows = await w.rows(`SELECT agent_id, payload::text AS text FROM core.notices WHERE key = 'secretive'`);
    expect(rows[0]?.['agent_id']).toBe(uuid);
    expect(rows[0]?.['text']).not.toContain(secret);
  });

  it('is a series of a metric, in its order, and outlives a restart', async () => {
    const at = (days: number) => new Date(w.clock.now() - days * DAY_MS).toISOString();
    for (const [days, value] of [
      [2, 11],
      [1, 12],
      [40, 1],
    ] as const) {
      expect((await report('metric', { name: 'tests.passed', value, ts: at(days) })).ok).toBe(true);
    }
    await report('metric', { name: 'tests.passed', value: 13 });
    await report('metric', { name: 'tests.passed', value: 12.5, ts: at(1) });
    await w.restart();
    const series = async (args = {}) =>
      (
        (await w.call('notices', { action: 'series', name: 'tests.passed', ...args })).body['points'] as {
          value: number;
        }[]
      ).map(({ value }) => value);
    expect(await series()).toEqual([11, 12.5, 13]);
    expect(await series({ since: '60d', limit: 3 })).toEqual([11, 12.5, 13]);
    expect(await series({ since: '60d' })).toEqual([1, 11, 12.5, 13]);
    expect((await w.call('notices', { action: 'catalog' })).body['metrics']).toMatchObject([
      { name: 'tests.passed', points: 4 },
    ]);
  });

  it.each([
    ['name', { name: 'no spaces here', value: 1 }],
    ['value', { name: 'x' }],
    ['ts', { name: 'x', value: 1, ts: 'yesterday' }],
    ['ts', { name: 'x', value: 1, ts: '9999-01-01T00:00:00Z' }],
  ])('refuses a value whose %s is none: %j', async (parameter, args) => {
    expect(await report('metric', args)).toMatchObject({ code: 'PARAMETER_ERROR', body: { parameter } });
  });

  it('of an agent needs the proof of that agent; of a session without identity it needs none', async () => {
    expect((await report('runtime', { event: 'heartbeat' })).code).toBe('IDENTITY_REQUIRED');
    const { secret, uuid } = await onboard(w.call);
    const own = { client_session_id: secret, agent_uuid: uuid, event: 'heartbeat' };
    expect((await report('runtime', own)).ok).toBe(true);
    expect((await w.call('record_progress_pulse', { client_session_id: secret, message: 'half' })).ok).toBe(true);
    const other = await onboard(w.call);
    expect((await report('runtime', { ...own, agent_uuid: other.uuid })).code).toBe('IDENTITY_CONFLICT');
    expect((await report('substrate', { slot_key: 'slot', event: 'turn_stop', tool_count: 3 })).ok).toBe(true);
    expect((await report('substrate')).body['parameter']).toBe('slot_key');
    const kinds = await w.rows('SELECT kind, count(*)::int AS n FROM core.notices GROUP BY kind ORDER BY kind');
    expect(kinds.filter(({ kind }) => kind !== 'finding')).toEqual([
      { kind: 'progress', n: 1 },
      { kind: 'runtime', n: 1 },
      { kind: 'substrate', n: 1 },
    ]);
  });

  it('is kept for its time, and no longer', async () => {
    const notices = new Notices({ database: w.database, clock: w.clock, ids: idsFrom(seededRandom(1)) });
    w.clock.advance(29 * DAY_MS);
    await notices.prune();
    expect(await w.count('core.notices')).toBeGreaterThan(0);
    w.clock.advance(2 * DAY_MS);
    await notices.prune();
    expect(await w.count('core.notices')).toBe(0);
    expect(await w.count('core.metric_points')).toBe(4);
    w.clock.advance(400 * DAY_MS);
    await notices.prune();
    expect(await w.count('core.metric_points')).toBe(0);
  });

  it('of metrics has a thousand names at most', async () => {
    await w.rows(`INSERT INTO core.metric_points SELECT 'm' || n, now(), 1 FROM generate_series(1, 1000) AS n`);
    expect(await report('metric', { name: 'one.more', value: 1 })).toMatchObject({ body: { parameter: 'name' } });
    expect((await report('metric', { name: 'm7', value: 1 })).ok).toBe(true);
  });
});

describe('the fleet at once', async () => {
  const w = await testWorld();
  const [ada, bob, eve] = [
    await onboard(w.call, { name: 'Ada' }),
    await onboard(w.call, { name: 'Bob' }),
    await onboard(w.call, { name: 'Eve' }),
  ];
  const observe = (action: string, args = {}) => w.call('observe', { action, ...args });

  it('is means of those who have checked in, and nothing is made up before', async () => {
    expect((await observe('aggregate')).body['aggregate']).toEqual({
      total_agents: 3,
      agents_with_data: 0,
      means: null,
    });
    for (const { secret } of [ada, bob]) {
      await w.call('sync_state', { client_session_id: secret, response_text: 'work', confidence: 0.7 });
    }
    const { body } = await observe('aggregate');
    expect(body['aggregate']).toMatchObject({ total_agents: 3, agents_with_data: 2 });
    expect((await observe('agent', { target_agent_id: 'Eve' })).body).toMatchObject({ label: 'Eve', metrics: null });
    expect((await observe('agent', { client_session_id: ada.secret })).body['agent_id']).toBe(ada.uuid);
    expect((await observe('agent')).body['parameter']).toBe('target_agent_id');
    const similar = (await observe('similar', { target_agent_id: 'Ada' })).body['similar_agents'];
    expect(similar).toMatchObject([{ label: 'Bob', distance: 0 }]);
    expect((await observe('compare', { agent_ids: ['Ada', 'Bob', 'Eve'] })).body).toMatchObject({
      compared: 3,
      agents: [{ label: 'Ada' }, { label: 'Bob' }, { label: 'Eve', metrics: null }],
    });
    expect((await observe('compare', { agent_ids: ['Ada', 'Nobody'] })).code).toBe('AGENT_NOT_FOUND');
  });

  it('shows an agent that is paused, under an id that tells strangers nothing', async () => {
    expect((await w.call('detect_anomalies')).body).toMatchObject({ anomalies: [], count: 0, agents_analyzed: 3 });
    for (let i = 0; i < 12; i += 1) {
      const claim = await w.call('sync_state', {
        client_session_id: eve.secret,
        response_text: `${i}`,
        confidence: 0.95,
      });
      const failed = { outcome_type: 'test_failed', detail: { command: 'npm test', exit_code: 1 } };
      const { prediction_id } = claim.body;
      if (prediction_id === undefined) break;
      await w.call('record_result', { client_session_id: eve.secret, prediction_id, ...failed });
    }
    const { body } = await observe('anomalies');
    const [first] = body['anomalies'] as Record<string, unknown>[];
    expect(first).toMatchObject({ agent_name: 'Eve', type: 'paused', severity: 'high' });
    expect(JSON.stringify(body)).not.toContain(eve.uuid);
    expect((await observe('anomalies', { limit: 1 })).body['anomalies']).toHaveLength(1);
  });

  it.each(['telemetry', 'audit_events', 'outcome_evidence', 'bridge'])(
    'says where %s is to be seen',
    async (action) => {
      expect(await observe(action)).toMatchObject({ code: 'NOT_OFFERED' });
    },
  );

  it('tells thresholds, and lets nobody set them', async () => {
    expect((await w.call('get_thresholds')).body['thresholds']).toMatchObject({
      claims_pause: 1000,
      loop_same_topic: 5,
    });
    expect((await w.call('set_thresholds', { thresholds: { risk: 1 } })).code).toBe('NOT_OFFERED');
  });

  it.each(['call_model', 'delegate_inference', 'list_inference_hosts', 'describe_inference_host', 'export', 'skills'])(
    'refuses %s with a reason, instead of not knowing it',
    async (name) => {
      const { code, body } = await w.call(name, { prompt: 'x' });
      expect(code).toBe('NOT_OFFERED');
      expect(String(body['error']).length).toBeGreaterThan(20);
    },
  );
});
