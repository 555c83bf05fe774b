import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { divergencePayload, payloadText } from './failure-event.ts';

const read = (payload: Record<string, unknown>) =>
  JSON.parse(payloadText(payload, () => 'made')) as Record<string, unknown>;

describe('failure events', () => {
  it('keep the id of their incident, and get one when they have none', () => {
    verifies('BW-channel.02');
    expect(read({ incident_id: 'i1', error: 'e' })).toEqual({ incident_id: 'i1', error: 'e' });
    expect(read({ error: 'e' })).toEqual({ error: 'e', incident_id: 'made' });
    expect(read({ incident_id: 7 })).toEqual({ incident_id: 'made' });
    expect(read({ incident_id: 'i1', text: 'x'.repeat(9000) })).toEqual({
      incident_id: 'i1',
      truncated_from_chars: expect.any(Number) as unknown,
    });
  });

  it('hold nothing that PostgreSQL cannot store', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (text) => {
        const stored = read({ text: `${text}\0\ud800` })['text'] as string;
        expect(stored.isWellFormed()).toBe(true);
        expect(stored).not.toContain('\0');
      }),
    );
  });

  it('name both sides of a divergence by hash, never by value, and whatever the order of their keys', () => {
    verifies('W3-10.08');
    const payload = divergencePayload('feature_flags', 'k', { a: 1, b: 'secret' }, { b: 'secret', a: 1 });
    expect(payload).toEqual({
      store: 'feature_flags',
      key: 'k',
      ets_value_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown,
      pg_value_hash: payload['ets_value_hash'],
    });
    expect(divergencePayload('s', 'k', undefined, 1)).not.toHaveProperty('ets_value_hash');
    expect(divergencePayload('s', 'k', 1, undefined)).not.toHaveProperty('pg_value_hash');
  });
});
