import { describe, expect, it } from 'vitest';
import { operator } from '../../testing/calls.ts';
import type { Json } from '../../testing/rest.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';
import { agent, as, audited, found, row, store } from './testing/library.ts';
import { HOUR_MS } from '../runtime/index.ts';

describe('store', async () => {
  const w = await testWorld();

  it('keeps a finding, says what is near, and leaves a link in the chain of its writer', async () => {
    verifies('BW-knowledge.01');
    const ann = await agent(w, { name: 'Ann' });
    const first = await store(w, ann, { tags: ['PostgreSQL', 'Locks'], severity: 'high' });
    const { ok, body } = await w.call(
      'store_finding',
      as(ann, {
        summary: 'Locks are taken in id order',
        content: 'x'.repeat(70_000),
        type: 'pattern',
        tags: 'postgres,locks',
        confidence: 0.75,
        related_files: ['src/a.ts'],
      }),
    );
    expect(ok).toBe(true);
    const id = String(body['discovery_id']);
    expect(body).toMatchObject({
      discovery: {
        id,
        type: 'pattern',
        severity: 'low',
        status: 'open',
        by: 'Ann',
        agent_id: ann.uuid,
        related_to: [first],
      },
      similar: [{ id: first, weight: 1, by: 'Ann' }],
      _truncated: { details: { from: 70_000, to: 65_536 } },
      budget: { left: 18, limit: 20 },
    });
    expect(id).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
    expect(await row(w, id)).toMatchObject({
      agent_id: ann.uuid,
      tags: ['postgres', 'locks'],
      confidence: 0.75,
      references_files: ['src/a.ts'],
      created_at: w.clock.now(),
      epoch: 1,
    });
    expect(await w.count('knowledge.discovery_edges WHERE src_id = $1 AND edge_type = $2', id, 'RELATED_TO')).toBe(1);
    expect(await w.trail(ann.uuid)).toEqual(['lifecycle_created', 'knowledge_write', 'knowledge_write']);
    expect(w.node.agents.table.read(ann.uuid)).toMatchObject({ ok: true, value: { auditCount: 3 } });
    const [mine] = await audited(w, id);
    expect(mine).toMatchObject({ payload: { action: 'store', discovery_id: id, type: 'pattern' }, chain_index: 3 });
  });

  it('believes nothing that a caller says about itself', async () => {
    verifies('BW-knowledge.01');
    const ann = await agent(w);
    const forged = {
      provenance: { identity: { bound: true } },
      provenance_chain: [{ agent_id: 'x' }],
      epoch: 9,
      status: 'cold',
    };
    const refused = await w.call('store_finding', { summary: 'A finding', ...forged, created_at: '2001-01-01' });
    expect((refused.body['errors'] as { field: string }[]).map(({ field }) => field)).toEqual([
      'provenance',
      'provenance_chain',
      'epoch',
      'created_at',
    ]);
    const id = await store(w, null, { status: 'cold', agent_id: ann.uuid, id: 'mine' });
    expect(await row(w, id)).toMatchObject({
      status: 'open',
      epoch: 1,
      provenance_chain: null,
      provenance: { identity: { bound: false, proof: 'none' }, writer: null },
      created_at: w.clock.now(),
    });
    expect((await row(w, id))['agent_id']).toMatch(/^anon-[0-9a-f]{16}$/);
    const bob = await agent(w);
    const other = await w.call('store_finding', as(bob, { summary: 's', agent_id: ann.uuid }));
    expect(other.code).toBe('IDENTITY_CONFLICT');
  });

  it('remembers the ancestors of its writer', async () => {
    const parent = await agent(w, { name: 'Elder' });
    const child = await agent(w, { parent_agent_id: parent.uuid, spawn_reason: 'subagent' });
    const id = await store(w, child, {});
    expect((await row(w, id))['provenance_chain']).toMatchObject([{ agent_id: parent.uuid, relation: 'parent' }]);
    const { body } = await w.call('knowledge', { action: 'details', discovery_id: id, include_provenance: true });
    expect(JSON.stringify(body)).not.toContain(parent.uuid);
    expect(body).toMatchObject({ discovery: { provenance_chain: [{ label: 'Elder' }] } });
  });

  it('refuses what no agent answers for, and nothing else, of a caller without identity', async () => {
    verifies('BW-knowledge.03');
    for (const severity of ['high', 'critical']) {
      const refused = await w.call('store_finding', { summary: 's', severity });
      expect(refused).toMatchObject({ code: 'IDENTITY_REQUIRED', body: { without_identity: ['low', 'medium'] } });
    }
    const id = await store(w, null, { severity: 'medium' });
    const writer = (await row(w, id))['agent_id'];
    const [event] = await audited(w, id);
    expect(event).toMatchObject({ agent_id: writer, chain_index: null, payload: { discovery_id: id } });
    const elsewhere = await w.call('store_finding', { summary: 's' }, { address: '10.0.0.9' });
    expect((await row(w, String(elsewhere.body['discovery_id'])))['agent_id']).not.toBe(writer);
    const disguised = await w.call('store_finding', { summary: 's' }, { peer: '127.0.0.1|another program' });
    expect((await row(w, String(disguised.body['discovery_id'])))['agent_id']).toBe(writer);
  });

  it('takes ten at a time, each for itself', async () => {
    verifies('BW-knowledge.01');
    const ann = await agent(w);
    const { ok, body } = await w.call(
      'knowledge',
      as(ann, {
        action: 'store',
        discoveries: [
          { summary: 'one', type: 'note' },
          { summary: 'two', severity: 'fatal' },
          { text: 'three', response_to: { discovery_id: 'nothing' } },
          { finding: 'four', kind: 'bug', severity: 'critical', details: 'd'.repeat(65_537) },
          {},
        ],
      }),
    );
    expect(ok).toBe(true);
    expect(body).toMatchObject({
      stored: 2,
      failed: 3,
      results: [
        { index: 0, success: true },
        { index: 1, success: false, error_code: 'PARAMETER_ERROR', errors: [{ did_you_mean: 'critical' }] },
        { index: 2, success: false, error_code: 'DISCOVERY_NOT_FOUND' },
        { index: 3, success: true, _truncated: { details: { to: 65_536 } } },
        { index: 4, success: false, error_code: 'MISSING_PARAMETER' },
      ],
    });
    expect(body['discovery_ids']).toHaveLength(2);
    expect(await w.count('knowledge.discoveries WHERE agent_id = $1', ann.uuid)).toBe(2);
    expect((await w.trail(ann.uuid)).filter((type) => type === 'knowledge_write')).toHaveLength(2);
    const eleven = Array.from({ length: 11 }, () => ({ summary: 's' }));
    expect((await w.call('knowledge', as(ann, { action: 'store', discoveries: eleven }))).code).toBe('PARAMETER_ERROR');
  });

  it('refuses a call that was put together wrong', async () => {
    verifies('BW-knowledge.01');
    const details = ['done', '</', 'parameter>', '<', 'parameter name="severity">high'].join('');
    const refused = await w.call('store_finding', { summary: 's', details });
    expect(refused).toMatchObject({ code: 'PARAMETER_ERROR', body: { parameter: 'details' } });
  });

  it('holds what JavaScript can say and PostgreSQL cannot', async () => {
    const id = await store(w, null, { summary: 'a\0b\ud800', details: '\0' });
    expect(await row(w, id)).toMatchObject({ summary: 'a\ufffdb\ufffd', details: '\ufffd' });
    const refused = await w.call('store_finding', { summary: 's', tags: ['\0'] });
    expect(refused.body).toMatchObject({ error_code: 'PARAMETER_ERROR', errors: [{ field: 'tags[0]' }] });
  });

  it('answers a repeat with the same key as it did before', async () => {
    const ann = await agent(w);
    const args = as(ann, { summary: 'once', discovery_type: 'note', idempotency_key: 'k1' });
    const [first, second] = [await w.call('store_finding', args), await w.call('store_finding', args)];
    expect(second.body).toEqual(first.body);
    expect(await w.count('knowledge.discoveries WHERE summary = $1', 'once')).toBe(1);
    expect((await w.call('store_finding', { ...args, summary: 'other' })).code).toBe('IDEMPOTENCY_CONFLICT');
    const unbound = await w.call('store_finding', { summary: 's', idempotency_key: 'k1' });
    expect(unbound.body['warnings']).toContainEqual(expect.stringContaining('idempotency_key'));
  });

  it('a note is kept under all of its names', async () => {
    verifies('BW-knowledge.01');
    for (const args of [{ summary: 'n' }, { content: 'n' }, { text: 'n' }, { note: 'n' }, { message: 'n' }]) {
      const { body } = await w.call(
        'leave_note',
        { ...args, discovery_type: 'bug' },
        { address: `note-${Object.keys(args)[0]}` },
      );
      expect(body).toMatchObject({ note: { summary: 'n', type: 'note' }, discovery_id: body['note_id'] });
    }
  });

  it('is not for an agent under a pause, nor for one whose life is over', async () => {
    verifies('BW-knowledge.03');
    const ann = await agent(w);
    const id = await store(w, ann, {});
    const pause = {
      actuation_id: 'a',
      paused_at: new Date(w.clock.now()).toISOString(),
      expires_at: new Date(w.clock.now() + HOUR_MS).toISOString(),
      sub_action: 'risk_pause',
      reason: 'test',
      evidence: {},
    };
    const set = `UPDATE core.identities SET status = 'paused', pause = $2, sequence = sequence + 1 WHERE agent_id = $1`;
    await w.rows(set, ann.uuid, pause);
    await w.node.agents.refresh([ann.uuid]);
    const writes: [string, Json][] = [
      ['store_finding', { summary: 's' }],
      ['leave_note', { summary: 's' }],
      ['update_finding', { discovery_id: id, status: 'resolved' }],
      ['knowledge', { action: 'supersede', discovery_id: id, supersedes_id: id }],
      ['knowledge', { action: 'cleanup', dry_run: false }],
      ['knowledge', { action: 'synthesize', dry_run: false }],
    ];
    const before = await w.count('knowledge.discoveries');
    for (const [name, args] of writes) expect((await w.call(name, as(ann, args))).code, name).toBe('AGENT_PAUSED');
    expect(await w.count('knowledge.discoveries')).toBe(before);
    expect((await w.call('search_shared_memory', as(ann, { query: 'finding' }))).ok).toBe(true);
    w.clock.advance(HOUR_MS + 1);
    expect((await w.call('store_finding', as(ann, { summary: 's' }))).ok).toBe(true);
    const ended = await w.call('archive_agent', as(ann, { force: true, reason: 'test' }));
    expect(ended.ok).toBe(true);
    expect((await w.call('store_finding', as(ann, { summary: 's' }))).code).toBe('AGENT_ARCHIVED');
  });

  it('obeys the gate for identities that nobody proved', async () => {
    const ann = await agent(w);
    w.node.gates.strict = 'enforce';
    const inferred = { injected: true } as const;
    const refused = await w.call('store_finding', as(ann, { summary: 's' }), inferred);
    expect(refused.code).toBe('STRONG_IDENTITY_REQUIRED');
    expect((await w.call('search_shared_memory', as(ann, { query: 'finding' }), inferred)).ok).toBe(true);
    expect((await w.call('store_finding', as(ann, { summary: 's' }))).ok).toBe(true);
    w.node.gates.strict = 'observe';
    expect((await w.call('store_finding', as(ann, { summary: 's' }), inferred)).ok).toBe(true);
  });

  it('does not claim to be done while PostgreSQL is away, and is, once, when it is back', async () => {
    const ann = await agent(w);
    const args = as(ann, { summary: 'through an outage', type: 'note', idempotency_key: 'k' });
    w.cutOff(true);
    expect((await w.call('store_finding', args)).code).toBe('STORAGE_UNAVAILABLE');
    expect((await w.call('search_shared_memory', { query: 'outage' })).code).toBe('STORAGE_UNAVAILABLE');
    w.cutOff(false);
    for (let i = 0; i < 2; i += 1) expect((await w.call('store_finding', args)).ok).toBe(true);
    expect(await w.count('knowledge.discoveries WHERE summary = $1', 'through an outage')).toBe(1);
    expect(w.node.crashes).toEqual([]);
  });

  it('tells an operator, too, that it is none', async () => {
    const secret = await operator(w.node, w.database, 'operator:act', 'eve');
    const { body } = await w.call('store_finding', { summary: 'by a person' }, { operatorSecret: secret });
    expect(await row(w, String(body['discovery_id']))).toMatchObject({
      agent_id: 'operator:eve',
      provenance: { identity: { bound: false, operator: 'eve' } },
    });
    const high = await w.call('store_finding', { summary: 's', severity: 'high' }, { operatorSecret: secret });
    expect(high.code).toBe('IDENTITY_REQUIRED');
  });
});

