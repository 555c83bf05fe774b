import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { authorityOver, type Actor } from './authority.ts';
import { operatorResume, resume } from './resume.ts';
import { archive, reactivate, remove } from './standing.ts';
import { head, inferred, ME, nobody, NOW, operator, OTHER, owner, reader, stranger, vitals } from './testing/head.ts';
import { update } from './update.ts';

const actor: fc.Arbitrary<Actor> = fc.record({
  agentId: fc.constantFrom(ME, OTHER, undefined),
  operator: fc.constantFrom(undefined, { name: 'ada', act: true }, { name: 'bob', act: false }),
  proven: fc.boolean(),
});

const status = fc.constantFrom(
  'active' as const,
  'paused' as const,
  'archived' as const,
  'waiting_input' as const,
  'disabled' as const,
  'deleted' as const,
);

/** Every act, with arguments that ask for as much as can be asked for. */
const acts = (who: Actor, target: ReturnType<typeof head>) => ({
  archive: archive(who, target, { reason: 'r', force: true, liveSignals: [] }, NOW),
  resume: resume(who, target, { reason: 'r', unstick: true }, NOW),
  operatorResume: operatorResume(who, target, { reason: 'r', force: true, vitals: vitals() }),
  update: update(who, target, { notes: 'n' }, { storedNotes: null, proof: 'client_session_id', hold: undefined }),
  restore: update(
    who,
    target,
    { status: 'active' },
    { storedNotes: null, proof: 'client_session_id', hold: undefined },
  ),
  reactivate: reactivate(who, target, { explicit: true, proof: 'client_session_id' }),
  remove: remove(who, target, { confirm: true, reason: 'r' }, NOW),
});

describe('who may act on an agent', () => {
  it.each([
    ['the agent itself, proven', owner, { ok: true, value: { by: 'owner', operator: null } }],
    ['an operator that may act', operator, { ok: true, value: { by: 'operator', operator: 'ada' } }],
    ['the agent itself, inferred', inferred, { ok: false, refusal: { code: 'STRONG_IDENTITY_REQUIRED' } }],
    ['another agent', stranger, { ok: false, refusal: { code: 'FORBIDDEN' } }],
    ['an operator that may only read', reader, { ok: false, refusal: { code: 'OPERATOR_REQUIRED' } }],
    ['nobody', nobody, { ok: false, refusal: { code: 'IDENTITY_REQUIRED' } }],
  ])('%s', (_, who, outcome) => {
    verifies('BW-identity.07', 'BW-identity.08');
    expect(authorityOver(who, head())).toMatchObject(outcome);
  });

  it('lets nothing happen to an agent but by its proven self or an acting operator (A6)', () => {
    verifies('BW-identity.07');
    fc.assert(
      fc.property(actor, status, (who, of) => {
        const entitled = (who.proven && who.agentId === ME) || who.operator?.act === true;
        for (const [act, outcome] of Object.entries(acts(who, head({ status: of })))) {
          if (outcome.ok && !entitled) expect.unreachable(`${act} of a ${of} agent`);
        }
      }),
    );
  });

  it('gives the same answers whatever tags and name anybody has (A4, A5)', () => {
    verifies('BW-identity.08');
    const titles = { label: 'operator', tags: ['operator', 'admin', 'resident'] };
    fc.assert(
      fc.property(actor, status, (who, of) => {
        const plain = acts(who, head({ status: of }));
        const titled = acts(who, head({ status: of, ...titles }));
        for (const act of Object.keys(plain) as (keyof typeof plain)[]) expect(titled[act].ok).toBe(plain[act].ok);
      }),
    );
  });
});
