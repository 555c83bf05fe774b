import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { Archive } from '../../agents/index.ts';
import { archive, reactivate, remove } from './standing.ts';
import { head, MINUTE, NOW, operator, owner, pauseUntil } from './testing/head.ts';

const at = new Date(NOW).toISOString();
const ask = { reason: 'done', force: false, liveSignals: [] as string[] };
const paused = head({ status: 'paused', pause: pauseUntil(NOW + MINUTE) });

describe('archive', () => {
  it('ends the life of an agent, and says by whom and why', () => {
    verifies('BW-identity.07');
    expect(archive(owner, head(), ask, NOW)).toEqual({
      ok: true,
      value: {
        status: 'archived',
        pause: null,
        archive: { at, by: 'owner', actor: null, reason: 'done' },
        events: [
          {
            type: 'agent_archived',
            payload: {
              by: 'owner',
              operator: null,
              reason: 'done',
              previous_status: 'active',
              forced: false,
              liveness_signals: [],
            },
          },
        ],
      },
    });
    expect(archive(operator, head(), ask, NOW)).toMatchObject({
      value: { archive: { by: 'operator', actor: 'ada' }, events: [{ payload: { by: 'operator', operator: 'ada' } }] },
    });
  });

  it.each(['archived', 'disabled', 'deleted'] as const)('is refused for an agent that is %s', (status) => {
    expect(archive(operator, head({ status }), { ...ask, force: true }, NOW)).toMatchObject({
      refusal: { code: 'AGENT_ALREADY_ARCHIVED', details: { status } },
    });
  });

  it('stops an operator at signs of life unless forced, and never the agent itself', () => {
    const live = { ...ask, liveSignals: ['live_presence'] };
    expect(archive(operator, head(), live, NOW)).toMatchObject({
      refusal: { code: 'AGENT_LOOKS_LIVE', details: { liveness_signals: ['live_presence'] } },
    });
    expect(archive(operator, head(), { ...live, force: true }, NOW)).toMatchObject({
      value: { events: [{ payload: { forced: true, liveness_signals: ['live_presence'] } }] },
    });
    expect(archive(owner, head(), live, NOW).ok).toBe(true);
  });

  it('does not let a paused agent archive itself out of its pause', () => {
    expect(archive(owner, paused, { ...ask, force: true }, NOW)).toMatchObject({ refusal: { code: 'FORBIDDEN' } });
    expect(archive(operator, paused, ask, NOW)).toMatchObject({ value: { status: 'archived', pause: null } });
    const both = { ...owner, operator: operator.operator };
    expect(archive(both, paused, ask, NOW)).toMatchObject({ value: { archive: { by: 'operator', actor: 'ada' } } });
    const over = head({ status: 'paused', pause: pauseUntil(NOW - 1) });
    expect(archive(owner, over, ask, NOW)).toMatchObject({ value: { archive: { by: 'owner' } } });
  });
});

const ended = (by: Archive['by'], status: 'archived' | 'disabled' | 'deleted' = 'archived') =>
  head({ status, archive: { at, by, actor: by === 'operator' ? 'ada' : null, reason: 'why' } });
const secret = { explicit: true, proof: 'client_session_id' } as const;

describe('reactivate', () => {
  it.each(['owner', 'housekeeping', 'lineage'] as const)('brings back what %s archived', (by) => {
    verifies('BW-identity.09');
    for (const proof of ['client_session_id', 'session_header'] as const) {
      expect(reactivate(owner, ended(by), { explicit: true, proof })).toEqual({
        ok: true,
        value: {
          status: 'active',
          pause: null,
          archive: null,
          events: [
            {
              type: 'lifecycle_reactivated',
              payload: {
                by: 'owner',
                operator: null,
                previous_status: 'archived',
                archived_at: at,
                archived_by: by,
                archive_reason: 'why',
              },
            },
          ],
        },
      });
    }
  });

  it.each(['continuity_token', 'attested_process', 'mcp_session', 'onboard_pin', 'none'] as const)(
    'does not bring it back by %s',
    (proof) => {
      verifies('BW-identity.09');
      expect(reactivate(owner, ended('owner'), { explicit: true, proof })).toMatchObject({
        refusal: { code: 'STRONG_IDENTITY_REQUIRED', details: { proof } },
      });
    },
  );

  it('happens only when it is asked for', () => {
    verifies('BW-identity.09');
    for (const actor of [owner, operator]) {
      expect(reactivate(actor, ended('owner'), { ...secret, explicit: false })).toMatchObject({
        refusal: { code: 'AGENT_ARCHIVED', details: { status: 'archived' } },
      });
    }
  });

  it('leaves to operators what an operator ended, and what no row says who ended', () => {
    verifies('BW-identity.09');
    for (const target of [ended('operator'), head({ status: 'archived' }), ended('owner', 'disabled')]) {
      expect(reactivate(owner, target, secret)).toMatchObject({ refusal: { code: 'OPERATOR_REQUIRED' } });
      expect(reactivate(operator, target, { explicit: true, proof: 'none' })).toMatchObject({
        value: { status: 'active', archive: null, events: [{ payload: { by: 'operator', operator: 'ada' } }] },
      });
    }
  });

  it('never brings back what is deleted, and nothing that is not archived', () => {
    expect(reactivate(operator, ended('owner', 'deleted'), secret)).toMatchObject({
      refusal: { code: 'AGENT_ARCHIVED' },
    });
    for (const target of [head(), paused, head({ status: 'waiting_input' })]) {
      expect(reactivate(operator, target, secret)).toMatchObject({ refusal: { code: 'INVALID_STATUS_TRANSITION' } });
    }
  });
});

describe('remove', () => {
  const sure = { confirm: true, reason: 'no use' };

  it('deletes an agent that is confirmed to go', () => {
    verifies('BW-identity.07');
    expect(remove(owner, ended('operator'), sure, NOW)).toEqual({
      ok: true,
      value: {
        status: 'deleted',
        pause: null,
        archive: { at, by: 'owner', actor: null, reason: 'no use' },
        events: [
          {
            type: 'agent_deleted',
            payload: { by: 'owner', operator: null, reason: 'no use', previous_status: 'archived' },
          },
        ],
      },
    });
    expect(remove(operator, paused, sure, NOW)).toMatchObject({ value: { status: 'deleted', pause: null } });
  });

  it('is refused unconfirmed, twice, with a protecting tag, and to a disabled agent', () => {
    expect(remove(operator, head(), { ...sure, confirm: false }, NOW)).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR', details: { parameter: 'confirm' } },
    });
    expect(remove(operator, ended('owner', 'deleted'), sure, NOW)).toMatchObject({
      refusal: { code: 'AGENT_ARCHIVED' },
    });
    expect(remove(owner, ended('operator', 'disabled'), sure, NOW)).toMatchObject({
      refusal: { code: 'OPERATOR_REQUIRED' },
    });
    for (const tag of ['pioneer', 'protected']) {
      expect(remove(operator, head({ tags: ['a', tag] }), sure, NOW)).toMatchObject({
        refusal: { code: 'FORBIDDEN', details: { tags: [tag] } },
      });
    }
  });
});
