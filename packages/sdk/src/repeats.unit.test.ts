import * as contract from '@breakwater/contract';
import { TOOLS } from '@breakwater/contract/tools';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../server/testing/verifies.ts';
import type { Json } from './json.ts';
import { BreakwaterClient } from './client.ts';
import type { Clock } from './clock.ts';
import { CallTimeoutError, ProtocolError, ApiError, UnavailableError, UnreachableError } from './errors.ts';
import { retryAfterSeconds } from './retry-after.ts';
import { isSafeToRepeat } from './safe.ts';

const ANSWER = { name: 'x', result: { success: true, server_time: 't', n: 1 }, success: true };
const REFUSAL = {
  name: 'x',
  result: { success: false, error: 'no', error_code: 'LOOP_DETECTED', retry_after_seconds: 1 },
};

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });
const unavailable = (headers: Record<string, string> = {}, body: object = contract.unavailableBody()) =>
  json(body, 503, headers);
const lost = () => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNRESET' } });
const refusedConnection = () => Object.assign(new TypeError('fetch failed'), { cause: { code: 'ECONNREFUSED' } });

/** A client whose server gives these answers in turn, and whose waits are over at once. */
const world = (answers: (Response | Error | 'silence')[]) => {
  const waits: number[] = [];
  const sent: unknown[] = [];
  let silent: (() => void) | undefined;
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        signal?.addEventListener('abort', () => resolve(false), { once: true });
        // The deadline of a try passes only when its server is silent.
        if (ms === 77) silent = () => resolve(true);
        else {
          waits.push(ms);
          resolve(true);
        }
      }),
  };
  const client = new BreakwaterClient({
    url: 'http://server.test/base',
    clock,
    timeoutMs: 77,
    fetch: (url, init) => {
      sent.push([String(url), JSON.parse(init?.body as string)]);
      const answer = answers.shift();
      if (answer === undefined) throw new Error('more calls than answers');
      if (answer === 'silence') {
        return new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error));
          silent?.();
        });
      }
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  });
  return { client, waits, sent };
};

const READ = ['check_working_state', {}] as const;
const WRITE = ['start_session', { name: 'Ada' }] as const;
const KEYED = ['sync_state', { response_text: 'x', idempotency_key: 'k' }] as const;

describe('seconds to wait after a 503', () => {
  const year = Date.parse('2026-01-01T00:00:00Z');
  it.each([
    ['7', { retry_after_seconds: 9 }, 7],
    ['0', { retry_after_seconds: 9 }, 0],
    [null, { retry_after_seconds: 9 }, 9],
    ['', { retry_after_seconds: 9 }, 9],
    [null, { retry_after_seconds: '9' }, 9],
    [null, {}, 5],
    [null, 'a page', 5],
    ['31', {}, 30],
    ['9999999999999', {}, 30],
    [null, { retry_after_seconds: 1e9 }, 30],
    ['-1', { retry_after_seconds: 9 }, 5],
    [null, { retry_after_seconds: -1 }, 5],
    ['soon', {}, 5],
    [null, { retry_after_seconds: 'soon' }, 5],
    [null, { retry_after_seconds: null }, 5],
    [null, { retry_after_seconds: Number.NaN }, 5],
    [null, { retry_after_seconds: [3] }, 5],
    ['Thu, 01 Jan 2026 00:00:12 GMT', {}, 12],
    ['Thu, 01 Jan 2026 01:00:00 GMT', {}, 30],
    ['Wed, 31 Dec 2025 23:59:00 GMT', {}, 5],
  ])('header %j, body %j: %i', (header, body, seconds) => {
    verifies('W3-3.17');
    expect(retryAfterSeconds(header, body, year)).toBe(seconds);
  });
});

