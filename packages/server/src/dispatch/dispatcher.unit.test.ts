import { ok, ALIASES, ERRORS, refuse, type FieldProblem, type ToolListing } from '@breakwater/contract';
import {
  admin,
  agent,
  calibration,
  config,
  dialectic,
  getGovernanceMetrics,
  getServerInfo,
  healthCheck,
  identity,
  knowledge,
  notices,
  notOffered,
  observe,
  onboard,
  outcomeEvent,
  processAgentUpdate,
  report,
  selfRecovery,
  simulateUpdate,
} from '@breakwater/contract/tools';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { verifies } from '../../testing/verifies.ts';
import { refusalOf } from '../postgres/index.ts';
import { crossed, defineTool, Mailboxes, type Evidence, type Tool } from '../runtime/index.ts';
import { ManualClock } from '../runtime/testing/manual-clock.ts';
import { Limits } from './limits.ts';
import { AGENT, dispatcherOf, echo, resolveCaller, SECRET, specOf } from './testing/dispatch.ts';

const REAL = [
  onboard,
  identity,
  agent,
  dialectic,
  processAgentUpdate,
  simulateUpdate,
  getGovernanceMetrics,
  outcomeEvent,
  calibration,
  knowledge,
  healthCheck,
  getServerInfo,
  selfRecovery,
  report,
  notices,
  observe,
  config,
  admin,
  notOffered,
];
const real = (over = {}) => dispatcherOf(REAL.map(echo), ALIASES, over);
const limited = (limits: ConstructorParameters<typeof Limits>[0], over = {}) => {
  const clock = new ManualClock();
  return { ...real({ ...over, clock, limits: new Limits(limits, clock) }), clock };
};

const argsOf = (body: Record<string, unknown>) => body['args'] as Record<string, unknown>;
const problemsOf = (body: Record<string, unknown>) => body['errors'] as FieldProblem[];

describe('names', () => {
  it('runs the tool of an alias, with what the alias injects', async () => {
    verifies('BW-dispatch.03');
    const tool = echo(
      specOf({
        name: 'knowledge',
        input: z.looseObject({ action: z.string(), client_session_id: z.string().nullish() }),
        example: { action: 'search' },
      }),
    );
    const { call } = dispatcherOf(
      [tool],
      [{ name: 'search', tool: 'knowledge', kind: 'guess', inject: { action: 'search' } }],
    );
    const reply = await call('search', { action: 'delete' });
    expect(reply.tool).toBe('knowledge');
    expect(argsOf(reply.body)['action']).toBe('search');
  });

  it.each(['mcp_unitares_governance_sync_state', 'mcp__breakwater__sync_state', 'mcp_x_process_agent_update'])(
    'finds the tool behind %s',
    async (name) => {
      const reply = await real().call(name, { client_session_id: SECRET });
      expect(reply).toMatchObject({ tool: 'process_agent_update', isError: false });
    },
  );

  it('refuses an unknown name with the ones it may have meant', async () => {
    verifies('BW-dispatch.08');
    const { call, measures } = real();
    const reply = await call('onbord');
    expect(reply).toMatchObject({ tool: 'onbord', isError: true, status: 200, refusal: { code: 'TOOL_NOT_FOUND' } });
    expect(reply.body).toMatchObject({
      error_code: 'TOOL_NOT_FOUND',
      requested_tool: 'onbord',
      total_available: REAL.length + 2,
    });
    expect(reply.body['similar_tools']).toContain('onboard');
    expect(measures).toEqual([expect.objectContaining({ tool: 'unknown', outcome: 'TOOL_NOT_FOUND' })]);
  });

  it.each(['constructor', '__proto__', 'toString', ''])('has no tool called %j', async (name) => {
    expect((await real().call(name)).refusal?.code).toBe('TOOL_NOT_FOUND');
  });

  it('does not start with two tools of one name, an alias of nothing, or an example that does not parse', () => {
    const tool = echo(specOf({ name: 'a' }));
    expect(() => dispatcherOf([tool, tool])).toThrow('"a"');
    expect(() => dispatcherOf([tool], [{ name: 'b', tool: 'c', kind: 'guess' }])).toThrow('"c"');
    expect(() => dispatcherOf([echo(specOf({ name: 'a', example: { agent_id: 5 } }))])).toThrow('example');
  });
});

