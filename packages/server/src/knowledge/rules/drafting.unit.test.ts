import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { draftOf } from './drafting.ts';

const refusalOf = (raw: Record<string, unknown>) => {
  const draft = draftOf(raw, 'finding');
  if (draft.ok) throw new Error('the draft was accepted');
  return draft.refusal;
};

describe('what is to be stored', () => {
  it('is understood as it is meant', () => {
    verifies('BW-knowledge.01');
    const draft = draftOf(
      {
        summary: '  Locks are taken in id order  ',
        content: 'because of deadlocks',
        type: 'Pattern',
        severity: 'Medium',
        tags: 'Locks, PostgreSQL',
        files: ['src/a.ts'],
        confidence: '0.8',
        response_to: { discovery_id: ' x ', response_type: 'corrects' },
        supersedes: 'y',
        auto_link_related: 'false',
      },
      'finding',
    );
    expect(draft).toEqual({
      ok: true,
      value: {
        type: 'pattern',
        severity: 'medium',
        summary: 'Locks are taken in id order',
        details: 'because of deadlocks',
        tags: ['locks', 'postgres'],
        files: ['src/a.ts'],
        confidence: 0.8,
        responseTo: { id: 'x', type: 'correction' },
        supersedes: 'y',
        linkRelated: false,
        truncated: {},
        warnings: [],
      },
    });
  });

  it('may be little, and what was left open is told', () => {
    expect(draftOf({ summary: 's' }, 'finding')).toMatchObject({
      ok: true,
      value: {
        type: 'note',
        severity: 'low',
        details: null,
        confidence: null,
        linkRelated: true,
        warnings: ['discovery_type was not given: stored as note'],
      },
    });
    expect(draftOf({ text: 's' }, 'note')).toMatchObject({ ok: true, value: { summary: 's', warnings: [] } });
  });

  it('replaces what it says it supersedes, in either way of saying so', () => {
    const response_to = { discovery_id: 'x', response_type: 'supersedes' };
    expect(draftOf({ summary: 's', type: 'note', response_to }, 'finding')).toMatchObject({
      value: { supersedes: 'x' },
    });
    expect(draftOf({ summary: 's', type: 'note', response_to: 'x' }, 'finding')).toMatchObject({
      value: { supersedes: null, responseTo: { id: 'x', type: 'extend' } },
    });
  });

  it('is cut to its limits, and what was cut is told', () => {
    verifies('BW-knowledge.01');
    const draft = draftOf({ summary: 's'.repeat(4001), details: 'd'.repeat(65_537), type: 'note' }, 'finding');
    if (!draft.ok) throw new Error('refused');
    expect(draft.value.summary).toHaveLength(4000);
    expect(draft.value.details).toHaveLength(65_536);
    expect(draft.value.truncated).toEqual({ summary: { from: 4001, to: 4000 }, details: { from: 65_537, to: 65_536 } });
  });

  it.each([[{}], [{ summary: ' \n ' }], [{ summary: null }]])('needs a summary: %j', (raw) => {
    verifies('BW-knowledge.01');
    expect(refusalOf({ ...raw, type: 'note' })).toMatchObject({
      code: 'MISSING_PARAMETER',
      details: { missing: ['summary'] },
    });
  });

  it('names everything that is wrong with it at once', () => {
    verifies('BW-knowledge.01');
    const refusal = refusalOf({
      summary: 7,
      details: ['<', 'parameter', '>'].join(''),
      discovery_type: 'poem',
      severity: 'urgent',
      confidence: 1.1,
      supersedes: {},
      response_to: { response_type: 'yes' },
    });
    expect(refusal.code).toBe('PARAMETER_ERROR');
    const errors = refusal.details?.['errors'] as { field: string }[];
    expect(errors.map(({ field }) => field)).toEqual([
      'summary',
      'details',
      'discovery_type',
      'severity',
      'response_to.discovery_id',
      'supersedes',
      'confidence',
    ]);
    expect(errors[3]).toMatchObject({ did_you_mean: 'critical' });
  });

  it.each([[Number.NaN], ['x'], [' '], [-0.1], [true]])('has a confidence from 0 to 1, not %j', (confidence) => {
    expect(refusalOf({ summary: 's', confidence }).details).toMatchObject({ parameter: 'confidence' });
  });

  it('counts what does not fit of tags and files', () => {
    const tags = Array.from({ length: 51 }, (_, i) => `t${i}`);
    const related_files = [...Array.from({ length: 50 }, (_, i) => `f${i}`), 'x'.repeat(501)];
    const draft = draftOf({ summary: 's', type: 'note', tags, related_files }, 'finding');
    expect(draft).toMatchObject({
      value: {
        warnings: [
          '1 tags beyond the first 50 were left out',
          '1 related_files were left out: 50 at most, of 500 characters each',
        ],
      },
    });
  });
});
