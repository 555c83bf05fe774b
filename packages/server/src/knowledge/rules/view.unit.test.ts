import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { DAY, finding, NOW } from '../testing/finding.ts';
import { compactView, detailsView, fullView, leanView, type Sight } from './view.ts';

const sight = (reader = 'reader'): Sight => ({
  now: NOW,
  id: (id) => (id === reader ? id : `hidden(${id})`),
  name: (id) => `name(${id})`,
  text: (text) => text.replaceAll('ann', 'somebody'),
  owns: (id) => id === reader,
});
const provenance = { identity: { bound: true }, writer: { label: 'secret label', session_key: 'k', thread_id: 't' } };

describe('a finding as it is shown', () => {
  it('says in each mode as much as it is for', () => {
    verifies('BW-knowledge.01');
    const long = finding({ summary: `ann ${'x'.repeat(600)}`, tags: ['a'], confidence: 0.5 });
    const lean = leanView(long, sight());
    expect(Object.keys(lean)).toEqual(['id', 'type', 'severity', 'status', 'summary']);
    expect(lean.summary).toMatch(/^somebody x{151}…$/);
    const compact = compactView(long, sight(), { hit: { score: 0.5, matched: ['x'] } });
    expect(compact).toMatchObject({ by: 'name(ann)', tags: ['a'], score: 0.5, matched: ['x'] });
    expect(compact).not.toHaveProperty('agent_id');
    expect(compact.summary).toHaveLength(501);
    const full = fullView(long, sight());
    expect(full).toMatchObject({ agent_id: 'hidden(ann)', confidence: 0.5, created_at: '2026-05-31T23:00:00.000Z' });
    expect(full.summary).toHaveLength(609);
    expect(full).not.toHaveProperty('provenance');
  });

  it('warns of what was replaced, and of what is likely stale', () => {
    verifies('BW-knowledge.01');
    const old = finding({ createdAt: NOW - 40 * DAY });
    expect(leanView(old, sight())).toMatchObject({ likely_stale: true });
    const replaced = finding({ status: 'superseded', supersededBy: 'g' });
    expect(leanView(replaced, sight())).toMatchObject({ superseded: true, superseded_by: 'g' });
    expect(leanView(finding(), sight())).not.toHaveProperty('likely_stale');
  });

  it('shows where it comes from, and the session to its writer alone', () => {
    const chain = [{ agent_id: 'bob', label: 'Bob', relation: 'parent' }];
    const told = (reader: string) =>
      compactView(finding({ provenance, provenanceChain: chain }), sight(reader), { provenance: true });
    expect(told('zoe')).toMatchObject({
      provenance: { identity: { bound: true }, writer: { label: 'name(ann)', thread_id: 't' } },
      provenance_chain: [{ agent_id: 'hidden(bob)', label: 'name(bob)', relation: 'parent' }],
    });
    expect(JSON.stringify(told('zoe'))).not.toMatch(/session_key|secret label/);
    expect(told('ann')).toMatchObject({ provenance: { writer: { session_key: 'k' } } });
    expect(fullView(finding(), sight(), { provenance: true })).toMatchObject({
      provenance: null,
      provenance_chain: null,
    });
  });

  it('shows details, or a look at them, and whether there is more', () => {
    verifies('BW-knowledge.01');
    expect(detailsView(undefined, true, sight())).toEqual({});
    expect(detailsView({ text: 'by ann', more: false }, true, sight())).toEqual({ details: 'by somebody' });
    expect(detailsView({ text: 'x', more: true }, true, sight())).toEqual({ details: 'x', details_truncated: true });
    expect(detailsView({ text: 'x', more: true }, false, sight())).toEqual({ details_preview: 'x…' });
    expect(detailsView({ text: 'x', more: false }, false, sight())).toEqual({ details_preview: 'x' });
  });
});