describe('arguments', () => {
  it('unwraps kwargs, given as an object or as JSON; what stands outside wins', async () => {
    const { call } = real();
    const kwargs = { client_session_id: SECRET, response_text: 'inside', task_type: 'bugfix' };
    for (const wrapped of [kwargs, JSON.stringify(kwargs)]) {
      const { body } = await call('process_agent_update', { kwargs: wrapped, response_text: 'outside' });
      expect(argsOf(body)).toMatchObject({ response_text: 'outside', task_type: 'bugfix' });
      expect(body['caller']).toMatchObject({ agentId: AGENT, assurance: 'strong' });
    }
    const broken = await call('process_agent_update', { kwargs: '{"a":', confidence: 3 });
    expect(problemsOf(broken.body).map(({ field }) => field)).toEqual(['kwargs', 'confidence']);
  });

  it('removes internal fields wherever the caller puts them', async () => {
    verifies('BW-dispatch.07');
    const spoofed = { _caller: 1, __proto: 2, bound_uuid: 'x', transport_injected: true, identity_assurance: 'strong' };
    const { call } = real();
    for (const args of [spoofed, { kwargs: spoofed }, { kwargs: JSON.stringify(spoofed) }]) {
      const { body } = await call('report', { ...args, kept: 1 });
      expect(body['unknown']).toEqual({ kept: 1 });
      expect(Object.keys(argsOf(body))).toEqual(['kept']);
    }
    const polluted = JSON.parse('{"__proto__":{"lite":true},"constructor":1}') as unknown;
    const { body } = await call('report', polluted);
    expect(argsOf(body)).toEqual({ constructor: 1 });
  });

  it('names arguments canonically; of two the canonical one wins', async () => {
    verifies('BW-dispatch.03');
    const { call } = real();
    const one = await call('sync_state', { client_session_id: SECRET, text: 'done', response_text: null });
    expect(argsOf(one.body)['response_text']).toBe('done');
    const both = await call('sync_state', { client_session_id: SECRET, text: 'alias', response_text: 'canonical' });
    expect(argsOf(both.body)['response_text']).toBe('canonical');
    expect(both.isError).toBe(false);
  });

  it('tells what it made of a complexity in words, for the alias only', async () => {
    verifies('BW-dispatch.03');
    const { call } = real();
    const word = await call('sync_state', { client_session_id: SECRET, complexity: 'high' });
    expect(argsOf(word.body)['complexity']).toBe(0.7);
    expect(word.body['normalized_parameters']).toEqual({
      complexity: { from: 'high', to: 0.7, interpretation: 'word' },
    });
    const strict = await call('process_agent_update', { client_session_id: SECRET, complexity: 'high' });
    expect(strict.refusal?.code).toBe('PARAMETER_ERROR');
  });

  it('lists all that is missing in one error', async () => {
    verifies('BW-dispatch.04');
    const input = z.looseObject({ a: z.string(), b: z.number(), c: z.enum(['x', 'y']), d: z.string().optional() });
    const { call } = dispatcherOf([echo(specOf({ name: 't', input, example: { a: '', b: 1, c: 'x' } }))]);
    const { body } = await call('t', {});
    expect(body).toMatchObject({
      error_code: 'MISSING_PARAMETER',
      error: 'Required and missing: a, b, c.',
      missing: ['a', 'b', 'c'],
      tool_name: 't',
    });
    const mixed = await call('t', { a: 5 });
    expect(mixed.body['error_code']).toBe('PARAMETER_ERROR');
    expect(problemsOf(mixed.body).map(({ field, type }) => [field, type])).toEqual([
      ['a', 'type'],
      ['b', 'missing'],
      ['c', 'missing'],
    ]);
  });

  it('lists all that is invalid in one error, each with its rule, what was given, and the way out', async () => {
    verifies('BW-dispatch.04');
    const { body } = await real().call('sync_state', {
      client_session_id: 'x'.repeat(600),
      complexity: 7,
      confidence: 3,
      task_type: 'bugfixing',
      response_text: 'ok',
      recent_tool_results: [{ tool: 'vitest' }, { tool: 1, summary: 's', extra: 1 }],
      idempotency_key: 'k'.repeat(300),
      lite: 'maybe',
    });
    const problems = problemsOf(body);
    const of = (field: string) => problems.find((problem) => problem.field === field);
    expect(body['error_code']).toBe('PARAMETER_ERROR');
    expect(problems).toHaveLength(9);
    expect(of('complexity')).toMatchObject({ type: 'ambiguous', given: '7' });
    expect(of('confidence')).toMatchObject({ message: 'must be between 0 and 1', given: '3' });
    expect(of('task_type')).toMatchObject({ type: 'value', given: '"bugfixing"', did_you_mean: 'bugfix' });
    expect(of('task_type')?.valid_values).toContain('review');
    expect(of('recent_tool_results[0].summary')).toMatchObject({ type: 'missing' });
    expect(of('recent_tool_results[1].tool')).toMatchObject({ type: 'type', message: 'must be a string' });
    expect(of('recent_tool_results[1].extra')).toMatchObject({ type: 'unknown_key' });
    expect(of('idempotency_key')).toMatchObject({ type: 'range', message: 'must be at most 200 characters' });
    expect(of('idempotency_key')?.given).toHaveLength(80);
    expect(of('lite')?.message).toContain('a boolean');
    expect(of('client_session_id')).toEqual({
      field: 'client_session_id',
      message: 'must be at most 512 characters',
      type: 'range',
    });
  });

  it('bounds how deep, how many and how large unknown arguments may be', async () => {
    const { call } = real();
    const deep = JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)) as unknown;
    expect((await call('health_check', { deep })).refusal).toMatchObject({ code: 'BAD_REQUEST' });
    expect((await call('health_check', [1])).status).toBe(400);
    const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, i]));
    expect((await call('health_check', many)).refusal?.code).toBe('PARAMETER_ERROR');
    expect((await call('report', { big: 'x'.repeat(17_000) })).refusal?.code).toBe('PARAMETER_ERROR');
    expect((await call('report', { big: 'x'.repeat(16_000) })).isError).toBe(false);
  });

  it('answers any JSON with a result that names a known code, and never with an exception', async () => {
    verifies('BW-dispatch.04', 'BW-dispatch.08');
    const { call, incidents, dispatcher } = real();
    const names = dispatcher.advertised('full').map(({ name }) => name);
    const fields = ['complexity', 'confidence', 'recent_tool_results', 'detail', 'kwargs', 'agent_id', 'name', 'lite'];
    const args = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), fc.jsonValue({ maxDepth: 4 })),
    );
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.constantFrom(...names), fc.string()), args, async (name, given) => {
        const { body, isError, refusal } = await call(name, given);
        expect(body['success']).toBe(!isError);
        expect(JSON.stringify(body)).not.toMatch(/node_modules|\bat .*\.ts:|Error:/);
        if (!isError) return;
        expect(ERRORS).toHaveProperty(refusal!.code);
        expect(body).toMatchObject({ error_category: ERRORS[refusal!.code].category, error_code: refusal!.code });
        expect((body['recovery'] as { action: string }).action).not.toBe('');
      }),
      { numRuns: 500 },
    );
    expect(incidents).toEqual([]);
  });
});

