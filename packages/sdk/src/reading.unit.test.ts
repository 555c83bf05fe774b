import { describe, expect, it } from 'vitest';
import { ERRORS, unavailableBody } from '@breakwater/contract';
import { verifies } from '../../server/testing/verifies.ts';
import {
  type BreakwaterError,
  IdentityRefusedError,
  PausedError,
  ProtocolError,
  RateLimitedError,
  ApiError,
  UnreachableError,
} from './errors.ts';
import { readExchange, type Exchange } from './reading.ts';
import { readCheckIn } from './results.ts';

const server_time = '2026-01-01T00:00:00.000Z';
const rest = (result: unknown, status = 200): Exchange => ({
  status,
  body: { name: 'sync_state', result, success: status === 200 },
});
const mcp = (answer: unknown, isError = false): Exchange => ({
  body: { content: [{ type: 'text', text: typeof answer === 'string' ? answer : JSON.stringify(answer) }], isError },
});
const read = (exchange: Exchange) => readExchange('sync_state', exchange, 0);
const errorOf = (exchange: Exchange): BreakwaterError => {
  const reading = read(exchange);
  if (reading.kind !== 'failed') throw new Error(`read as ${reading.kind}`);
  return reading.error;
};

const PAUSED = {
  success: false,
  server_time,
  error: 'Paused: claims',
  error_code: 'AGENT_PAUSED',
  error_category: 'state_error',
  recovery: { action: 'Stop acting', expires_at: null },
};
const STRICT = {
  status: 'identity_required',
  tool: 'sync_state',
  hint: 'Onboard first.',
  next_step: 'onboard',
  rollout_flag: 'STRICT_IDENTITY_REQUIRED',
};
const PROCEED = { success: true, server_time, decision: { action: 'proceed' } };

/** Every shape in which this family of servers says no, with the class and code that it must be told as. */
const REFUSALS: readonly [string, Exchange, new (...args: never[]) => BreakwaterError, string][] = [
  ['REST: the outer success is true, the tool refused', rest(PAUSED), PausedError, 'AGENT_PAUSED'],
  ['MCP: isError', mcp(PAUSED, true), PausedError, 'AGENT_PAUSED'],
  ['MCP: success:false in a result that is no error', mcp(PAUSED, false), PausedError, 'AGENT_PAUSED'],
  ['MCP: isError around an answer that claims success', mcp(PROCEED, true), ApiError, 'REFUSED'],
  ['MCP: isError with a plain text', mcp('Unknown tool: x', true), ApiError, 'REFUSED'],
  ['REST: blocks of MCP under result', rest(mcp(PAUSED).body), PausedError, 'AGENT_PAUSED'],
  ['strict identity, raw over REST', rest(STRICT), IdentityRefusedError, 'IDENTITY_REQUIRED'],
  [
    'strict identity, wrapped in success over MCP',
    mcp({ ...STRICT, success: true, server_time }),
    IdentityRefusedError,
    'IDENTITY_REQUIRED',
  ],
  [
    'the flag of the strict refusal alone',
    rest({ success: true, server_time, rollout_flag: 'X' }),
    IdentityRefusedError,
    'IDENTITY_REQUIRED',
  ],
  [
    'the status of the strict refusal alone',
    rest({ success: true, server_time, status: 'lineage_declaration_required' }),
    IdentityRefusedError,
    'LINEAGE_DECLARATION_REQUIRED',
  ],
  ['a refusal under raw_governance', rest({ ...PROCEED, raw_governance: PAUSED }), PausedError, 'AGENT_PAUSED'],
  [
    'strict identity under raw_governance',
    mcp({ ...PROCEED, raw_governance: STRICT }),
    IdentityRefusedError,
    'IDENTITY_REQUIRED',
  ],
  ['an error without a code', rest({ error: 'no' }), ApiError, 'REFUSED'],
  ['ok:false', rest({ ok: false, error: 'held_by_other' }), ApiError, 'REFUSED'],
  ['an error object', rest({ error: { code: 'X', message: 'no' } }), ApiError, 'REFUSED'],
  [
    'an error of JSON-RPC',
    { body: { jsonrpc: '2.0', error: { code: -32601, message: 'no method' } } },
    ApiError,
    'JSON_RPC_-32601',
  ],
  [
    'REST 400',
    { status: 400, body: { success: false, error: 'bad', error_code: 'BAD_REQUEST' } },
    ApiError,
    'BAD_REQUEST',
  ],
  ['REST 401', { status: 401, body: { success: false, error: 'Unauthorized', hint: 'token' } }, ApiError, 'HTTP_401'],
  ['REST 403 by policy', rest({ ...PAUSED, error_code: 'FORBIDDEN' }, 403), ApiError, 'FORBIDDEN'],
  ['REST 404, a page', { status: 404, body: '<html>' }, ApiError, 'HTTP_404'],
  ['REST 409', rest({ ...PAUSED, error_code: 'SEQUENCE_CONFLICT' }, 409), ApiError, 'SEQUENCE_CONFLICT'],
  ['REST 421, a text', { status: 421, body: 'Invalid Host header' }, ApiError, 'HTTP_421'],
  ['REST 429', { status: 429, retryAfter: '7', body: {} }, RateLimitedError, 'HTTP_429'],
  [
    'REST 500, the generic body',
    { status: 500, body: { name: 'x', result: null, success: false, error: 'failed' } },
    ApiError,
    'HTTP_500',
  ],
  [
    'a loop',
    rest({ ...PAUSED, error_code: 'LOOP_DETECTED', retry_after_seconds: 30 }),
    RateLimitedError,
    'LOOP_DETECTED',
  ],
];

