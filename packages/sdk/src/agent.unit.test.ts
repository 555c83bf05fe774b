import { describe, expect, it } from 'vitest';
import { verifies } from '../../server/testing/verifies.ts';
import { Agent } from './agent.ts';
import { memoryCredentials, type Credentials } from './credentials.ts';
import type { Client } from './client.ts';
import { systemClock } from './clock.ts';
import {
  CredentialsError,
  IdentityDriftError,
  IdentityRefusedError,
  PausedError,
  ProtocolError,
  ApiError,
  refusedError,
} from './errors.ts';
import type { Json } from './json.ts';

const ME = '11111111-1111-4111-8111-111111111111';
const OTHER = '22222222-2222-4222-8222-222222222222';
const ANCHOR: Credentials = { agentId: ME, clientSessionId: 'secret', continuityToken: 'token', name: 'Ada' };

type Answers = Readonly<Record<string, Json | Error | ((args: Json) => Json | Error)>>;

const server = (answers: Answers) => {
  const calls: [string, Json][] = [];
  const client: Client = {
    url: new URL('http://server.test/'),
    clock: systemClock,
    close: () => Promise.resolve(),
    call: (tool: string, args: Json) => {
      calls.push([tool, args]);
      const told = answers[tool];
      const answer = typeof told === 'function' ? told(args) : told;
      if (answer === undefined) return Promise.reject(new Error(`nobody expected ${tool}`));
      return (
        answer instanceof Error ? Promise.reject(answer) : Promise.resolve({ success: true, ...answer })
      ) as Promise<never>;
    },
  };
  return { client, calls };
};

const unknown = () => refusedError({ code: 'SESSION_UNKNOWN', message: 'unknown' });
const born = { uuid: ME, client_session_id: 'secret', continuity_token: 'token', is_new: true };

describe('opening an agent', () => {
  it('makes a new one when there is no anchor, and keeps it before it is used', async () => {
    const { client, calls } = server({ start_session: born });
    const anchor = memoryCredentials();
    const agent = await Agent.open({ client, name: 'Ada', credentials: anchor, model: 'm', purpose: 'p' });
    expect(agent).toMatchObject({ agentId: ME, isNew: true, pause: null });
    expect(await anchor.load()).toEqual(ANCHOR);
    expect(calls).toEqual([
      [
        'start_session',
        {
          force_new: true,
          name: 'Ada',
          model_type: 'm',
          purpose: 'p',
          parent_agent_id: undefined,
          spawn_reason: undefined,
        },
      ],
    ]);
  });

  it('refuses to make one where it must have been there before', async () => {
    const { client, calls } = server({});
    const open = Agent.open({ client, name: 'Ada', credentials: memoryCredentials(), onMissing: 'fail' });
    await expect(open).rejects.toThrow(CredentialsError);
    expect(calls).toEqual([]);
  });

  it('resumes by the secret, and keeps the fresh token', async () => {
    const { client, calls } = server({ identity: { ...born, continuity_token: 'fresh' } });
    const anchor = memoryCredentials(ANCHOR);
    const agent = await Agent.open({ client, name: 'Ada', credentials: anchor });
    expect(agent).toMatchObject({ agentId: ME, isNew: false });
    expect(await anchor.load()).toEqual({ ...ANCHOR, continuityToken: 'fresh' });
    expect(calls).toEqual([['identity', { client_session_id: 'secret' }]]);
  });

  it('resumes by token and uuid when the secret is not known any more', async () => {
    const { client, calls } = server({ identity: unknown, start_session: { ...born, client_session_id: 'next' } });
    const anchor = memoryCredentials(ANCHOR);
    await Agent.open({ client, name: 'Ada', credentials: anchor });
    expect(calls[1]).toEqual(['start_session', { agent_uuid: ME, continuity_token: 'token' }]);
    expect((await anchor.load())?.clientSessionId).toBe('next');
  });

  it('makes nobody else of an agent whose anchor proves nothing any more', async () => {
    const denied = () => refusedError({ code: 'BARE_UUID_RESUME_DENIED', message: 'denied' });
    const { client } = server({ identity: unknown, start_session: denied });
    const anchor = memoryCredentials(ANCHOR);
    await expect(Agent.open({ client, name: 'Ada', credentials: anchor })).rejects.toThrow(IdentityRefusedError);
    expect(await anchor.load()).toEqual(ANCHOR);
  });

  it('replaces it on request by one that names it as its parent', async () => {
    const denied = (args: Json) =>
      args['force_new'] === true
        ? { ...born, uuid: OTHER }
        : refusedError({ code: 'BARE_UUID_RESUME_DENIED', message: 'no' });
    const { client, calls } = server({ identity: unknown, start_session: denied });
    const anchor = memoryCredentials(ANCHOR);
    const agent = await Agent.open({ client, name: 'Ada', credentials: anchor, onLost: 'replace' });
    expect(agent).toMatchObject({ agentId: OTHER, isNew: true });
    expect(calls.at(-1)?.[1]).toMatchObject({ parent_agent_id: ME, force_new: true });
    expect((await anchor.load())?.agentId).toBe(OTHER);
  });

  it('brings an archived one back only on request', async () => {
    const { client } = server({ identity: { uuid: ME, archived: true }, start_session: born });
    const anchor = memoryCredentials(ANCHOR);
    await expect(Agent.open({ client, name: 'Ada', credentials: anchor })).rejects.toMatchObject({
      code: 'AGENT_ARCHIVED',
    });
    expect((await Agent.open({ client, name: 'Ada', credentials: anchor, onArchived: 'reactivate' })).agentId).toBe(ME);
  });

  it('is an error when the server gives no identity, or names none', async () => {
    await expect(Agent.open({ ...server({ start_session: { uuid: ME } }), name: 'Ada' })).rejects.toThrow(
      ProtocolError,
    );
    const unbound = server({ identity: { uuid: null } });
    await expect(Agent.open({ ...unbound, name: 'Ada', credentials: memoryCredentials(ANCHOR) })).rejects.toThrow(
      ProtocolError,
    );
  });
});

