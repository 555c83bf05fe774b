import { Client, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, describe, expect, test } from 'vitest';
import { verifies } from '../../testing/verifies.ts';
import { systemClock } from '../runtime/index.ts';
import { runStdio, type StdioOptions } from './stdio.ts';
import { eventData, modernHeaders } from './stdio-wire.ts';
import { memorySessions, startFakeNode, type FakeNode } from './testing/fake-node.ts';
import { envelope, initialize, MODERN } from './testing/mcp-messages.ts';

const cleanUp: (() => Promise<unknown>)[] = [];
const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  cleanUp.push(node.stop);
  return node;
};
afterEach(async () => {
  for (const stop of cleanUp.splice(0)) await stop();
});

/** A bridge whose other end is this test: lines go in, messages come out. */
const bridge = (options: Pick<StdioOptions, 'url' | 'patienceMs' | 'token'>) => {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const lines = createInterface({ input: output })[Symbol.asyncIterator]();
  let complaints = '';
  errors.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const done = runStdio({ ...options, input, output, errors, clock: systemClock });
  cleanUp.push(async () => {
    input.end();
    await done;
  });
  return {
    send: (message: unknown) => input.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`),
    receive: async () => JSON.parse((await lines.next()).value as string) as Record<string, unknown>,
    complaints: () => complaints,
    end: async () => {
      input.end();
      await done;
    },
  };
};
const open = { ...(JSON.parse(initialize().body) as object), id: 'open' };
const call = (id: number, args: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name: 'echo', arguments: args },
});
const bodyOf = (message: Record<string, unknown>) =>
  JSON.parse((message as { result: { content: { text: string }[] } }).result.content[0]!.text) as {
    evidence: { mcpSessionId?: string };
    args: unknown;
  };

describe.each<[string, VersionNegotiationMode, string]>([
  ['2025', 'legacy', '2025-11-25'],
  ['2026', { pin: MODERN }, MODERN],
])('the stdio bridge as a child process, the %s protocol', (generation, mode, negotiated) => {
  const childOf = (node: FakeNode) => {
    const program = `
      import { runStdio } from ${JSON.stringify(new URL('./stdio.ts', import.meta.url).href)};
      import { systemClock as clock } from ${JSON.stringify(new URL('../runtime/index.ts', import.meta.url).href)};
      await runStdio({ url: ${JSON.stringify(node.url)}, input: process.stdin, output: process.stdout, errors: process.stderr, clock });`;
    return new StdioClientTransport({
      command: process.execPath,
      args: ['--input-type=module', '-e', program],
      stderr: 'pipe',
    });
  };

  test('a client connects, lists the tools, calls one, and reads a refusal', async () => {
    verifies('BW-serve.03');
    const node = await start();
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(childOf(node));
    cleanUp.unshift(() => client.close());
    expect(client.getNegotiatedProtocolVersion()).toBe(negotiated);
    expect((await client.listTools()).tools).toHaveLength(2);
    const text = 'two\nlines \u2028 and 猫';
    const results = await Promise.all([
      client.callTool({ name: 'echo', arguments: { text } }),
      client.callTool({ name: 'refuse', arguments: { code: 'AGENT_PAUSED' } }),
    ]);
    expect(bodyOf({ result: results[0] }).args).toEqual({ text });
    expect(results.map((result) => result.isError)).toEqual([false, true]);
    expect(node.dispatcher.requests[0]!.evidence.mcpSessionId === undefined).toBe(generation === '2026');
  });
});

describe('the stdio bridge', () => {
  test('opens a new session when the server forgot the old one, and the client does not notice', async () => {
    verifies('BW-serve.05');
    const sessions = memorySessions();
    const node = await start({ sessions });
    const host = bridge({ url: node.url });
    host.send(open);
    expect(await host.receive()).toMatchObject({ id: 'open', result: { protocolVersion: '2025-06-18' } });
    const [first] = sessions.ids;
    sessions.ids.clear();
    host.send(call(1));
    host.send(call(2));
    const answers = [await host.receive(), await host.receive()];
    expect(answers.map(({ id }) => id).sort()).toEqual([1, 2]);
    const [second] = sessions.ids;
    expect(sessions.ids.size).toBe(1);
    expect(second).not.toBe(first);
    for (const answer of answers) expect(bodyOf(answer).evidence.mcpSessionId).toBe(second);
    await host.end();
    expect(sessions.ids.size).toBe(0);
  });

  test('waits for a server that starts, and says so once', async () => {
    const node = await start({ ready: false });
    const host = bridge({ url: node.url });
    host.send({ ...call(1), params: { ...call(1).params, _meta: envelope } });
    await expect.poll(host.complaints).toContain('is starting');
    for (const part of ['flags', 'baselines']) node.readiness.report(part, true);
    expect(await host.receive()).toMatchObject({ id: 1, result: { isError: false } });
    expect(host.complaints().split('\n')).toHaveLength(2);
  });

  test('tells the client and the person when no server answers', async () => {
    const node = await start();
    await node.stop();
    const host = bridge({ url: node.url, patienceMs: 300 });
    host.send(open);
    const answer = await host.receive();
    expect(answer).toMatchObject({ jsonrpc: '2.0', id: 'open', error: { code: -32000 } });
    expect(JSON.stringify(answer)).toContain(node.url);
    expect(host.complaints()).toContain('breakwater serve');
  });

  test('tells the client that a token is missing', async () => {
    const node = await start({ tokens: ['t0'] });
    const refused = bridge({ url: node.url });
    refused.send(call(1));
    expect(JSON.stringify(await refused.receive())).toContain('Authorization: Bearer');
    const admitted = bridge({ url: node.url, token: 't0' });
    admitted.send(call(1));
    expect(await admitted.receive()).toMatchObject({ id: 1, result: { isError: false } });
  });

  test('answers a line that is not JSON-RPC, and goes on', async () => {
    const node = await start();
    const host = bridge({ url: node.url });
    host.send('not json');
    expect(await host.receive()).toMatchObject({ id: null, error: { code: -32700 } });
    host.send([call(1), call(2)]);
    expect([(await host.receive())['id'], (await host.receive())['id']]).toEqual([1, 2]);
  });

  test('a cancelled call is not answered', async () => {
    const node = await start();
    const host = bridge({ url: node.url });
    host.send(call(1, { delay_ms: 60_000 }));
    await expect.poll(() => node.dispatcher.requests.length).toBe(1);
    host.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    host.send(call(2));
    expect(await host.receive()).toMatchObject({ id: 2 });
    await host.end();
  });

  test('a subscription does not keep the bridge from ending', async () => {
    const node = await start();
    const host = bridge({ url: node.url });
    const params = { _meta: envelope, notifications: { toolsListChanged: true } };
    host.send({ jsonrpc: '2.0', id: 9, method: 'subscriptions/listen', params });
    expect(await host.receive()).toMatchObject({ method: 'notifications/subscriptions/acknowledged' });
    await host.end();
  });
});

describe('the wire of the bridge', () => {
  test('event data is read across chunk borders', async () => {
    const stream = new PassThrough();
    const read = (async () => {
      const seen: string[] = [];
      for await (const data of eventData(stream)) seen.push(data);
      return seen;
    })();
    const bytes = Buffer.from('event: message\ndata: {"a":"猫"}\n\n: keepalive\n\ndata: one\ndata: two\n\n');
    for (const byte of bytes) {
      stream.write(Buffer.of(byte));
    }
    stream.end();
    await once(stream, 'close');
    expect(await read).toEqual(['{"a":"猫"}', 'one\ntwo']);
  });

  test('a name that a header cannot carry is encoded', () => {
    expect(modernHeaders({ method: 'tools/call', params: { name: '猫' } }, MODERN)).toEqual({
      'mcp-protocol-version': MODERN,
      'mcp-method': 'tools/call',
      'mcp-name': '=?base64?54yr?=',
    });
  });
});

test('a client that goes ends the bridge in order, with its calls in flight', async () => {
  const node = await start();
  const [input, errors] = [new PassThrough(), new PassThrough()];
  let broken = false;
  const output = new Writable({
    write: (_chunk, _encoding, done) => {
      broken = true;
      done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
    },
  });
  const done = runStdio({ url: node.url, input, output, errors, clock: systemClock });
  input.write(`${JSON.stringify(open)}\n`);
  await done;
  expect(broken).toBe(true);
  expect(errors.read(), 'a client that goes is no failure').toBeNull();
});
