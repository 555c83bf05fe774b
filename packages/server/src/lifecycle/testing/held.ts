import { operator } from '../../../testing/calls.ts';
import type { Json } from '../../../testing/rest.ts';
import { testWorld } from '../../../testing/world.ts';
import type { Act } from '../rules/acts.ts';
import type { Standing } from '../rules/standings.ts';

export const HOUR = 3_600_000;

/** The words that each kind of pause is stored under in the row of its agent. */
export const PAUSED_AS: Readonly<Partial<Record<Standing, readonly string[]>>> = {
  claims_pause: ['claims_pause'],
  risk_pause: ['risk_pause', 'reject', 'cirs_block'],
  conditions_pause: ['conditions_pause'],
  operator_pause: ['operator_pause'],
  review_cooldown: ['review_cooldown'],
  review_held: ['review_block', 'review_escalate'],
  unknown_pause: ['a_kind_of_tomorrow'],
};

/** One call of an act. */
export interface ActCall {
  readonly act: Act;
  readonly tool: string;
  readonly args: Json;
  /** The call can name another agent, and so is refused to others; without it, it is about the caller whoever that is. */
  readonly names?: true;
  /** The call asks for a proof that was sent with it, also where the caller is known by inference. */
  readonly proof?: true;
}

const named = (act: Act, args: Json): ActCall => ({ act, tool: 'agent', args, names: true });
const own = (act: Act, tool: string, args: Json = {}): ActCall => ({ act, tool, args });
const proven = (act: Act, tool: string, args: Json): ActCall => ({ act, tool, args, proof: true });

/** The calls that each act of the table is. */
export const CALLS: readonly ActCall[] = [
  own('read', 'get_governance_metrics'),
  own('read', 'identity'),
  named('read', { action: 'get' }),
  proven('read', 'self_recovery', { action: 'check' }),
  own('simulate', 'simulate_update', { response_text: 'x', confidence: 0.5 }),
  own('record_result', 'outcome_event', { outcome_type: 'test_passed', detail: { exit_code: 0 } }),
  own('check_in', 'process_agent_update', { response_text: 'x', confidence: 0.5 }),
  named('update', { action: 'update', tags: ['a'] }),
  named('update', { action: 'update', notes: 'n' }),
  named('update', { action: 'update', purpose: 'p' }),
  named('update', { action: 'update', preferences: { verbosity: 'full' } }),
  named('reactivate', { action: 'update', status: 'active' }),
  own('rename', 'identity', { name: 'another' }),
  named('archive', { action: 'archive', force: true }),
  named('delete', { action: 'delete', confirm: true }),
  named('resume', { action: 'resume', reason: 'r' }),
  named('unstick', { action: 'resume', unstick: true, reason: 'r' }),
  named('pause', { action: 'pause', reason: 'r' }),
  proven('recover', 'self_recovery', { action: 'review', reflection: 'I have thought about it for long enough.' }),
  own('mint', 'onboard', { force_new: true }),
  own('mint', 'onboard', { resume: false }),
  own('write_knowledge', 'store_knowledge_graph', { summary: 's', discovery_type: 'note' }),
  proven('request_review', 'request_review', {
    reason: 'r',
    root_cause: 'rc',
    proposed_conditions: ['Monitor for 24 hours'],
    reviewer_mode: 'manual',
  }),
  proven('revoke', 'identity', { revoke: 'this' }),
];

/** A world with agents that are paused by hand, in whatever words. */
export const heldWorld = async () => {
  const w = await testWorld();
  const ann = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'ann') };
  const onboard = async (args: Json = {}, seen = {}): Promise<{ uuid: string; secret: string }> => {
    const { ok, body } = await w.call('onboard', { force_new: true, ...args }, seen);
    if (!ok) throw new Error(JSON.stringify(body));
    return { uuid: body['uuid'] as string, secret: body['client_session_id'] as string };
  };
  /** Writes how an agent stands into its row, and lets the node take it over. */
  const put = async (uuid: string, status: string, pause: Json | null, archive: Json | null = null): Promise<void> => {
    await w.rows(
      `UPDATE core.identities SET status = $2, pause = $3::jsonb, archive = $4::jsonb, sequence = sequence + 1
       WHERE agent_id = $1`,
      uuid,
      status,
      pause === null ? null : JSON.stringify(pause),
      archive === null ? null : JSON.stringify(archive),
    );
    await w.node.agents.refresh([uuid]);
  };
  const pause = (uuid: string, kind: string, hours: number | null = 72): Promise<void> => {
    const at = w.clock.now();
    return put(uuid, 'paused', {
      actuation_id: `a-${at}`,
      paused_at: new Date(at).toISOString(),
      expires_at: hours === null ? null : new Date(at + hours * HOUR).toISOString(),
      sub_action: kind,
      reason: 'because of the test',
      evidence: { paused_by: 'ann' },
    });
  };
  /** All that a refusal must leave as it was: the agent's rows, what proves it, its trail, and how many agents there are. */
  const stateOf = async (uuid: string): Promise<string> => {
    const rows = await w.rows(
      `SELECT md5(concat_ws('|', to_jsonb(a)::text, to_jsonb(i)::text,
         (SELECT string_agg(e.event_id::text, ',' ORDER BY e.event_id) FROM audit.events e WHERE e.agent_id = a.id),
         (SELECT string_agg(concat(b.credential_hash, b.revoked_at), ',' ORDER BY b.credential_hash)
          FROM core.bindings b WHERE b.agent_id = a.id),
         (SELECT count(*) FROM audit.outcome_events o WHERE o.agent_id = a.id),
         (SELECT count(*) FROM core.dialectic_sessions d WHERE d.paused_agent_id = a.id),
         (SELECT count(*) FROM core.agents))) AS state
       FROM core.agents a JOIN core.identities i ON i.agent_id = a.id WHERE a.id = $1`,
      uuid,
    );
    return rows[0]?.['state'] as string;
  };
  return { w, ann, onboard, put, pause, stateOf };
};