describe('identity drift', () => {
  it('is an error at opening, by either proof, and the anchor stays what it was', async () => {
    verifies('BW-sdk.03');
    const other = { ...born, uuid: OTHER };
    for (const answers of [{ identity: other }, { identity: unknown, start_session: other }]) {
      const anchor = memoryCredentials(ANCHOR);
      const open = Agent.open({ ...server(answers), name: 'Ada', credentials: anchor, onLost: 'replace' });
      await expect(open).rejects.toThrow(IdentityDriftError);
      await expect(open).rejects.toMatchObject({ expected: ME, actual: OTHER });
      expect(await anchor.load()).toEqual(ANCHOR);
    }
  });

  it('is an error at every answer about oneself', async () => {
    verifies('BW-sdk.03');
    const { client } = server({
      start_session: born,
      sync_state: { agent_id: OTHER, decision: { action: 'proceed' } },
      check_working_state: { agent_id: OTHER, status: 'active' },
      record_result: { outcome_id: 'o', agent_signature: { uuid: OTHER } },
    });
    const agent = await Agent.open({ client, name: 'Ada' });
    await expect(agent.checkIn({ text: 'x' })).rejects.toThrow(IdentityDriftError);
    await expect(agent.state()).rejects.toThrow(IdentityDriftError);
    await expect(agent.recordResult({ outcome: 'task_completed' })).rejects.toThrow(IdentityDriftError);
  });

  it('is not what a handle or another agent in an answer says', async () => {
    const { client } = server({
      start_session: born,
      check_working_state: { agent_id: 'Claude_20260101', status: 'active' },
      agent: { agent_id: OTHER },
    });
    const agent = await Agent.open({ client, name: 'Ada' });
    expect((await agent.state()).status).toBe('active');
    await agent.call('agent', { action: 'get', target_agent_id: OTHER });
  });
});

describe('an agent', () => {
  const opened = async (answers: Answers) => {
    const world = server({ start_session: born, ...answers });
    return { ...world, agent: await Agent.open({ client: world.client, name: 'Ada' }) };
  };

  it('sends its secret, and a new key with each report', async () => {
    const { agent, calls } = await opened({ sync_state: { agent_id: ME, decision: { action: 'proceed' } } });
    await agent.checkIn({
      text: 'x',
      confidence: 0.7,
      complexity: 'low',
      toolRuns: [{ tool: 't', summary: 's', exitCode: 0 }],
    });
    await agent.checkIn({ text: 'x' });
    const [, first, second] = calls.map(([, args]) => args);
    expect(first).toEqual({
      client_session_id: 'secret',
      response_text: 'x',
      confidence: 0.7,
      complexity: 'low',
      recent_tool_results: [{ tool: 't', summary: 's', exit_code: 0 }],
      idempotency_key: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
    expect(second).not.toMatchObject({ idempotency_key: first?.['idempotency_key'] });
    await agent.checkIn({ text: 'x', idempotencyKey: 'mine' });
    expect(calls.at(-1)?.[1]).toMatchObject({ idempotency_key: 'mine' });
  });

  it('knows its pause from whichever answer told of it', async () => {
    const pause = { reason: 'claims', paused_at: 'a', expires_at: 'b' };
    const paused = refusedError({
      code: 'AGENT_PAUSED',
      message: 'Paused',
      details: { reason: 'claims', paused_at: 'a', recovery: { expires_at: 'b' } },
    });
    let state: Json = { status: 'paused', pause };
    const { agent } = await opened({
      sync_state: () => paused,
      record_result: { paused: true, pause },
      check_working_state: () => state,
    });
    const told = { reason: 'claims', pausedAt: 'a', expiresAt: 'b' };
    await expect(agent.checkIn({ text: 'x' })).rejects.toThrow(PausedError);
    expect(agent.pause).toEqual(told);
    state = { status: 'active' };
    await agent.state();
    expect(agent.pause).toBeNull();
    expect(await agent.recordResult({ outcome: 'test_failed', predictionId: 'p' })).toMatchObject({ paused: true });
    expect(agent.pause).toEqual(told);
  });

  it('passes refusals on', async () => {
    const { agent } = await opened({ knowledge: () => refusedError({ code: 'DISCOVERY_NOT_FOUND', message: 'none' }) });
    await expect(agent.knowledge.get('x')).rejects.toThrow(ApiError);
  });
});
