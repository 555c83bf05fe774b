import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import type { PeerAttestation } from '../../runtime/index.ts';
import type { Binding, BindingKind } from '../binding.ts';
import { assuranceBlock } from './assurance.ts';
import { resolve, type Facts, type Piece, type Resolution } from './resolve.ts';

const A = 'aaaaaaaa-1111-4111-8111-111111111111';
const B = 'bbbbbbbb-2222-4222-8222-222222222222';
const NOW = 1_800_000_000_000;

const binding = (agentId: string | null, over: Partial<Binding> = {}): Binding => ({
  kind: 'session',
  agentId,
  assurance: 'strong',
  expiresAt: NOW + 1,
  revokedAt: null,
  operator: null,
  ...over,
});
const secret = (agentId: string | null, over: Partial<Binding> = {}): Piece => ({
  source: 'client_session_id',
  assertedBy: 'caller',
  binding: binding(agentId, over),
});
const mcp = (agentId: string | null, over: Partial<Binding> = {}): Piece => ({
  source: 'mcp_session',
  assertedBy: 'caller',
  binding: binding(agentId, { kind: 'mcp_session', assurance: 'medium', ...over }),
});
const derived = (agentId: string): Piece => ({
  source: 'client_session_id',
  assertedBy: 'caller',
  derivedFrom: agentId.slice(0, 12),
});
const token = (agentId: string, over: Partial<Binding> = {}): Facts['token'] => ({
  verdict: { ok: true, agentId, expiresAt: NOW + 1, lapsed: false },
  binding: binding(agentId, { kind: 'continuity_token', ...over }),
});
const CLAIM = { executable: '/usr/bin/resident', unit: 'resident.service' };
const attested = (over: object = {}): PeerAttestation => ({
  ok: true,
  process: { pid: 7, uid: 1000, startTime: '99', executable: CLAIM.executable, unit: CLAIM.unit, ...over },
});

/** A token whose own hour is over, and its row not. */
const lapsed = (agentId: string, over: Partial<Binding> = {}): Facts['token'] => ({
  verdict: { ok: true, agentId, expiresAt: NOW - 1, lapsed: true },
  binding: binding(agentId, { kind: 'continuity_token', ...over }),
});

const ask = (facts: Partial<Facts>, enrolled: readonly string[] = []): Resolution =>
  resolve({ pieces: [], now: NOW, ...facts }, (id) => ({ substrate: enrolled.includes(id) ? CLAIM : null }));
const codeOf = (found: Resolution) => (found.kind === 'refused' ? found.refusal.code : found.kind);
const reasonOf = (found: Resolution) => (found.kind === 'refused' ? found.refusal.details?.['reason'] : undefined);

