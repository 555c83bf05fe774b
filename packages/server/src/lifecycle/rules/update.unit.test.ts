import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { AgentHead } from '../../agents/index.ts';
import type { Actor } from './authority.ts';
import { head, NOW, operator, owner } from './testing/head.ts';
import { update, type ProfileUpdate } from './update.ts';

const change = (
  wanted: ProfileUpdate,
  target: AgentHead = head(),
  actor: Actor = owner,
  storedNotes: string | null = null,
) => update(actor, target, wanted, { storedNotes, proof: 'client_session_id', hold: undefined });

const RESERVED = [
  ...['admin', 'operator', 'embodied', 'persistent', 'autonomous'],
  ...['protected', 'pioneer', 'anima', 'resident', 'resident_persistent'],
];

describe('update', () => {
  it('takes tags of all scripts, composed, and no look-alike of a reserved one', () => {
    verifies('BW-dispatch.09');
    const tags = ['日本', 'e\u0301te\u0301', 'été', 'Ёлка:1'];
    expect(change({ tags })).toMatchObject({ value: { tags: ['日本', 'été', 'Ёлка:1'] } });
    for (const tag of ['рersistent', '0perator', 'ѕуѕtem', 'Rооt', 'PERSISTENT']) {
      expect(change({ tags: [tag] }), tag).toMatchObject({ refusal: { code: 'FORBIDDEN', details: { tags: [tag] } } });
    }
    expect(change({ tags: ['ok', 'a\u200bb', 'c d'] })).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR', details: { parameter: 'tags', tags: ['a\u200bb', 'c d'] } },
    });
  });

  it('changes what is asked for and nothing else, and writes down what', () => {
    verifies('BW-identity.07');
    expect(change({ tags: ['b', 'c', 'c'], purpose: 'tests' }, head({ tags: ['a', 'b'] }))).toEqual({
      ok: true,
      value: {
        tags: ['b', 'c'],
        purpose: 'tests',
        events: [
          {
            type: 'agent_updated',
            payload: {
              by: 'owner',
              operator: null,
              changed: ['tags', 'purpose'],
              tags_added: ['c'],
              tags_removed: ['a'],
            },
          },
        ],
      },
    });
    expect(change({ tags: [] }, head({ tags: ['a'] }))).toMatchObject({ value: { tags: [] } });
  });

  it.each(RESERVED)('does not let an agent give itself the tag %s, in any case of letters', (tag) => {
    verifies('BW-identity.08');
    for (const written of [tag, tag.toUpperCase()]) {
      const tags = ['ok', written];
      expect(change({ tags })).toMatchObject({ refusal: { code: 'FORBIDDEN', details: { tags: [written] } } });
      expect(change({ tags }, head(), operator)).toMatchObject({ value: { tags } });
      const both: Actor = { ...owner, operator: operator.operator };
      expect(change({ tags }, head(), both)).toMatchObject({ value: { events: [{ payload: { operator: 'ada' } }] } });
    }
    expect(change({ tags: [tag, 'new'] }, head({ tags: [tag] }))).toMatchObject({ value: { tags: [tag, 'new'] } });
    expect(change({ tags: [tag.toUpperCase()] }, head({ tags: [tag] })).ok).toBe(false);
    expect(change({ tags: ['new'] }, head({ tags: [tag] }))).toMatchObject({ value: { tags: ['new'] } });
  });

  it('never ends with a reserved tag that was not held before', () => {
    verifies('BW-identity.08');
    const tags = fc.array(
      fc.oneof(
        fc.constantFrom('рersistent', '0perator', 'ѕystem', ...RESERVED, 'Admin', 'a', 'b'),
        fc.string({ maxLength: 8 }),
      ),
    );
    fc.assert(
      fc.property(tags, tags, (held, wanted) => {
        const changed = change({ tags: wanted }, head({ tags: held }));
        if (!changed.ok) return;
        for (const tag of changed.value.tags ?? []) {
          if (RESERVED.includes(tag.toLowerCase())) expect(held).toContain(tag);
        }
      }),
    );
  });

  it.each<[string, ProfileUpdate]>([
    ['tags', { tags: Array.from({ length: 33 }, (_, i) => `t${i}`) }],
    ['tags', { tags: ['x'.repeat(65)] }],
    ['tags', { tags: ['ok', 'a\u200bb'] }],
    ['tags', { tags: ['a b'] }],
    ['tags', { tags: [''] }],
    ['tags', { tags: ['two words'] }],
    ['tags', { tags: ['line\n'] }],
    ['notes', { notes: 'x'.repeat(8001) }],
    ['purpose', { purpose: 'x'.repeat(1001) }],
  ])('refuses %s beyond their bounds, and keeps nothing of the update', (parameter, wanted) => {
    expect(change({ purpose: 'fine', ...wanted })).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR', details: { parameter } },
    });
  });

  it('takes everything up to its bounds', () => {
    const tags = Array.from({ length: 32 }, (_, i) => `${'A-z_0.9:'.repeat(8).slice(0, 62)}${10 + i}`);
    const wanted = { tags, notes: 'x'.repeat(8000), purpose: 'x'.repeat(1000) };
    expect(change(wanted)).toMatchObject({ value: wanted });
  });

  it('adds notes as a line, within the same bound', () => {
    expect(change({ notes: 'two', appendNotes: true }, head(), owner, 'one')).toMatchObject({
      value: { notes: 'one\ntwo' },
    });
    expect(change({ notes: 'two', appendNotes: true }, head(), owner, null)).toMatchObject({ value: { notes: 'two' } });
    expect(change({ notes: 'two' }, head(), owner, 'one')).toMatchObject({ value: { notes: 'two' } });
    const full = 'x'.repeat(7998);
    expect(change({ notes: 'y', appendNotes: true }, head(), owner, full).ok).toBe(true);
    expect(change({ notes: 'yz', appendNotes: true }, head(), owner, full)).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR', details: { parameter: 'notes' } },
    });
  });

  it('knows five verbosities and no other preference', () => {
    for (const verbosity of ['minimal', 'compact', 'standard', 'full', 'auto']) {
      expect(change({ preferences: { verbosity } })).toMatchObject({ value: { preferences: { verbosity } } });
    }
    for (const preferences of [{ verbosity: 'loud' }, { verbosity: null }, { colour: 'full' }]) {
      expect(change({ preferences })).toMatchObject({
        refusal: { code: 'INVALID_PREFERENCE', details: { preference: Object.keys(preferences)[0] } },
      });
    }
  });

  it('refuses an update that changes nothing', () => {
    expect(change({})).toMatchObject({ refusal: { code: 'PARAMETER_ERROR' } });
    expect(change({ appendNotes: true })).toMatchObject({ refusal: { code: 'PARAMETER_ERROR' } });
  });
});