describe('the look at input', () => {
  const HALF = 'Deployed \ud83d ok';

  it('replaces what is no text in free text, and tells so', async () => {
    verifies('BW-dispatch.09');
    const { body } = await real().call('sync_state', {
      client_session_id: SECRET,
      response_text: HALF,
      recent_tool_results: [{ tool: 'deploy', summary: 'a\0b' }],
      provenance_context: { host: { note: HALF } },
    });
    expect(argsOf(body)).toMatchObject({
      response_text: 'Deployed \ufffd ok',
      recent_tool_results: [{ tool: 'deploy', summary: 'a\ufffdb' }],
      provenance_context: { host: { note: 'Deployed \ufffd ok' } },
    });
    expect(body['normalized_parameters']).toMatchObject({
      response_text: { from: 'U+D83D', to: 'U+FFFD' },
      'recent_tool_results[0].summary': { from: 'U+0000', to: 'U+FFFD' },
      'provenance_context.host.note': { from: 'U+D83D', to: 'U+FFFD' },
    });
  });

  it('refuses it by path in names, ids, tags and keys, before the caller is known', async () => {
    verifies('BW-dispatch.09');
    let asked = 0;
    const { call } = real({
      resolveCaller: (evidence: Evidence) => {
        asked += 1;
        return resolveCaller(evidence);
      },
    });
    const refused = async (name: string, args: Record<string, unknown>): Promise<unknown[]> => {
      const { body, refusal } = await call(name, args);
      expect(refusal?.code).toBe('PARAMETER_ERROR');
      return problemsOf(body).map(({ field }) => field);
    };
    expect(await refused('onboard', { name: HALF })).toEqual(['name']);
    expect(await refused('identity', { client_session_id: 'a\0b' })).toEqual(['client_session_id']);
    expect(await refused('sync_state', { idempotency_key: HALF })).toEqual(['idempotency_key']);
    expect(await refused('sync_state', { recent_tool_results: [{ tool: 'a\0', summary: 's' }] })).toEqual([
      'recent_tool_results[0].tool',
    ]);
    expect(await refused('agent', { action: 'update', tags: ['ok', HALF] })).toEqual(['tags[1]']);
    expect(await refused('record_result', { outcome_type: 'test_passed', detail: { 'k\0': 1 } })).toEqual([
      'detail.k\ufffd',
    ]);
    expect(await refused('report', { action: 'metric', '\udc00': 1 })).toEqual(['\ufffd']);
    expect(asked).toBe(0);
  });

  it('takes JSON text where an object, a list, a number or a boolean is declared, at every depth', async () => {
    verifies('BW-dispatch.09');
    const plain = {
      client_session_id: SECRET,
      complexity: 0.5,
      lite: true,
      ethical_drift: [0, 0.1, 0],
      recent_tool_results: [{ tool: 'vitest', summary: '{"not":"taken apart"}', exit_code: 1, is_bad: false }],
      provenance_context: { as: '{"it":"is"}' },
    };
    const texts = {
      ...plain,
      complexity: '0.5',
      lite: 'true',
      ethical_drift: ['0', '0.1', '0'],
      recent_tool_results: JSON.stringify([
        JSON.stringify({ tool: 'vitest', summary: '{"not":"taken apart"}', exit_code: '1', is_bad: 'False' }),
      ]),
      provenance_context: JSON.stringify(plain.provenance_context),
    };
    const { call } = real();
    const expected = argsOf((await call('sync_state', plain)).body);
    expect(argsOf((await call('sync_state', texts)).body)).toEqual(expected);
    expect(expected).toMatchObject(plain);
    for (const wrong of ['[1', '"x"', '{"a":1}', 'true']) {
      const { body } = await call('sync_state', { client_session_id: SECRET, recent_tool_results: wrong });
      expect(problemsOf(body), wrong).toMatchObject([{ field: 'recent_tool_results' }]);
    }
  });

  it('takes an object as JSON for the complexity of an alias', async () => {
    const { body } = await real().call('sync_state', {
      client_session_id: SECRET,
      complexity: '{"value":3,"scale":5}',
    });
    expect(argsOf(body)['complexity']).toBe(0.6);
  });

  it('refuses a misspelt argument with the nearest name, and takes what the reference sends and nothing here reads', async () => {
    verifies('BW-dispatch.09');
    const { call } = real();
    const { body } = await call('sync_state', {
      client_session_id: SECRET,
      confidance: 0.9,
      recent_tool_results: [{ tol: 'x' }],
    });
    expect(problemsOf(body)).toMatchObject([
      { field: 'confidance', type: 'unknown_key', did_you_mean: 'confidence' },
      { field: 'recent_tool_results[0].tol', type: 'unknown_key', did_you_mean: 'tool' },
      { field: 'recent_tool_results[0].tool', type: 'missing' },
      { field: 'recent_tool_results[0].summary', type: 'missing' },
    ]);
    const known = { client_session_id: SECRET, auto_export_on_significance: false, agent_uuid: AGENT, model_type: 'x' };
    expect((await call('sync_state', known)).isError).toBe(false);
    expect((await call('agent', { action: 'list', standardized: true, summary_only: 'false' })).isError).toBe(false);
    expect((await call('observe', { action: 'anomalies', include_history: true })).isError).toBe(false);
  });
});

