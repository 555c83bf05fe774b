import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { finding, NOW } from '../testing/finding.ts';
import { change, refuseSupersession, wishOf, type Changer, type Wish } from './changing.ts';
import type { Finding } from './finding.ts';

const ann: Changer = { id: 'ann', bound: true, operator: false };
const bob: Changer = { id: 'bob', bound: true, operator: false };
const operator: Changer = { id: 'operator:eve', bound: false, operator: true };
const nobody: Changer = { id: 'anon-1', bound: false, operator: false };

const patchOf = (over: Partial<Finding>, wish: Wish, who: Changer = ann) => {
  const changed = change(finding(over), wish, who, NOW);
  if (!changed.ok) throw new Error(changed.refusal.message);
  return changed.value;
};
const codeOf = (over: Partial<Finding>, wish: Wish, who: Changer = ann) => {
  const changed = change(finding(over), wish, who, NOW);
  return changed.ok ? 'ok' : changed.refusal.code;
};
const closed = { status: 'resolved', resolvedAt: 1, resolvedBy: 'ann', closureClass: 'obsolete' } as const;

describe('changing a finding', () => {
  it('closes it: when, by whom, why', () => {
    verifies('BW-knowledge.01');
    const wish: Wish = { status: 'resolved', closureClass: 'fix_verified', resolutionNotes: 'see the test' };
    expect(patchOf({}, wish)).toEqual({ ...wish, resolvedAt: NOW, resolvedBy: 'ann' });
  });

  it('opens it again, and takes back everything that said it was over', () => {
    const nothing = { resolvedAt: null, resolvedBy: null, archivedAt: null, closureClass: null, closureEvidence: null };
    expect(patchOf(closed, { status: 'open' })).toEqual({
      status: 'open',
      ...nothing,
      resolutionNotes: null,
      supersededBy: null,
    });
    expect(patchOf(closed, { status: 'disputed', resolutionNotes: 'it is back' }, bob)).toMatchObject({
      status: 'disputed',
      ...nothing,
      resolutionNotes: 'it is back',
    });
    expect(patchOf({ status: 'cold', archivedAt: 1 }, { status: 'open' })).toMatchObject({
      status: 'open',
      archivedAt: null,
    });
  });

  it('moves between the ways of being closed without closing it anew', () => {
    expect(patchOf(closed, { status: 'wont_fix' })).toEqual({ status: 'wont_fix' });
    expect(patchOf(closed, { status: 'archived' })).toEqual({ status: 'archived', archivedAt: NOW });
    expect(patchOf({}, { status: 'open' })).toEqual({});
  });

  it.each([
    ['open', 'cold'],
    ['open', 'superseded'],
    ['archived', 'resolved'],
    ['cold', 'archived'],
    ['cold', 'disputed'],
  ] as const)('from %s never leads to %s', (status, to) => {
    verifies('BW-knowledge.01');
    const archivedAt = status === 'open' ? null : 1;
    expect(codeOf({ status, archivedAt }, { status: to })).toBe('INVALID_STATUS_TRANSITION');
  });

  it('gives a class only to what is closed', () => {
    verifies('BW-knowledge.01');
    expect(codeOf({}, { closureClass: 'obsolete' })).toBe('PARAMETER_ERROR');
    expect(codeOf({}, { closureClass: 'obsolete', status: 'disputed' })).toBe('PARAMETER_ERROR');
    expect(patchOf(closed, { closureClass: 'duplicate' })).toEqual({ closureClass: 'duplicate' });
  });

  it('needs somebody who is proven, and leaves words and severity to their writer', () => {
    verifies('BW-knowledge.01');
    expect(codeOf({}, { status: 'resolved' }, nobody)).toBe('IDENTITY_REQUIRED');
    expect(codeOf({ agentId: 'anon-1' }, { status: 'resolved' }, nobody)).toBe('IDENTITY_REQUIRED');
    for (const wish of [
      { summary: 'x' },
      { details: 'x' },
      { tags: [] },
      { severity: 'low' },
      { type: 'bug' },
    ] as const) {
      expect(codeOf({}, wish, bob)).toBe('FORBIDDEN');
      expect(codeOf({}, wish, ann)).toBe('ok');
      expect(codeOf({}, wish, operator)).toBe('ok');
    }
    expect(codeOf({}, { status: 'archived' }, bob)).toBe('FORBIDDEN');
    expect(codeOf({}, { status: 'disputed' }, bob)).toBe('ok');
    expect(codeOf({}, { status: 'resolved' }, bob)).toBe('ok');
  });

  it.each(['high', 'critical'] as const)('closes a %s finding of another one only with evidence', (severity) => {
    expect(codeOf({ severity }, { status: 'resolved' }, bob)).toBe('FORBIDDEN');
    expect(codeOf({ severity }, { supersededBy: 'g' }, bob)).toBe('FORBIDDEN');
    expect(codeOf({ severity }, { status: 'disputed' }, bob)).toBe('ok');
    expect(codeOf({ severity }, { status: 'resolved', closureEvidence: { test: 'green' } }, bob)).toBe('ok');
    expect(codeOf({ severity }, { status: 'resolved' }, ann)).toBe('ok');
    expect(codeOf({ severity }, { status: 'resolved' }, operator)).toBe('ok');
  });

  it('supersedes once, by a finding that stands itself', () => {
    verifies('BW-knowledge.01');
    expect(patchOf({}, { supersededBy: 'g' })).toEqual({
      status: 'superseded',
      supersededBy: 'g',
      resolvedAt: NOW,
      resolvedBy: 'ann',
    });
    expect(codeOf({ status: 'superseded', supersededBy: 'h' }, { supersededBy: 'g' })).toBe(
      'INVALID_STATUS_TRANSITION',
    );
    expect(refuseSupersession(finding({ id: 'g' }), { id: 'f' })).toBeUndefined();
    expect(refuseSupersession(finding({ id: 'f' }), { id: 'f' })).toMatchObject({
      refusal: { code: 'PARAMETER_ERROR' },
    });
    expect(refuseSupersession(finding({ id: 'g', status: 'superseded' }), { id: 'f' })).toMatchObject({
      refusal: { code: 'INVALID_STATUS_TRANSITION' },
    });
  });
});

describe('what an update asks for', () => {
  it('is understood', () => {
    expect(
      wishOf({
        status: 'active',
        details: ' d ',
        tags: ['DB'],
        closure_class: 'Obsolete',
        superseded_by: '',
        summary: null,
      }),
    ).toEqual({
      ok: true,
      value: {
        wish: { status: 'open', details: 'd', tags: ['db'], closureClass: 'obsolete' },
        truncated: {},
        warnings: [],
      },
    });
    expect(wishOf({ summary: 's'.repeat(5000) })).toMatchObject({
      value: { truncated: { summary: { from: 5000, to: 4000 } } },
    });
  });

  it.each([
    [{}, 'MISSING_PARAMETER', 'status'],
    [{ summary: ' ' }, 'MISSING_PARAMETER', 'summary'],
    [{ status: 'done' }, 'PARAMETER_ERROR', 'status'],
    [{ resolution_notes: ['</', 'invoke>'].join('') }, 'PARAMETER_ERROR', 'resolution_notes'],
  ])('%j is refused', (raw, code, parameter) => {
    verifies('BW-knowledge.01');
    expect(wishOf(raw)).toMatchObject({ refusal: { code, details: { parameter } } });
  });
});
