import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMcp, GENERATIONS } from '../testing/mcp.ts';
import { callTool, type Json } from '../testing/rest.ts';
import { NO_LIMITS, removeDataDir, spawnServer, temporaryDataDir, type ServerProcess } from '../testing/server.ts';
import { verifies } from '../testing/verifies.ts';

const folder = temporaryDataDir();
let server: ServerProcess;
let url: string;
beforeAll(async () => {
  server = spawnServer(folder, { env: NO_LIMITS });
  url = await server.ready();
});
afterAll(async () => {
  await server.stop();
  await removeDataDir(folder);
});

type Call = (name: string, args?: Json) => Promise<Json>;

/** A caller on one transport, as far as an attacker gets: every header that it may try travels with every REST call. */
const attacker = async (transport: 'rest' | (typeof GENERATIONS)[number], headers: Record<string, string> = {}) => {
  if (transport === 'rest') {
    const call: Call = async (name, args = {}) => (await callTool(url, name, args, headers)).result;
    return { call, close: () => Promise.resolve() };
  }
  const mcp = await connectMcp(url, transport);
  const call: Call = async (name, args = {}) => (await mcp.call(name, args)).result;
  return { call, close: () => mcp.close() };
};

const victim = async (name: string) => {
  const { result } = await callTool(url, 'onboard', { name, force_new: true });
  return {
    uuid: result['uuid'] as string,
    secret: result['client_session_id'] as string,
    token: result['continuity_token'] as string,
  };
};
const record = async ({ secret }: { secret: string }): Promise<Json> =>
  (await callTool(url, 'agent', { client_session_id: secret, action: 'get' })).result;
const still = ({ label, status, tags, notes, total_updates }: Json) => ({ label, status, tags, notes, total_updates });