describe('what PostgreSQL says of a value', () => {
  const failing = (code: string) =>
    defineTool(specOf({ name: 'failing' }), () => Promise.reject(Object.assign(new Error('numeric 1e400'), { code })));

  it.each(['22003', '22008', '22021', '22P02', '22P05'])("%s is the caller's error, and no incident", async (state) => {
    const { call, incidents } = dispatcherOf([failing(state)]);
    const { body, refusal } = await call('failing');
    expect(refusal?.code).toBe('PARAMETER_ERROR');
    expect(body).toMatchObject({ sqlstate: state, recovery: { action: expect.any(String) as string } });
    expect(JSON.stringify(body)).not.toContain('1e400');
    expect(incidents).toEqual([]);
  });

  it('in a mailbox it is that, too, and no crash; a constraint that is broken is a bug', async () => {
    const crashes: unknown[] = [];
    const { clock } = dispatcherOf([]);
    const mailboxes = new Mailboxes<null>({
      load: async () => null,
      capacity: 10,
      idleMs: 60_000,
      clock,
      refusalOf,
      onCrash: (_key, error) => crashes.push(error),
    });
    const meets = (code: string) =>
      mailboxes.send('k', Infinity, () => Promise.reject(Object.assign(new Error('no'), { code })));
    expect(await meets('22P05')).toMatchObject({ ok: false, refusal: { code: 'PARAMETER_ERROR' } });
    expect(await meets('ECONNREFUSED')).toMatchObject({ ok: false, refusal: { code: 'STORAGE_UNAVAILABLE' } });
    expect(crashes).toEqual([]);
    expect(await meets('23505')).toMatchObject({ ok: false, refusal: { code: 'INTERNAL_ERROR' } });
    expect(crashes).toHaveLength(1);
  });
});

describe('who calls', () => {
  it('refuses an unbound caller of a tool that needs identity', async () => {
    const reply = await real().call('sync_state', { response_text: 'x' });
    expect(reply.refusal?.code).toBe('IDENTITY_REQUIRED');
  });

  it('refuses a failed proof, except where it is no obstacle; there the call is unbound', async () => {
    const { call } = real();
    const stale = { client_session_id: 'stale' };
    for (const name of ['onboard', 'identity', 'check_working_state', 'sync_state']) {
      expect((await call(name, stale)).refusal?.code).toBe('SESSION_UNKNOWN');
    }
    for (const name of ['health_check', 'list_tools', 'describe_tool', 'get_server_info']) {
      const more = name === 'describe_tool' ? { tool_name: 'onboard' } : {};
      expect((await call(name, { ...stale, ...more })).isError).toBe(false);
    }
    const { body } = await call('onboard', { ...stale, force_new: true });
    expect(body['caller']).toMatchObject({ agentId: undefined, principal: 'peer:127.0.0.1' });
  });

  it('binds an open tool when the proof holds, and passes the claimed id on', async () => {
    const claimed: (string | undefined)[] = [];
    const { call } = real({
      resolveCaller: (evidence: Evidence) => {
        claimed.push(evidence.agentUuid);
        return resolveCaller(evidence);
      },
    });
    const { body } = await call('check_working_state', { client_session_id: SECRET, agent_id: AGENT });
    expect(body['caller']).toMatchObject({ agentId: AGENT });
    expect(claimed).toEqual([AGENT]);
  });
});