describe('status in an update', () => {
  const archived = (by: 'owner' | 'operator') =>
    head({
      status: 'archived',
      archive: { at: new Date(NOW).toISOString(), by, actor: null, reason: 'r' },
    });

  it('brings an archived agent back under the rules of the way back, all or nothing', () => {
    verifies('BW-identity.09');
    expect(change({ status: 'active', purpose: 'again' }, archived('owner'))).toMatchObject({
      value: {
        status: 'active',
        archive: null,
        purpose: 'again',
        events: [{ type: 'lifecycle_reactivated' }, { type: 'agent_updated' }],
      },
    });
    expect(change({ status: 'active' }, archived('owner'))).toMatchObject({
      value: { status: 'active', events: [{ type: 'lifecycle_reactivated' }] },
    });
    const byToken = { storedNotes: null, proof: 'continuity_token', hold: undefined } as const;
    expect(update(owner, archived('owner'), { status: 'active' }, byToken)).toMatchObject({
      refusal: { code: 'STRONG_IDENTITY_REQUIRED' },
    });
    expect(change({ status: 'active' }, archived('operator'))).toMatchObject({
      refusal: { code: 'OPERATOR_REQUIRED' },
    });
    expect(change({ status: 'active', tags: ['admin'] }, archived('owner'))).toMatchObject({
      refusal: { code: 'FORBIDDEN' },
    });
  });

  it('lets an operator enable a disabled agent, and nobody undelete one', () => {
    verifies('BW-identity.09');
    expect(change({ status: 'active' }, head({ status: 'disabled' }), operator)).toMatchObject({
      value: { status: 'active', archive: null },
    });
    expect(change({ status: 'active' }, head({ status: 'disabled' }))).toMatchObject({
      refusal: { code: 'OPERATOR_REQUIRED' },
    });
    expect(change({ status: 'active' }, head({ status: 'deleted' }), operator)).toMatchObject({
      refusal: { code: 'AGENT_ARCHIVED' },
    });
  });

  it('is no other status, and not for an agent that is not archived', () => {
    for (const status of ['archived', 'paused', 'deleted', 'disabled', 'waiting_input', 'x']) {
      expect(change({ status }, archived('owner'))).toMatchObject({
        refusal: { code: 'INVALID_STATUS_TRANSITION', details: { status: 'archived', requested: status } },
      });
    }
    for (const status of ['active', 'paused', 'waiting_input'] as const) {
      expect(change({ status: 'active' }, head({ status }))).toMatchObject({
        refusal: { code: 'INVALID_STATUS_TRANSITION' },
      });
    }
  });

  it('leaves the record of an agent alone whose life is over', () => {
    for (const status of ['archived', 'disabled', 'deleted'] as const) {
      expect(change({ purpose: 'x' }, head({ status }), operator)).toMatchObject({
        refusal: { code: 'AGENT_ARCHIVED', details: { status } },
      });
    }
  });
});