describe('what a call proves', () => {
  it('cases 1, 2: a token stands beside its uuid; a bad one leaves the call to its secret, with a warning', () => {
    verifies('BW-identity.01');
    expect(ask({ pieces: [secret(A)], token: token(A), claimed: A })).toMatchObject({
      kind: 'bound',
      agentId: A,
      assurance: 'strong',
      warnings: [],
    });
    for (const bad of [
      { verdict: { ok: false, reason: 'expired' }, binding: undefined } as const,
      token(A, { revokedAt: NOW - 1 }),
      token(A, { expiresAt: NOW - 1 }),
    ]) {
      expect(ask({ pieces: [secret(A)], token: bad })).toMatchObject({
        kind: 'bound',
        source: 'client_session_id',
        warnings: [{ code: 'continuity_token_invalid' }],
      });
    }
  });

  it('a token whose hour is over resumes its own agent, proves no more than a transport does, and nothing elsewhere', () => {
    verifies('W3-3.05', 'BW-identity.02');
    const own = { token: lapsed(A), claimed: A };
    expect(ask({ ...own, resuming: true })).toMatchObject({
      kind: 'bound',
      agentId: A,
      source: 'continuity_token',
      assurance: 'medium',
      origin: 'caller_asserted',
    });
    for (const facts of [
      own,
      { token: lapsed(A), resuming: true },
      { token: lapsed(A), claimed: B, resuming: true },
      { token: lapsed(A, { agentId: B }), claimed: A, resuming: true },
      { token: lapsed(A, { revokedAt: NOW - 1 }), claimed: A, resuming: true },
      { token: lapsed(A, { expiresAt: NOW - 1 }), claimed: A, resuming: true },
      { token: { ...lapsed(A)!, binding: undefined }, claimed: A, resuming: true },
    ]) {
      expect(ask(facts)).toMatchObject({ kind: 'unbound' });
    }
    // What was inferred once does not become more by lying about; an enrolled agent is its own process alone.
    expect(ask({ token: lapsed(A, { assurance: 'weak' }), claimed: A, resuming: true })).toMatchObject({
      assurance: 'weak',
    });
    expect(codeOf(ask({ ...own, resuming: true }, [A]))).toBe('SUBSTRATE_REQUIRES_SOCKET');
    expect(ask({ pieces: [secret(A)], ...own, resuming: true })).toMatchObject({ assurance: 'strong', warnings: [] });
  });

  it('cases 4, 5: a secret is used as it is, whatever model calls', () => {
    // There is no model among the facts: the reference made `work:claude` of `work`, and two models were two agents.
    expect(ask({ pieces: [secret(A)] })).toMatchObject({ agentId: A, source: 'client_session_id' });
  });

  it('case 7: what the call brings goes before the session of its transport', () => {
    const header: Piece = { ...secret(B), source: 'session_header' };
    expect(ask({ pieces: [mcp(A)] })).toMatchObject({ agentId: A, source: 'mcp_session', assurance: 'medium' });
    expect(ask({ pieces: [header, mcp(A)] })).toMatchObject({ agentId: B, source: 'session_header' });
    expect(codeOf(ask({ pieces: [secret(A), header] }))).toBe('IDENTITY_CONFLICT');
  });

  it('cases 8, 9: an address, or nothing, proves nothing', () => {
    expect(ask({})).toEqual({ kind: 'unbound', warnings: [] });
    expect(ask({ claimed: A })).toMatchObject({ kind: 'unbound' });
  });

  it('case 10: a secret that the transport put there is inferred and weak', () => {
    const injected: Piece = { ...secret(A), assertedBy: 'server' };
    expect(ask({ pieces: [injected] })).toMatchObject({ assurance: 'weak', origin: 'server_inferred' });
  });

  it('cases 25, 26: the session of a transport proves one step less, and is bypassed by a secret or a token', () => {
    expect(ask({ pieces: [mcp(A)] })).toMatchObject({ assurance: 'medium', source: 'mcp_session' });
    expect(ask({ pieces: [mcp(A, { assurance: 'weak' })] })).toMatchObject({ assurance: 'weak' });
    expect(ask({ pieces: [secret(B), mcp(A)] })).toMatchObject({ agentId: B });
    expect(ask({ pieces: [mcp(A)], token: token(B), claimed: B })).toMatchObject({ agentId: B });
  });

  it('case 36: a token of another agent than the transport session binds its own; beside a secret it is a conflict', () => {
    verifies('BW-identity.03');
    expect(ask({ pieces: [mcp(A)], token: token(B), claimed: B })).toMatchObject({
      agentId: B,
      source: 'continuity_token',
    });
    // Also one that proves no more than the session does.
    expect(ask({ pieces: [mcp(A)], token: token(B, { assurance: 'medium' }), claimed: B })).toMatchObject({
      agentId: B,
      assurance: 'medium',
    });
    expect(codeOf(ask({ pieces: [secret(A)], token: token(B), claimed: B }))).toBe('IDENTITY_CONFLICT');
    expect(codeOf(ask({ pieces: [secret(A)], token: token(B) }))).toBe('IDENTITY_CONFLICT');
  });

  it('cases 40, 41, 83: the id that can be made of a uuid needs a second proof of the same agent', () => {
    verifies('BW-identity.02');
    expect(codeOf(ask({ pieces: [derived(A)] }))).toBe('SESSION_UNKNOWN');
    expect(codeOf(ask({ pieces: [derived(A)], claimed: A }))).toBe('SESSION_UNKNOWN');
    expect(ask({ pieces: [derived(A), mcp(A)] })).toMatchObject({ agentId: A, source: 'mcp_session' });
    expect(ask({ pieces: [derived(A)], token: token(A), claimed: A })).toMatchObject({ agentId: A });
    expect(codeOf(ask({ pieces: [derived(A), mcp(B)] }))).toBe('IDENTITY_CONFLICT');
  });

  it('case 57: naming another agent than the one that is proven is a mismatch, and leaks nothing that was not sent', () => {
    const found = ask({ pieces: [secret(A)], claimed: B });
    expect(found).toMatchObject({
      kind: 'refused',
      refusal: { code: 'IDENTITY_CONFLICT', details: { error_type: 'identity_mismatch', requested_agent_id: B } },
    });
  });

  it('cases 60, 61: a token counts only beside its own uuid', () => {
    expect(ask({ token: token(A), claimed: A })).toMatchObject({ source: 'continuity_token', assurance: 'strong' });
    expect(ask({ token: token(A) })).toMatchObject({ kind: 'unbound' });
    expect(ask({ token: token(B), claimed: A })).toMatchObject({ kind: 'unbound' });
    expect(ask({ token: token(A, { agentId: B }), claimed: A })).toMatchObject({ kind: 'unbound' });
  });

  it('is never more than what was issued: a credential of an inferred identity stays inferred', () => {
    expect(ask({ pieces: [secret(A, { assurance: 'weak' })] })).toMatchObject({
      assurance: 'weak',
      origin: 'server_inferred',
    });
    expect(ask({ token: token(A, { assurance: 'weak' }), claimed: A })).toMatchObject({ assurance: 'weak' });
  });

  it('case 89: one function says how well a caller is proven, for reads and for writes', () => {
    verifies('BW-identity.12');
    const tiers = [
      [ask({ pieces: [secret(A)] }), 'strong', 1, true],
      [ask({ pieces: [mcp(A)] }), 'medium', 0.7, true],
      [ask({ pieces: [{ ...secret(A), assertedBy: 'server' }] }), 'weak', 0.35, false],
    ] as const;
    for (const [found, tier, score, proven] of tiers) {
      if (found.kind !== 'bound') throw new Error('must be bound');
      expect(assuranceBlock(found)).toMatchObject({ tier, score, caller_proven: proven, session_source: found.source });
    }
  });
});