describe('readiness', () => {
  it('answers NOT_READY while a part is cold, but tells about itself', async () => {
    const { call, readiness } = real();
    readiness.report('store', false);
    const reply = await call('onboard');
    expect(reply).toMatchObject({ status: 503, retryAfterSeconds: 5, refusal: { code: 'NOT_READY' } });
    expect(reply.body['not_ready']).toEqual(['store']);
    for (const name of ['health_check', 'list_tools', 'get_server_info']) {
      expect((await call(name)).isError).toBe(false);
    }
    readiness.report('store', true);
    expect((await call('onboard')).isError).toBe(false);
  });
});

describe('limits', () => {
  it('tells a caller over its limit when to return, and leaves the others alone', async () => {
    verifies('BW-dispatch.06');
    const { call, clock } = limited({ writes: { perMinute: 2, perHour: 1000 } });
    const mine = { client_session_id: SECRET };
    const other = { client_session_id: `${SECRET}-2`, agent_id: AGENT, principal: `agent:${AGENT}` };
    for (let i = 0; i < 2; i += 1) expect((await call('sync_state', mine)).isError).toBe(false);
    const refused = await call('sync_state', mine);
    expect(refused.refusal?.code).toBe('RATE_LIMIT_EXCEEDED');
    expect(refused.body).toMatchObject({ limit: 2, window: 'minute', retry_after_seconds: refused.retryAfterSeconds });
    for (let i = 0; i < 2; i += 1) expect((await call('sync_state', other)).isError).toBe(false);
    expect((await call('sync_state', other)).isError).toBe(true);
    expect((await call('check_working_state', mine)).isError).toBe(false);
    clock.advance(refused.retryAfterSeconds! * 1000);
    expect((await call('sync_state', mine)).isError).toBe(false);
  });

  it('meters reads apart from writes', async () => {
    const { call } = limited({ writes: { perMinute: 1, perHour: 0 }, reads: { perMinute: 3, perHour: 0 } });
    const mine = { client_session_id: SECRET };
    expect((await call('sync_state', mine)).isError).toBe(false);
    expect((await call('sync_state', mine)).isError).toBe(true);
    expect((await call('check_working_state', mine)).isError).toBe(false);
    expect((await call('health_check', mine)).isError).toBe(false);
    expect((await call('list_tools', mine)).isError).toBe(false);
    const refused = await call('health_check', mine);
    expect(refused.body).toMatchObject({ error_code: 'RATE_LIMIT_EXCEEDED', metered: 'reads', limit: 3 });
    expect((await call('health_check', { client_session_id: `${SECRET}-2` })).isError).toBe(false);
  });

  it('never limits an operator, whatever it does', async () => {
    const tight = { perMinute: 1, perHour: 1 };
    const { call } = limited(
      { writes: tight, reads: tight, starts: tight },
      {
        resolveCaller: () =>
          ok({
            agentId: undefined,
            assurance: 'none',
            source: 'none',
            origin: 'server_inferred',
            operator: { name: 'ops', act: true },
            warnings: [],
            principal: 'operator:ops',
          }),
      },
    );
    for (const [tool, args] of [
      ['agent', { action: 'pause', target_agent_id: AGENT, reason: 'an emergency' }],
      ['health_check', {}],
      ['start_session', { force_new: true }],
    ] as const) {
      for (let i = 0; i < 70; i += 1) expect((await call(tool, args)).refusal).toBeUndefined();
    }
  });

  it('counts new agents by address, whatever they say of themselves and whoever asks for another one', async () => {
    const { call } = limited({ writes: { perMinute: 1, perHour: 0 }, starts: { perMinute: 3, perHour: 0 } });
    expect((await call('start_session')).isError).toBe(false);
    expect((await call('start_session', { model_type: 'another', client_hint: 'other' })).isError).toBe(false);
    expect((await call('start_session', { client_session_id: SECRET, force_new: true })).isError).toBe(false);
    const refused = await call('start_session', { client_session_id: `${SECRET}-2`, force_new: true });
    expect(refused.body).toMatchObject({ error_code: 'RATE_LIMIT_EXCEEDED', metered: 'starts', limit: 3 });
    expect((await call('start_session')).isError).toBe(true);
    // Coming back by proof makes no agent, and another address has its own.
    expect((await call('start_session', { client_session_id: SECRET })).isError).toBe(false);
    expect((await call('start_session', {}, { peer: '10.0.0.1' })).isError).toBe(false);
  });
});