/** What is neither a yes nor a no. */
const UNREADABLE: readonly [string, Exchange][] = [
  ['a text', { status: 200, body: 'ok' }],
  ['nothing', { status: 200, body: '' }],
  ['a list', { status: 200, body: [] }],
  ['null', { status: 200, body: null }],
  ['an envelope with nothing in it', rest(null)],
  ['an envelope with a text in it', rest('proceed')],
  ['an object that does not say success', rest({ decision: { action: 'proceed' }, server_time })],
  ['success as a word', rest({ ...PROCEED, success: 'true' })],
  ['a tool result without content', { body: { content: [], isError: false } }],
  ['a redirect', { status: 302, body: PROCEED }],
  ['a server error that says success', { status: 500, body: PROCEED }],
];

describe('an exchange is read', () => {
  it.each(REFUSALS)('as a refusal: %s', (_title, exchange, expected, code) => {
    verifies('BW-sdk.02');
    const error = errorOf(exchange);
    expect(error).toBeInstanceOf(expected);
    expect(error).toMatchObject({ code });
    expect(error.message).not.toBe('');
  });

  it.each(UNREADABLE)('never as an answer: %s', (_title, exchange) => {
    verifies('BW-sdk.02');
    expect(errorOf(exchange)).toBeInstanceOf(ProtocolError);
  });

  it('as a refusal with its own code for every code of the catalogue, over both transports', () => {
    verifies('BW-sdk.02');
    const unavailable: string[] = [];
    for (const [code, { category, recovery, status }] of Object.entries(ERRORS)) {
      const body = { success: false, server_time, error: code, error_code: code, error_category: category, recovery };
      for (const exchange of [rest(body, status), mcp(body, true)]) {
        const reading = read(exchange);
        if (reading.kind === 'unavailable') unavailable.push(code);
        else expect(reading).toMatchObject({ kind: 'failed', error: { code, category, recovery } });
      }
    }
    expect(new Set(unavailable)).toEqual(new Set(['NOT_READY', 'OVERLOADED', 'STORAGE_UNAVAILABLE']));
  });

  it('as unavailable by the word of the contract, whatever carries it', () => {
    verifies('BW-sdk.02');
    const body = unavailableBody();
    const told = { kind: 'unavailable', retryAfterSeconds: 5, reason: 'handler_dispatch_unavailable' };
    for (const exchange of [{ status: 503, body }, { status: 200, body }, rest(body), mcp(body), mcp(body, true)]) {
      expect(read(exchange)).toEqual(told);
    }
    expect(read({ status: 503, retryAfter: '2', body: { status: 'warming_up' } })).toEqual({
      kind: 'unavailable',
      retryAfterSeconds: 2,
      reason: 'warming_up',
    });
    // A time to wait alone is no 503: a rate limit has one, too.
    expect(read(rest({ ...PAUSED, error_code: 'RATE_LIMIT_EXCEEDED', retry_after_seconds: 9 }))).toMatchObject({
      kind: 'failed',
      error: { retryAfterSeconds: 9 },
    });
  });

  it('as lost when a gateway got no answer', () => {
    expect(errorOf({ status: 502, body: '<html>' })).toBeInstanceOf(UnreachableError);
  });

  it('as an answer in either envelope, and a part that failed is no refusal of the whole', () => {
    const answer = { ...PROCEED, results: [{ success: false, error: 'one of a batch' }], result: { success: false } };
    for (const exchange of [rest(answer), mcp(answer), rest(mcp(answer).body)]) {
      expect(read(exchange)).toEqual({ kind: 'answer', payload: answer });
    }
  });
});

describe('a check-in is read', () => {
  const verdicts = (answer: object) => readCheckIn({ success: true, ...answer });

  it.each([
    [{ decision: { action: 'proceed' } }, 'proceed'],
    [{ decision: { action: 'proceed', sub_action: 'guide' }, verdict: 'guide' }, 'proceed'],
    [{ decision: { action: 'pause' }, verdict: 'proceed' }, 'pause'],
    [{ decision: { action: 'reject' } }, 'pause'],
    [{ decision: { action: 'proceed' }, paused: { paused_at: server_time, expires_at: null } }, 'pause'],
    [{ action: 'pause' }, 'pause'],
    [{ verdict: 'pause' }, 'pause'],
    [{ verdict: { value: 'proceed' } }, 'proceed'],
    [{ raw_governance: { decision: { action: 'pause' } } }, 'pause'],
  ])('%j: %s', (answer, action) => {
    verifies('BW-sdk.02');
    expect(verdicts(answer)).toMatchObject({ action, paused: action === 'pause' });
  });

  it.each([
    {},
    { decision: {} },
    { decision: { action: 'ok' } },
    { decision: null },
    { verdict: 7 },
    { decision: 'proceed' },
  ])('never as a proceed: %j', (answer) => {
    verifies('BW-sdk.02');
    expect(() => verdicts(answer)).toThrow(ProtocolError);
  });
});
