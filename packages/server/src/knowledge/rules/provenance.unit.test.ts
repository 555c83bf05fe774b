import { describe, expect, it } from 'vitest';
import type { AgentHead } from '../../agents/agent.ts';
import type { Caller } from '../../runtime/index.ts';
import { ownHold, refusedAct } from '../../lifecycle/index.ts';
import { verifies } from '../../../testing/verifies.ts';
import { NOW } from '../testing/finding.ts';
import { lineageOf, provenanceOf } from './provenance.ts';
import { refuseUnbound, type Writer } from './writer.ts';

const head = (over: Partial<AgentHead> = {}) =>
  ({
    agentId: 'ann',
    label: 'Ann',
    status: 'active',
    updateCount: 7,
    threadId: 't-1',
    parentAgentId: null,
    spawnReason: null,
    pause: null,
    vitals: {
      regime: 'nominal',
      verdict: 'proceed',
      risk: 0.1,
      source: 'derived',
      measured: true,
      at: '2026-05-31T00:00:00.000Z',
    },
    lineage: { confirmed_at: null, provisional: true },
    ...over,
  }) as AgentHead;
const caller: Caller = {
  agentId: 'ann',
  assurance: 'strong',
  source: 'client_session_id',
  origin: 'caller_asserted',
  operator: undefined,
  warnings: [],
  principal: 'agent:ann',
};
const ann: Writer = { id: 'ann', agentId: 'ann', caller, sessionKey: 'abc' };
const nobody: Writer = {
  id: 'anon-1',
  agentId: undefined,
  sessionKey: null,
  caller: { ...caller, agentId: undefined, assurance: 'none', source: 'none', origin: 'server_inferred' },
};

describe('provenance', () => {
  it('says by which proof, in which state, and how far the server answers for it', () => {
    verifies('BW-knowledge.01');
    expect(provenanceOf(ann, head(), { confidence: 0.9 }, NOW)).toEqual({
      schema: 'knowledge.provenance.v1',
      captured_at: '2026-06-01T00:00:00.000Z',
      identity: { bound: true, proof: 'client_session_id', assurance: 'strong', proof_origin: 'caller_asserted' },
      writer: {
        label: 'Ann',
        status: 'active',
        total_updates: 7,
        thread_id: 't-1',
        session_key: 'abc',
        agent_state: {
          regime: 'nominal',
          verdict: 'proceed',
          risk: 0.1,
          source: 'derived',
          at: '2026-05-31T00:00:00.000Z',
        },
      },
      authority: {
        server_attests: ['identity', 'writer', 'captured_at'],
        writer_claims: ['summary', 'details', 'severity', 'confidence'],
        severity_ceiling: 'critical',
        confidence: { source: 'writer_supplied', validation: 'range_only' },
      },
    });
  });

  it('makes nothing up about a writer that nobody knows', () => {
    expect(provenanceOf(nobody, undefined, { confidence: null }, NOW)).toMatchObject({
      identity: { bound: false, proof: 'none', assurance: 'none' },
      writer: null,
      authority: { severity_ceiling: 'medium', confidence: { source: 'absent', validation: 'none' } },
    });
    expect(provenanceOf(ann, head({ vitals: null }), { confidence: null }, NOW)).toMatchObject({
      writer: { agent_state: null },
    });
    const operator = { ...nobody, caller: { ...nobody.caller, operator: { name: 'eve', act: true } } };
    expect(provenanceOf(operator, undefined, { confidence: null }, NOW)).toMatchObject({
      identity: { operator: 'eve' },
    });
  });

  it('follows the declared parents, and ends where they are unknown, turn in a circle, or are many', () => {
    const family = new Map([
      ['bob', head({ agentId: 'bob', label: 'Bob', parentAgentId: 'cid', spawnReason: 'subagent' })],
      ['x', head({ agentId: 'x', parentAgentId: 'x' })],
      ...Array.from(
        { length: 30 },
        (_, i) => [`n${i}`, head({ agentId: `n${i}`, parentAgentId: `n${i + 1}` })] as const,
      ),
    ]);
    const chain = (parentAgentId: string | null) => lineageOf(head({ parentAgentId }), (id) => family.get(id));
    expect(chain(null)).toBeNull();
    expect(lineageOf(undefined, () => undefined)).toBeNull();
    expect(chain('bob')).toEqual([
      { agent_id: 'bob', label: 'Bob', relation: 'parent', spawn_reason: null, confirmed: false, provisional: true },
      {
        agent_id: 'cid',
        label: null,
        relation: 'parent',
        spawn_reason: 'subagent',
        confirmed: false,
        provisional: true,
      },
    ]);
    expect(chain('x')).toHaveLength(1);
    expect(chain('n0')).toHaveLength(10);
  });
});

describe('who may write', () => {
  it.each(['high', 'critical'] as const)('needs a proven agent for what is %s', (severity) => {
    verifies('BW-knowledge.03');
    expect(refuseUnbound(severity, nobody)).toMatchObject({ code: 'IDENTITY_REQUIRED', details: { severity } });
    expect(refuseUnbound(severity, ann)).toBeUndefined();
  });

  it.each(['low', 'medium'] as const)('may be anybody for what is %s', (severity) => {
    expect(refuseUnbound(severity, nobody)).toBeUndefined();
  });

  it('is not an agent under a pause, up to its last instant, nor one whose pause has no end', () => {
    verifies('BW-knowledge.03');
    const pause = {
      actuation_id: 'a',
      paused_at: '2026-05-31T00:00:00.000Z',
      expires_at: new Date(NOW).toISOString(),
      sub_action: 'claims_pause',
      reason: 'claims against results',
      evidence: {},
    };
    const refusedAt = (now: number, over: Partial<AgentHead>) => {
      const writer = head({ status: 'active', ...over });
      return refusedAct('write_knowledge', 'owner', writer, ownHold(writer, now));
    };
    expect(refusedAt(NOW, { pause, status: 'paused' })).toMatchObject({
      refusal: { code: 'AGENT_PAUSED', details: { reason: 'claims against results' } },
    });
    expect(refusedAt(NOW + 1, { pause, status: 'paused' })).toBeUndefined();
    expect(refusedAt(NOW + 1e12, { pause: { ...pause, expires_at: null }, status: 'paused' })).toBeDefined();
    expect(refusedAt(NOW, { pause: null })).toBeUndefined();
  });
});