describe('deadlines', () => {
  const hanging = (log: string[]) => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const tool = defineTool(specOf({ name: 'slow', timeoutMs: 500 }), async ({ deadline }) => {
      await gate;
      log.push(`after ${deadline}`);
      return ok({ late: true });
    });
    return { tool, release: () => release() };
  };

  it('answers a hanging tool at its deadline, with an incident, and discards what comes late', async () => {
    verifies('BW-dispatch.05');
    const log: string[] = [];
    const { tool, release } = hanging(log);
    const { call, clock, timeouts, incidents, measures } = dispatcherOf([tool]);
    const receivedAt = clock.now();
    const answer = call('slow', { client_session_id: SECRET });
    clock.advance(499);
    expect(timeouts).toEqual([]);
    clock.advance(1);
    const { body, refusal } = await answer;
    expect(refusal?.code).toBe('TIMEOUT');
    expect(timeouts).toEqual([
      { incidentId: body['incident_id'], tool: 'slow', agentId: AGENT, step: 'tool', timeoutMs: 500, elapsedMs: 500 },
    ]);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual([`after ${receivedAt + 500}`]);
    expect([measures.length, timeouts.length, incidents.length]).toEqual([1, 1, 0]);
  });

  it('starts nothing after the deadline passed while the caller was identified', async () => {
    verifies('BW-dispatch.05');
    let ran = false;
    let found: () => void = () => undefined;
    const tool = defineTool(specOf({ name: 'slow', timeoutMs: 500 }), async () => {
      ran = true;
      return ok({});
    });
    const { call, clock, incidents, timeouts } = dispatcherOf([tool], [], {
      limits: new Limits({ writes: { perMinute: 1, perHour: 0 } }, new ManualClock()),
      resolveCaller: (evidence) => new Promise((resolve) => (found = () => resolve(resolveCaller(evidence)))),
    });
    const answer = call('slow');
    clock.advance(500);
    expect((await answer).refusal?.code).toBe('TIMEOUT');
    found();
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(false);
    expect(incidents).toEqual([]);
    expect(timeouts).toMatchObject([{ step: 'identity', elapsedMs: 500 }]);
    // Nor did the dead call use up the caller's limit.
    const alive = call('slow');
    found();
    expect((await alive).isError).toBe(false);
  });

  it('tells of a call that passed its deadline in a queue, under the incident of its timeout', async () => {
    verifies('BW-channel.02');
    const expired: unknown[] = [];
    let release: () => void = () => undefined;
    const waits = defineTool(specOf({ name: 'waits', timeoutMs: 500 }), ({ deadline }) =>
      mailboxes.send('k', deadline, async () => ({ reply: {} })),
    );
    const inQueue = refuse('TIMEOUT', 'From a mailbox.', { details: { started: false } });
    const begun = defineTool(specOf({ name: 'begun', timeoutMs: 500 }), async () => refuse('TIMEOUT', 'From below.'));
    const atOnce = defineTool(specOf({ name: 'at_once', timeoutMs: 500 }), async () => inQueue);
    const { call, clock, timeouts } = dispatcherOf([waits, begun, atOnce], [], {
      onExpired: (event) => void expired.push(event),
    });
    const mailboxes = new Mailboxes<null>({
      load: async () => null,
      capacity: 10,
      idleMs: 60_000,
      clock,
      onCrash: () => undefined,
    });
    void mailboxes.send('k', Infinity, async () => {
      await new Promise<void>((resolve) => (release = resolve));
      return { reply: null };
    });
    const answer = call('waits', { client_session_id: SECRET });
    clock.advance(500);
    await answer;
    expect(expired).toEqual([]);
    clock.advance(1);
    release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(expired).toEqual([{ incidentId: timeouts[0]?.incidentId, tool: 'waits', agentId: AGENT }]);
    await call('begun');
    expect(expired).toHaveLength(1);
    await call('at_once', { client_session_id: SECRET });
    expect(expired[1]).toEqual({ incidentId: timeouts[2]?.incidentId, tool: 'at_once', agentId: AGENT });
  });

  it('measures status and crossings of each call', async () => {
    verifies('W3-6.10');
    const crossing = defineTool(specOf({ name: 'crossing' }), async () => {
      crossed();
      await Promise.resolve();
      crossed();
      return ok({});
    });
    const { call, readiness, measures } = dispatcherOf([crossing]);
    await Promise.all([call('crossing'), call('unheard_of')]);
    readiness.report('store', false);
    await call('crossing');
    expect(measures).toMatchObject([
      { tool: 'unknown', status: ERRORS.TOOL_NOT_FOUND.status, crossings: 0 },
      { tool: 'crossing', outcome: 'ok', status: 200, crossings: 2 },
      { tool: 'crossing', outcome: 'NOT_READY', status: 503, crossings: 0 },
    ]);
  });

  it('cancels its timer when the tool answers', async () => {
    const { call, clock } = dispatcherOf([echo(specOf({ name: 'quick' }))]);
    await call('quick');
    expect(clock.pending).toBe(0);
  });

  it('gives a timeout and a crash that a mailbox already turned into refusals their incident', async () => {
    verifies('BW-dispatch.05', 'BW-dispatch.08');
    const refusing = (name: string, code: 'TIMEOUT' | 'INTERNAL_ERROR') =>
      defineTool(specOf({ name }), async () => refuse(code, 'From below.'));
    const { call, timeouts, incidents } = dispatcherOf([
      refusing('late', 'TIMEOUT'),
      refusing('broken', 'INTERNAL_ERROR'),
    ]);
    expect((await call('late')).body['incident_id']).toBe(timeouts[0]?.incidentId);
    expect((await call('broken')).body['incident_id']).toBe(incidents[0]?.incidentId);
    expect([timeouts.length, incidents.length]).toEqual([1, 1]);
  });
});