describe('update and supersede', async () => {
  const w = await testWorld();
  const ann = await agent(w, { name: 'Ann' });
  const bob = await agent(w, { name: 'Bob' });
  const update = (who: typeof ann, id: string, args: Json) =>
    w.call('update_finding', as(who, { discovery_id: id, ...args }));

  it('close a finding with why and by whom, open it again, and keep what that took away', async () => {
    verifies('BW-knowledge.01');
    const id = await store(w, ann, {});
    const closed = await update(bob, id, {
      status: 'resolved',
      resolution_notes: 'see the test',
      closure_class: 'fix_verified',
      closure_evidence: { test: 'green' },
    });
    expect(closed.body).toMatchObject({
      changed: ['status', 'resolved_at', 'resolved_by', 'closure_class', 'closure_evidence', 'resolution_notes'],
      discovery: {
        status: 'resolved',
        resolved_by: 'Bob',
        closure_class: 'fix_verified',
        resolution_notes: 'see the test',
      },
    });
    expect((await update(bob, id, { status: 'resolved' })).body).toMatchObject({ changed: [] });
    const trail = await w.trail(bob.uuid);
    expect(trail.filter((type) => type === 'knowledge_write')).toHaveLength(1);
    w.clock.advance(1000);
    expect((await update(bob, id, { status: 'open' })).ok).toBe(true);
    expect(await row(w, id)).toMatchObject({
      status: 'open',
      resolved_at: null,
      closure_class: null,
      resolution_notes: null,
    });
    const last = (await audited(w, id)).at(-1);
    expect(last).toMatchObject({
      agent_id: bob.uuid,
      payload: {
        from: 'resolved',
        to: 'open',
        was: { closure_class: 'fix_verified', resolution_notes: 'see the test' },
      },
    });
  });

  it('find what the new words say, and no longer what the old ones did', async () => {
    const id = await store(w, ann, { summary: 'the quagga was here', tags: ['zoo'] });
    await update(ann, id, {
      summary: 'the okapi was here',
      content: 'in Ituri',
      tags: ['Animals!'],
      severity: 'medium',
    });
    const hits = async (query: string) => (await w.call('search_shared_memory', { query })).body['count'];
    expect([
      await hits('quagga'),
      await hits('zoo'),
      await hits('okapi'),
      await hits('ituri'),
      await hits('animals'),
    ]).toEqual([0, 0, 1, 1, 1]);
  });

  it('are refused to strangers, for unknown findings, and to whoever only says who it is', async () => {
    verifies('BW-knowledge.01');
    const id = await store(w, ann, { severity: 'critical' });
    expect((await w.call('update_finding', { discovery_id: id, status: 'resolved' })).code).toBe('IDENTITY_REQUIRED');
    expect((await update(bob, id, { summary: 'mine now' })).code).toBe('FORBIDDEN');
    expect((await update(bob, id, { status: 'resolved' })).code).toBe('FORBIDDEN');
    expect((await update(ann, 'nothing', { status: 'resolved' })).code).toBe('DISCOVERY_NOT_FOUND');
    expect((await update(ann, id, {})).code).toBe('MISSING_PARAMETER');
    expect((await w.call('update_finding', as(ann, { status: 'resolved' }))).code).toBe('MISSING_PARAMETER');
    expect((await update(ann, id, { status: 'cold' })).code).toBe('INVALID_STATUS_TRANSITION');
    expect(await row(w, id)).toMatchObject({ status: 'open', summary: 'A finding', updated_at: null });
  });

  it('cost nothing of the budget', async () => {
    verifies('BW-knowledge.03');
    const zoe = await agent(w);
    const id = await store(w, zoe, {});
    for (let i = 0; i < 25; i += 1) expect((await update(zoe, id, { summary: `version ${i}` })).ok).toBe(true);
    expect(await w.count('knowledge.rate_limits WHERE agent_id = $1', zoe.uuid)).toBe(1);
  });

  it('mark what was replaced, and never in a circle', async () => {
    verifies('BW-knowledge.01');
    const [a, b] = [await store(w, ann, { summary: 'walrus one' }), await store(w, ann, { summary: 'walrus two' })];
    const done = await w.call('knowledge', as(bob, { action: 'supersede', discovery_id: b, supersedes_id: a }));
    expect(done.body).toMatchObject({
      discovery_id: b,
      supersedes_id: a,
      superseded: { status: 'superseded', superseded_by: b },
    });
    const back = await w.call('knowledge', as(bob, { action: 'supersede', discovery_id: a, supersedes_id: b }));
    expect(back.code).toBe('INVALID_STATUS_TRANSITION');
    const self = await w.call('knowledge', as(bob, { action: 'supersede', discovery_id: b, supersedes_id: b }));
    expect(self.code).toBe('PARAMETER_ERROR');
    const nothing = await w.call('knowledge', as(bob, { action: 'supersede', discovery_id: 'x', supersedes_id: b }));
    expect(nothing.code).toBe('DISCOVERY_NOT_FOUND');
    expect((await w.call('knowledge', as(bob, { action: 'supersede' }))).body['missing']).toEqual([
      'discovery_id',
      'supersedes_id',
    ]);
    const { body } = await w.call('search_shared_memory', { query: 'walrus' });
    expect(found(body)).toContainEqual(expect.objectContaining({ id: a, superseded: true, superseded_by: b }));
  });

  it('happen along with the finding that does it, once for each', async () => {
    verifies('BW-knowledge.01');
    const old = await store(w, ann, {});
    const item = { summary: 'newer', supersedes: old };
    const { body } = await w.call('knowledge', as(ann, { action: 'store', discoveries: [item, item] }));
    expect(body).toMatchObject({
      results: [
        { success: true, supersedes: old },
        { success: false, error_code: 'INVALID_STATUS_TRANSITION' },
      ],
    });
    const [id] = body['discovery_ids'] as string[];
    expect(await row(w, old)).toMatchObject({ status: 'superseded', superseded_by: id });
    expect(await w.count('knowledge.discovery_edges WHERE src_id = $1 AND dst_id = $2', id, old)).toBe(1);
    const anonymous = await w.call('store_finding', { summary: 's', supersedes: id });
    expect(anonymous.code).toBe('IDENTITY_REQUIRED');
  });

  it('are decided by whoever was first, when two replace one finding at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const old = await store(w, null, {});
      const newer = { summary: `newer ${round}`, type: 'note', supersedes: old };
      const both = await Promise.all([ann, bob].map((who) => w.call('store_finding', as(who, newer))));
      expect(both.map(({ code }) => code).sort()).toEqual(['INVALID_STATUS_TRANSITION', undefined]);
      const winner = both.find(({ ok }) => ok);
      expect(await row(w, old)).toMatchObject({ superseded_by: winner?.body['discovery_id'] });
      expect(await w.count('knowledge.discoveries WHERE summary = $1', newer.summary)).toBe(1);
    }
  });

  it('may be done by an operator who acts', async () => {
    const id = await store(w, ann, { severity: 'critical' });
    const reader = { operatorSecret: await operator(w.node, w.database, 'operator:read', 'rob') };
    const actor = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'eve') };
    expect((await w.call('update_finding', { discovery_id: id, status: 'closed' }, reader)).code).toBe(
      'IDENTITY_REQUIRED',
    );
    w.clock.advance(1000);
    expect((await w.call('update_finding', { discovery_id: id, status: 'closed' }, actor)).ok).toBe(true);
    expect(await row(w, id)).toMatchObject({ resolved_by: 'operator:eve' });
    expect((await audited(w, id)).at(-1)).toMatchObject({ agent_id: 'operator:eve', chain_index: null });
  });
});