describe.each(['rest', ...GENERATIONS] as const)('attacks over %s', (transport) => {
  let v: Awaited<ReturnType<typeof victim>>;
  let before: Json;
  let evil: Awaited<ReturnType<typeof attacker>>;
  beforeAll(async () => {
    v = await victim(`Victim of ${transport}`);
    before = still(await record(v));
    evil = await attacker(transport, {
      'x-agent-id': v.uuid,
      'x-agent-name': `Victim of ${transport}`,
      'x-forwarded-for': '203.0.113.1',
      'x-client-id': v.uuid,
    });
  });
  afterAll(async () => {
    await evil.close();
    // Whatever was tried: the record of the victim is as it was.
    expect(still(await record(v))).toEqual(before);
  });

  test('hazard 8: a uuid in the arguments or headers is nobody: no write, no read of what is private', async () => {
    verifies('BW-identity.02');
    for (const claim of [
      { agent_id: v.uuid },
      { agent_uuid: v.uuid },
      { agent_id: v.uuid.toUpperCase() },
      { client_session_id: v.uuid },
      { client_session_id: `agent-${v.uuid.slice(0, 12)}` },
      { agent_id: `Victim of ${transport}` },
      { _agent_uuid: v.uuid, _middleware_identity_result: { agent_uuid: v.uuid } },
      { kwargs: JSON.stringify({ agent_id: v.uuid }) },
    ]) {
      const said = await evil.call('sync_state', { ...claim, response_text: 'I am you' });
      expect(['IDENTITY_REQUIRED', 'SESSION_UNKNOWN'], JSON.stringify(claim)).toContain(said['error_code']);
      const read = await evil.call('check_working_state', claim);
      expect(read['agent_id'] ?? null, JSON.stringify(claim)).toBeNull();
      const seen = await evil.call('agent', { ...claim, action: 'get', target_agent_id: `Victim of ${transport}` });
      expect(JSON.stringify(seen)).not.toContain(v.uuid);
      expect(seen).not.toHaveProperty('notes');
    }
  });

  test('hazard 6: two callers of one address and program are two, whatever address they write', async () => {
    const a = await evil.call('onboard', { client_hint: 'same', model_type: 'claude' });
    const b = await evil.call('onboard', {
      client_hint: 'same',
      model_type: 'claude',
      ...(transport === '2025' && { force_new: true }),
    });
    expect(a['success']).toBe(true);
    expect(b['success']).toBe(true);
    expect(b['uuid']).not.toBe(a['uuid']);
  });

  test('hazard 7: a token of the kind that OAuth servers give is no identity', async () => {
    for (const authorization of ['Bearer at_0123456789abcdef', 'Bearer oauth:client', `Bearer ${v.uuid}`]) {
      const { result } = await callTool(url, 'identity', {}, { authorization });
      expect(result['identity_status'] ?? result['error_code']).toMatch(/unbound|UNAUTHORIZED/);
    }
  });

  test('hazard 9: an archived agent does not come back by its uuid, its token, or an onboard that does not ask for it', async () => {
    verifies('BW-identity.09');
    const gone = await victim('Gone');
    await callTool(url, 'sync_state', { client_session_id: gone.secret, response_text: 'still warm' });
    const ended = await callTool(url, 'agent', { client_session_id: gone.secret, action: 'archive', force: true });
    expect(ended.result['lifecycle_status']).toBe('archived');
    for (const [name, args] of [
      ['identity', { agent_uuid: gone.uuid }],
      ['identity', { agent_uuid: gone.uuid, continuity_token: gone.token }],
      ['onboard', { agent_uuid: gone.uuid, continuity_token: gone.token, reactivate: true }],
      ['onboard', { client_session_id: gone.secret }],
      ['sync_state', { client_session_id: gone.secret, response_text: 'x' }],
      ['bind_session', { client_session_id: gone.secret, resume: true }],
    ] as const) {
      const { success, error_code } = await evil.call(name, args);
      expect({ success, error_code }, name).toMatchObject({
        success: false,
        error_code: expect.stringMatching(
          /AGENT_ARCHIVED|BARE_UUID_RESUME_DENIED|STRONG_IDENTITY_REQUIRED|IDENTITY_CONFLICT/,
        ) as string,
      });
    }
    expect(await record(gone)).toMatchObject({ status: 'archived' });
  });

  test('hazard 10: a wrong guess at a session tells nothing about whose it is', async () => {
    const mine = await evil.call('onboard', { force_new: true });
    for (const args of [
      { client_session_id: 'guess', strict: true, agent_id: v.uuid },
      { client_session_id: mine['client_session_id'], strict: true, agent_id: v.uuid },
      { client_session_id: `agent-${v.uuid.slice(0, 12)}`, resume: true },
    ]) {
      const said = await evil.call('bind_session', args);
      expect(said['success']).toBe(false);
      expect(JSON.stringify(said)).not.toContain(v.secret);
      expect(said).not.toHaveProperty('accepted_aliases');
      expect(said['resolved_agent_uuid']).toBeUndefined();
    }
  });

  test('hazards 12, 13, 14: nobody archives, resumes, deletes or changes another; a name or a tag makes no operator', async () => {
    verifies('BW-identity.07', 'BW-identity.08');
    const named = await evil.call('onboard', { name: 'operator', force_new: true });
    expect(named['error_code']).toBe('PARAMETER_ERROR');
    const mine = await evil.call('onboard', { name: 'operations', force_new: true });
    const proof = { client_session_id: mine['client_session_id'] };
    await evil.call('agent', { ...proof, action: 'update', tags: ['operator'] });
    const target = { target_agent_id: `Victim of ${transport}`, reason: 'because', force: true, confirm: true };
    for (const act of [
      { action: 'archive' },
      { action: 'delete' },
      { action: 'resume', unstick: true },
      { action: 'update', notes: 'mine now', tags: [] },
    ]) {
      for (const who of [proof, {}]) {
        const { error_code } = await evil.call('agent', { ...target, ...act, ...who });
        expect(['FORBIDDEN', 'IDENTITY_REQUIRED'], JSON.stringify(act)).toContain(error_code);
      }
    }
    const { target_agent_id, reason, force } = target;
    for (const [name, args] of [
      ['operator_resume_agent', { target_agent_id, reason, force }],
      ['archive_orphan_agents', { dry_run: false }],
    ] as const) {
      expect((await evil.call(name, { ...args, ...proof }))['error_code']).toBe('OPERATOR_REQUIRED');
    }
  });
});

test('an operator credential is taken from its header alone, compared whole, and never from the arguments', async () => {
  verifies('BW-identity.08');
  for (const headers of [{ 'x-breakwater-operator': 'bwo_guess' }, { 'x-unitares-operator': 'bwo_guess' }]) {
    const { result } = await callTool(url, 'agent', {}, headers);
    expect(result['error_code']).toBe('UNAUTHORIZED');
  }
  const told = { operator_token: 'bwo_guess', operator: { act: true } };
  for (const args of [{}, told, { kwargs: told }]) {
    const { result } = await callTool(url, 'archive_orphan_agents', args);
    expect(result['error_code']).toBe('kwargs' in args || args === told ? 'PARAMETER_ERROR' : 'OPERATOR_REQUIRED');
  }
});

test('case A3: naming a uuid over REST, in whatever argument or header, is not acting as it', async () => {
  verifies('BW-identity.02');
  const { uuid, secret } = await victim('Named');
  const before = await record({ secret });
  for (const [args, headers] of [
    [{ agent_id: uuid }, {}],
    [{ agent_id: uuid, agent_uuid: uuid }, {}],
    [{}, { 'x-agent-id': uuid }],
    [{}, { 'x-session-id': uuid }],
    [{}, { 'x-session-id': `agent-${uuid.slice(0, 12)}` }],
  ] as const) {
    const { result } = await callTool(url, 'sync_state', { ...args, response_text: 'I am you' }, headers);
    expect(['IDENTITY_REQUIRED', 'SESSION_UNKNOWN']).toContain(result['error_code']);
  }
  expect(still(await record({ secret }))).toEqual(still(before));
});