describe('errors', () => {
  const throwing = (error: unknown): Tool =>
    defineTool(specOf({ name: 'broken' }), async () => {
      throw error;
    });

  it('answers a bug with an id that the log has, and with nothing of the bug', async () => {
    verifies('BW-dispatch.08');
    const error = new Error('password=hunter2 at /srv/secret.ts:12');
    const { call, incidents } = dispatcherOf([throwing(error)]);
    const { body } = await call('broken');
    expect(body).toMatchObject({
      success: false,
      error_code: 'INTERNAL_ERROR',
      error_category: 'system_error',
      recovery: ERRORS.INTERNAL_ERROR.recovery,
    });
    expect(incidents).toEqual([{ incidentId: body['incident_id'], tool: 'broken', error }]);
    expect(JSON.stringify(body)).not.toMatch(/hunter2|secret\.ts|stack/);
  });

  it('answers a lost database with STORAGE_UNAVAILABLE, which is no incident', async () => {
    const lost = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const { call, incidents } = dispatcherOf([throwing(lost)]);
    expect(await call('broken')).toMatchObject({ status: 503, retryAfterSeconds: 5 });
    expect(incidents).toEqual([]);
  });

  it('keeps the envelope whole whatever details a refusal brings, and whatever listeners do', async () => {
    const rude = defineTool(specOf({ name: 'rude' }), async () =>
      refuse('FORBIDDEN', 'No.', {
        details: { success: true, error: 'other', error_code: 'X', recovery: null, fact: 1 },
      }),
    );
    const fail = () => {
      throw new Error('listener');
    };
    const { call } = dispatcherOf([rude, throwing(new Error('x'))], [], { observe: fail, onUnexpected: fail });
    const { body, status } = await call('rude');
    expect(status).toBe(200);
    expect(body).toMatchObject({ success: false, error: 'No.', error_code: 'FORBIDDEN', fact: 1 });
    expect(body['recovery']).toEqual(ERRORS.FORBIDDEN.recovery);
    expect((await call('broken')).refusal?.code).toBe('INTERNAL_ERROR');
  });

  it('gives every code of the catalogue a category, a reason and a way out', () => {
    verifies('BW-dispatch.08');
    for (const [code, { category, when, recovery }] of Object.entries(ERRORS)) {
      expect([code, category, when, recovery.action].every((text) => text.length > 3)).toBe(true);
    }
  });
});

describe('one chain for both transports', () => {
  it('gives the same call the same body', async () => {
    const calls: [string, unknown][] = [
      ['sync_state', { client_session_id: SECRET, complexity: 'high', response_text: 'x' }],
      ['process_agent_update', { confidence: 9 }],
      ['nothing', {}],
      ['onboard', { client_session_id: 'stale' }],
      ['list_tools', {}],
    ];
    for (const [name, args] of calls) {
      const [rest, mcp] = [await real().call(name, args), await real().call(name, args, { transport: 'mcp' })];
      expect(mcp).toEqual(rest);
    }
  });
});