describe('what does not hold', () => {
  const KINDS: readonly BindingKind[] = ['session', 'mcp_session', 'continuity_token', 'pin', 'operator'];

  it('refuses a secret that is unknown, expired, revoked or of another kind; never unbound', () => {
    verifies('BW-identity.05');
    const gone = [{ expiresAt: NOW - 1 }, { revokedAt: NOW }, ...KINDS.slice(1).map((kind) => ({ kind }))];
    for (const over of gone) expect(codeOf(ask({ pieces: [secret(A, over)] }))).toBe('SESSION_UNKNOWN');
    expect(codeOf(ask({ pieces: [{ source: 'client_session_id', assertedBy: 'caller' }] }))).toBe('SESSION_UNKNOWN');
    expect(ask({ pieces: [secret(A, { expiresAt: NOW })] })).toMatchObject({ kind: 'bound' });
  });

  it('case 27: an expired session of a transport binds nobody', () => {
    expect(ask({ pieces: [mcp(A, { expiresAt: NOW - 1 })] })).toMatchObject({ kind: 'unbound' });
    expect(ask({ pieces: [mcp(A, { revokedAt: NOW })] })).toMatchObject({ kind: 'unbound' });
  });
});

describe('an enrolled agent', () => {
  it('case 63: is bound by its own process alone, without a token', () => {
    verifies('W3-3.09');
    expect(ask({ claimed: A, attestation: attested() }, [A])).toMatchObject({
      agentId: A,
      source: 'attested_process',
      assurance: 'strong',
    });
  });

  it('case 62: without an enrolment an attested process proves nothing', () => {
    expect(ask({ claimed: A, attestation: attested() })).toMatchObject({ kind: 'unbound' });
  });

  it('cases 64, 72: says which of unit, executable or start time differs', () => {
    const proven = { pieces: [secret(A)], claimed: A };
    const reason = (attestation: PeerAttestation) => reasonOf(ask({ ...proven, attestation }, [A]));
    expect(reason(attested({ unit: 'other.service' }))).toBe('label_mismatch');
    expect(reason(attested({ executable: '/usr/bin/other' }))).toBe('exec_mismatch');
    expect(reason({ ok: false, code: 'pid_reuse', detail: 'x' })).toBe('pid_reuse');
    expect(ask({ ...proven, attestation: attested({ pid: 8, startTime: '100' }) }, [A])).toMatchObject({ agentId: A });
  });

  it('case 65: a failed attestation is a refusal, never an admission', () => {
    const failed: PeerAttestation = { ok: false, code: 'attestation_failed', detail: 'x' };
    expect(reasonOf(ask({ pieces: [secret(A)], attestation: failed }, [A]))).toBe('attestation_failed');
    expect(ask({ claimed: A, attestation: failed }, [A])).toMatchObject({ kind: 'unbound' });
  });

  it('cases 67, 68: is not reached over HTTP, whatever the call brings', () => {
    for (const facts of [
      { pieces: [secret(A)] },
      { pieces: [mcp(A)] },
      { pieces: [secret(A)], token: token(A), claimed: A },
      { token: token(A), claimed: A },
      { pieces: [derived(A), mcp(A)] },
    ]) {
      expect(codeOf(ask(facts, [A]))).toBe('SUBSTRATE_REQUIRES_SOCKET');
      expect(reasonOf(ask(facts, [A]))).toBe('substrate_anchored_uuid_requires_uds');
    }
  });

  it('case 69: others over HTTP, and itself over the socket, are unaffected', () => {
    expect(ask({ pieces: [secret(B)] }, [A])).toMatchObject({ agentId: B });
    expect(ask({ pieces: [secret(A)], attestation: attested() }, [A])).toMatchObject({ agentId: A });
    expect(ask({ pieces: [secret(B)], attestation: attested() }, [A])).toMatchObject({ agentId: B });
  });
});

