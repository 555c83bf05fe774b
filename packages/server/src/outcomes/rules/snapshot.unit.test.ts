import { describe, expect, it } from 'vitest';
import { serverNotes } from './snapshot.ts';

const outcome = {
  channel: 'tests',
  fixture: false,
  binding: { claimed: true },
  claim: { claimClass: 'agent_report', complexityGap: 0.2 },
  hasSnapshot: true,
  verdict: 'proceed',
} as const;

describe('what the server notes beside an outcome', () => {
  it('says where it came from, what kind of claim it settles and how the agent fared', () => {
    expect(serverNotes(outcome)).toEqual({
      server_snapshot: { channel: 'tests', claim_class: 'agent_report', complexity_gap: 0.2, ended_healthy: true },
    });
    expect(serverNotes({ ...outcome, verdict: 'guide' }).server_snapshot?.ended_healthy).toBe(false);
  });

  it('leaves open what is not known', () => {
    expect(serverNotes({ ...outcome, claim: undefined, verdict: null, hasSnapshot: false })).toEqual({
      snapshot_missing: true,
      server_snapshot: { channel: 'tests', claim_class: null, complexity_gap: null, ended_healthy: null },
    });
  });

  it.each([{ fixture: true }, { binding: { claimed: false } }])(
    'notes nothing that would feed a curve for %j',
    (over) => {
      expect(serverNotes({ ...outcome, ...over })).toEqual({});
    },
  );
});