describe('a call is repeated', () => {
  it('once after a 503, when that long is over', async () => {
    verifies('W3-3.17');
    const { client, waits, sent } = world([unavailable({ 'retry-after': '3' }), json(ANSWER)]);
    expect(await client.call(...WRITE)).toEqual(ANSWER.result);
    expect(waits).toEqual([3000]);
    expect(sent[0]).toEqual(['http://server.test/base/v1/tools/call', { name: WRITE[0], arguments: WRITE[1] }]);
    expect(sent[1]).toEqual(sent[0]);
  });

  it('once only; then it is an error that says how long to wait', async () => {
    verifies('W3-3.17');
    const { client, waits, sent } = world([unavailable(), unavailable({ 'retry-after': '99' })]);
    const error = await client.call(...READ).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ retryAfterSeconds: 30 });
    expect(waits).toEqual([5000]);
    expect(sent).toHaveLength(2);
  });

  it('never after a refusal, whatever it says of waiting', async () => {
    verifies('W3-3.17');
    for (const answer of [json(REFUSAL), json(REFUSAL, 429, { 'retry-after': '1' }), json({ error: 'x' }, 409)]) {
      const { client, waits, sent } = world([answer]);
      await expect(client.call(...READ)).rejects.toThrow(ApiError);
      expect([waits, sent.length]).toEqual([[], 1]);
    }
  });

  it('never after an answer that cannot be read', async () => {
    const { client, sent } = world([new Response('<html>')]);
    await expect(client.call(...READ)).rejects.toThrow(ProtocolError);
    expect(sent).toHaveLength(1);
  });

  it('once after a lost answer, if a repeat is harmless', async () => {
    for (const [tool, args] of [READ, KEYED]) {
      const { client, waits, sent } = world([lost(), json(ANSWER)]);
      expect(await client.call<string, Json>(tool, args)).toEqual(ANSWER.result);
      expect(waits).toEqual([3000]);
      expect(sent[1]).toEqual(sent[0]);
    }
    const { client, sent } = world([lost()]);
    const error = await client.call(...WRITE).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ mayHaveTakenEffect: true });
    expect(sent).toHaveLength(1);
  });

  it('once when it never left, whatever it does', async () => {
    const { client, sent } = world([refusedConnection(), json(ANSWER)]);
    expect(await client.call(...WRITE)).toEqual(ANSWER.result);
    expect(sent).toHaveLength(2);
    const twice = world([refusedConnection(), refusedConnection()]);
    await expect(twice.client.call(...WRITE)).rejects.toMatchObject({ mayHaveTakenEffect: false });
  });

  it('once for each cause: killed first, then starting', async () => {
    const { client, waits } = world([lost(), unavailable({ 'retry-after': '1' }), json(ANSWER)]);
    expect(await client.call(...KEYED)).toEqual(ANSWER.result);
    expect(waits).toEqual([3000, 1000]);
  });

  it('not at all when that is asked for', async () => {
    for (const answer of [unavailable(), lost()]) {
      const { client, sent } = world([answer]);
      await expect(client.call(READ[0], READ[1], { retry: false })).rejects.toThrow();
      expect(sent).toHaveLength(1);
    }
  });

  it('after a silence that lasted too long, as after a lost answer', async () => {
    const { client, sent } = world(['silence', 'silence']);
    await expect(client.call(...READ)).rejects.toThrow(CallTimeoutError);
    expect(sent).toHaveLength(2);
  });

  it('no longer once its signal is aborted', async () => {
    const stop = new AbortController();
    const { client, sent } = world([unavailable()]);
    const why = new Error('enough');
    const call = client.call(READ[0], READ[1], { signal: stop.signal });
    stop.abort(why);
    await expect(call).rejects.toBe(why);
    expect(sent.length).toBeLessThan(2);
  });
});

describe('what is safe to repeat', () => {
  const specs = Object.values<contract.ToolSpec>(TOOLS);
  const toolOf = (name: string) => contract.ALIASES.find((alias) => alias.name === name);

  it('is by name alone only what the contract says writes nothing', () => {
    const names = [...specs.map(({ name }) => name), ...contract.ALIASES.map(({ name }) => name)];
    expect(specs.length).toBeGreaterThan(15);
    const safe = names.filter((name) => name !== 'identity' && isSafeToRepeat(name, {}));
    expect(safe.length).toBeGreaterThan(5);
    for (const name of safe) {
      const alias = toolOf(name);
      const spec = specs.find((one) => one.name === (alias?.tool ?? name));
      // A name that fixes a reading action of a tool that also writes reads, and so does one whose default action reads.
      const injected = alias?.inject?.['action'];
      const action = typeof injected === 'string' ? injected : (spec?.defaultAction ?? '');
      const reads = spec?.readOnly === true || spec?.actions?.[action]?.readOnly === true;
      expect(reads, name).toBe(true);
    }
  });

  it('is by its key only what takes one', () => {
    const keyed = [...specs.map(({ name }) => name), ...contract.ALIASES.map(({ name }) => name)].filter(
      (name) =>
        isSafeToRepeat(name, { idempotency_key: 'k', action: 'store' }) && !isSafeToRepeat(name, { action: 'store' }),
    );
    expect(keyed.length).toBeGreaterThan(4);
    for (const name of keyed) {
      const spec = specs.find((one) => one.name === (toolOf(name)?.tool ?? name));
      expect(Object.keys(spec?.input.shape ?? {}), name).toContain('idempotency_key');
    }
  });

  it('is a look at oneself, but no change of oneself', () => {
    expect(isSafeToRepeat('identity', {})).toBe(true);
    expect(isSafeToRepeat('identity', { revoke: 'all' })).toBe(false);
    expect(isSafeToRepeat('identity', { name: 'Bob' })).toBe(false);
    expect(isSafeToRepeat('dialectic', { action: 'get' })).toBe(true);
    expect(isSafeToRepeat('dialectic', { action: 'synthesis' })).toBe(false);
    expect(isSafeToRepeat('knowledge', { action: 'store' })).toBe(false);
  });
});