describe('any evidence', () => {
  const agent = fc.constantFrom(A, B);
  const anyBinding = fc.record({
    kind: fc.constantFrom<BindingKind>('session', 'mcp_session', 'continuity_token', 'pin', 'operator'),
    agentId: fc.option(agent),
    assurance: fc.constantFrom('weak', 'medium', 'strong'),
    expiresAt: fc.constantFrom(NOW - 1, NOW, NOW + 1),
    revokedAt: fc.constantFrom(null, null, NOW - 5),
    operator: fc.constant(null),
  });
  const anyPiece: fc.Arbitrary<Piece> = fc.record(
    {
      source: fc.constantFrom('client_session_id', 'session_header', 'mcp_session'),
      assertedBy: fc.constantFrom('caller', 'server'),
      derivedFrom: agent.map((id) => id.slice(0, 12)),
      binding: anyBinding,
    },
    { requiredKeys: ['source', 'assertedBy'] },
  );
  const anyFacts: fc.Arbitrary<Facts> = fc.record(
    {
      pieces: fc.uniqueArray(anyPiece, { selector: ({ source }) => source, maxLength: 3 }),
      now: fc.constant(NOW),
      token: fc.record({
        verdict: fc.oneof(
          fc.record({
            ok: fc.constant(true as const),
            agentId: agent,
            expiresAt: fc.constant(NOW + 1),
            lapsed: fc.boolean(),
          }),
          fc.constant({ ok: false, reason: 'signature' } as const),
        ),
        binding: fc.option(anyBinding, { nil: undefined }),
      }),
      claimed: agent,
      resuming: fc.boolean(),
      attestation: fc.constantFrom(attested(), { ok: false, code: 'pid_reuse', detail: 'x' } as PeerAttestation),
    },
    { requiredKeys: ['pieces', 'now'] },
  );
  const valid = (b: Binding | undefined, kind: BindingKind, id: string) =>
    b?.kind === kind && b.agentId === id && b.revokedAt === null && b.expiresAt >= NOW;

  it('binds only an agent that a credential in force, or its own enrolled process, proves', () => {
    verifies('BW-identity.02', 'BW-identity.05');
    let bound = 0;
    fc.assert(
      fc.property(anyFacts, fc.subarray([A, B]), (facts, enrolled) => {
        const found = ask(facts, enrolled);
        if (found.kind !== 'bound') return;
        bound += 1;
        const { agentId } = found;
        const bySecret = facts.pieces.some(
          (piece) =>
            piece.derivedFrom === undefined &&
            valid(piece.binding, piece.source === 'mcp_session' ? 'mcp_session' : 'session', agentId),
        );
        const { token: held } = facts;
        const byToken =
          facts.claimed === agentId &&
          held?.verdict.ok === true &&
          held.verdict.agentId === agentId &&
          (!held.verdict.lapsed || facts.resuming === true) &&
          valid(held.binding, 'continuity_token', agentId);
        const byProcess = enrolled.includes(agentId) && facts.claimed === agentId && facts.attestation?.ok === true;
        expect(bySecret || byToken || byProcess).toBe(true);
        if (facts.claimed !== undefined) expect(agentId).toBe(facts.claimed);
        if (enrolled.includes(agentId)) expect(facts.attestation?.ok).toBe(true);
      }),
      { numRuns: 5_000 },
    );
    expect(bound).toBeGreaterThan(200);
  });
});