describe('what is compiled', () => {
  it('is compiled at the start; a call neither touches a schema nor makes a function', async () => {
    verifies('BW-dispatch.02');
    let reads = 0;
    const watched = REAL.map((spec) => {
      const { input, ...others } = spec;
      return echo(
        Object.defineProperty({ ...others } as typeof spec, 'input', {
          get: () => {
            reads += 1;
            return input;
          },
        }),
      );
    });
    const { call, dispatcher } = dispatcherOf(watched, ALIASES);
    expect(reads).toBeGreaterThan(0);
    reads = 0;
    const listed = dispatcher.advertised();
    let made = 0;
    const native = globalThis.Function;
    globalThis.Function = new Proxy(native, {
      construct: (target, args) => {
        made += 1;
        return Reflect.construct(target, args) as object;
      },
    });
    try {
      for (const { tool } of watched.map((tool) => ({ tool }))) await call(tool.spec.name, tool.spec.example);
      await call('sync_state', { ...processAgentUpdate.example, client_session_id: SECRET });
      await call('list_tools', {});
      await call('describe_tool', { tool_name: 'sync_state' });
    } finally {
      globalThis.Function = native;
    }
    expect([reads, made]).toEqual([0, 0]);
    expect(dispatcher.advertised()).toBe(listed);
    expect(Object.isFrozen(listed)).toBe(true);
  });

  it('lists the advertised tools and workflow names in well under 12 KB', () => {
    const { dispatcher } = real();
    const tools = dispatcher.advertised();
    expect(tools.map(({ name }) => name)).toEqual([
      'start_session',
      'sync_state',
      'check_working_state',
      'record_result',
      'identity',
      'calibration',
      'health_check',
      'list_tools',
      'describe_tool',
      'onboard',
      'agent',
      'dialectic',
      'knowledge',
      'self_recovery',
      'observe',
      'config',
      'request_review',
      'search_shared_memory',
      'store_finding',
      'update_finding',
      'leave_note',
    ]);
    const json = JSON.stringify(tools);
    expect(json.length).toBeLessThan(11_000);
    expect(json).not.toMatch(/\$schema|hidden|"continuity_token":|additionalProperties":\{\}/);
    expect(tools.find(({ name }) => name === 'list_tools')?.annotations).toEqual({ readOnlyHint: true });
    expect(dispatcher.advertised('minimal')).toHaveLength(6);
    const full = dispatcher.advertised('full');
    expect(full).toHaveLength(30);
    const answers = (listed: readonly ToolListing[]) =>
      listed.filter(({ outputSchema }) => outputSchema !== undefined).map(({ name }) => name);
    expect(answers(tools), 'what is answered would fill a context').toEqual([]);
    expect(answers(full)).toEqual(expect.arrayContaining(['sync_state', 'process_agent_update', 'health_check']));
    const own = full.find(({ name }) => name === 'sync_state');
    expect(own?.outputSchema, 'made once').toBe(own?.outputSchema);
  });
});

describe('the answers of workflow aliases', () => {
  const payload = {
    success: true,
    decision: { action: 'proceed', reason: 'risk 0.21 is low' },
    verdict: 'proceed',
    metrics: { risk_score: 0.21, coherence: 0.5 },
    prediction_id: '0198d3c4-7b1e-7c3a-9f00-3a5f0c9b2e11',
  };
  const scored = () =>
    dispatcherOf(
      [{ spec: processAgentUpdate, handle: async () => ok(payload) }],
      ALIASES.filter(({ tool }) => tool === 'process_agent_update'),
    );

  it('keep the payload at the top and add a tool and a next step', async () => {
    const { body } = await scored().call('sync_state', { client_session_id: SECRET });
    expect(body).toMatchObject({
      ...payload,
      tool: 'sync_state',
    });
    expect(body['next_action']).toContain('record_result');
    expect(body).not.toHaveProperty('raw_governance');
    expect(body).not.toHaveProperty('agent_signature');
    const added = JSON.stringify(body).length - JSON.stringify(payload).length;
    expect(added).toBeLessThan(130);
  });

  it.each([{ lite: false }, { lite: 'no' }, { response_mode: 'full' }, { response_mode: 'verbose' }])(
    'repeat everything under raw_governance for %j',
    async (asked) => {
      const { body } = await scored().call('sync_state', { client_session_id: SECRET, ...asked });
      expect(body['raw_governance']).toMatchObject(payload);
      expect(body['agent_signature']).toEqual({ uuid: AGENT, identity_assurance: 'strong' });
    },
  );

  it('pass refusals on as they are, and leave guesses alone', async () => {
    const { call } = scored();
    expect((await call('sync_state', {})).body).not.toHaveProperty('next_action');
    expect((await call('checkin', { client_session_id: SECRET })).body).not.toHaveProperty('tool');
  });
});

describe('the tools about tools', () => {
  it('list the catalogue by category, with the order of work', async () => {
    const { body } = await real().call('list_tools', { verbose: true });
    const { core } = body['categories'] as Record<string, { name: string; aliases: string[] }[]>;
    expect(core?.find(({ name }) => name === 'sync_state')?.aliases).toContain('checkin');
    expect(JSON.stringify(body['workflow'])).toContain('start_session');
    expect(body).toMatchObject({ shown: REAL.length + 2, total_available: REAL.length + 2 });
    const { body: one } = await real().call('list_tools', { category: 'admin' });
    expect(Object.keys(one['categories'] as object)).toEqual(['admin']);
  });

  it('refuse an unknown category with those there are', async () => {
    const { body } = await real().call('list_tools', { category: 'identiti' });
    expect(body).toMatchObject({ error_code: 'PARAMETER_ERROR', did_you_mean: 'identity' });
    expect(body['valid_values']).toEqual([
      'identity',
      'lifecycle',
      'dialectic',
      'core',
      'calibration',
      'knowledge',
      'admin',
      'discovery',
    ]);
  });

  it('describe every tool and alias whole, with an example that works', async () => {
    const { call, dispatcher } = real();
    for (const { name } of dispatcher.advertised('full')) {
      const { body } = await call('describe_tool', { tool_name: name });
      expect(body).toMatchObject({ success: true, name });
      const example = body['example'] as { name: string; arguments: Record<string, unknown> };
      const sample = {
        ...example.arguments,
        ...('client_session_id' in example.arguments && { client_session_id: SECRET }),
      };
      expect((await call(example.name, sample)).isError).toBe(false);
      expect(body['errors']).toHaveProperty('TIMEOUT');
    }
    const { body } = await call('describe_tool', { tool_name: 'record_result' });
    expect(body).toMatchObject({ tool: 'outcome_event', required: ['outcome_type'] });
    expect(body['also_accepted']).toContain('agent_id');
    expect((await call('describe_tool', { tool_name: 'record_resul' })).body['similar_tools']).toContain(
      'record_result',
    );
    expect(body['output_schema']).toMatchObject({ type: 'object', properties: { outcome_id: {}, graded: {} } });
    const { body: brief } = await call('describe_tool', { tool_name: 'record_result', lite: true });
    expect(brief).not.toHaveProperty('output_schema');
    expect(brief['arguments']).toMatchObject({ prediction_id: 'string', confidence: 'number' });
  });
});
