import type { NowView } from '@breakwater/contract/overview';
import { afterAll, expect, test } from 'vitest';
import { callTool, type Json } from '../testing/rest.ts';
import { must } from '../testing/review.ts';
import { NO_LIMITS, removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
afterAll(() => removeDataDir(folder));

interface Agent {
  readonly agentId: string;
  readonly secret: string;
}

test('an agent that its claims have paused is freed by none of the children and friends that it starts; a person is asked', async () => {
  verifies('BW-breaker.03');
  const server = spawnServer(folder, { env: NO_LIMITS });
  const url = await server.ready();
  const made = await runCommand([
    'operator',
    'create',
    '--name',
    'ada',
    '--scope',
    'act',
    '--json',
    '--data-dir',
    folder,
  ]);
  const operator = { authorization: `Bearer ${(JSON.parse(made.stdout) as { secret: string }).secret}` };
  const start = async (args: Json): Promise<Agent> => {
    const born = await must(url, 'start_session', { force_new: true, ...args });
    return { agentId: born['uuid'] as string, secret: born['client_session_id'] as string };
  };
  const own = ({ secret }: Agent, args: Json = {}): Json => ({ client_session_id: secret, ...args });

  const max = await start({ name: 'Max' });
  await must(url, 'agent', own(max, { action: 'update', tags: ['build'] }));
  let reason: unknown;
  for (let i = 0; reason === undefined; i += 1) {
    if (i > 12) throw new Error('the agent was never paused');
    const claim = await must(url, 'sync_state', own(max, { response_text: `Piece ${i}.`, confidence: 0.95 }));
    const failed = await must(
      url,
      'record_result',
      own(max, {
        prediction_id: claim['prediction_id'],
        outcome_type: 'test_failed',
        detail: { command: 'npm test', exit_code: 1 },
      }),
    );
    if (failed['paused'] === true) reason = 'claims';
  }

  // It starts children and friends, and they take its tags and go to work.
  const child = await start({ parent_agent_id: max.agentId, spawn_reason: 'subagent' });
  const friends = [await start({ name: 'Friend' }), await start({ name: 'Other friend' })];
  for (const friend of friends) {
    await must(url, 'agent', own(friend, { action: 'update', tags: ['build'] }));
    await must(url, 'sync_state', own(friend, { response_text: 'I am here.', confidence: 0.5 }));
  }
  const held = await callTool(url, 'sync_state', own(child, { response_text: 'I go on for it.' }));
  expect(held.result).toMatchObject({ error_code: 'AGENT_PAUSED', held_by: max.agentId });

  const asked = await must(
    url,
    'request_review',
    own(max, { root_cause: 'Claims without tests.', proposed_conditions: ['Monitor for 24 hours'] }),
  );
  expect(asked['reviewer']).toBeNull();
  const id = asked['session_id'];
  for (const puppet of [child, ...friends]) {
    const answered = await callTool(
      url,
      'submit_antithesis',
      own(puppet, { session_id: id, reasoning: 'All is well.' }),
    );
    expect(['REVIEWER_UNQUALIFIED', 'AGENT_PAUSED']).toContain(answered.result['error_code']);
    const agreed = await callTool(
      url,
      'submit_synthesis',
      own(puppet, { session_id: id, agrees: true, proposed_conditions: ['Monitor for 24 hours'] }),
    );
    expect(agreed.result['success']).toBe(false);
  }

  const state = await must(url, 'agent', own(max, { action: 'get' }));
  expect(state['status']).toBe('paused');
  expect((await callTool(url, 'sync_state', own(max, { response_text: 'I go on.' }))).result['error_code']).toBe(
    'AGENT_PAUSED',
  );
  const now = (await (await fetch(`${url}/api/now`, { headers: operator })).json()) as NowView;
  const needs = now.needs.filter(({ agent, kind }) => agent?.agent_id === max.agentId && kind === 'review_waiting');
  expect(needs).toMatchObject([{ severity: 'critical', review_id: id }]);
  expect(needs[0]?.acts).toContain('assign_reviewer');
  expect(now.free_resumes).toEqual([]);
  await server.stop();
});
