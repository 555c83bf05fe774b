import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEnvelopeCheck, readFastCall } from './mcp-fast.ts';
import { memorySessions, startFakeNode, type FakeNode } from './testing/fake-node.ts';
import { initialize, legacyCall, modernCall, post, type Wire } from './testing/mcp-messages.ts';

/** Whether the fast path must take the message (true), must leave it (false). */
interface Case {
  readonly fast: boolean;
  readonly wire: Wire;
}

const raw = (wire: Wire, body: string): Wire => ({ ...wire, body });
const without = (wire: Wire, header: string): Wire => ({
  ...wire,
  headers: Object.fromEntries(Object.entries(wire.headers).filter(([name]) => name !== header)),
});
const metaWithout = (key: string): Wire => modernCall({ meta: { [key]: undefined } });

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const both = (name: string, fast: boolean, change: Parameters<typeof modernCall>[0]): [string, Case][] => [
  [`2025 ${name}`, { fast, wire: legacyCall(change) }],
  [`2026 ${name}`, { fast, wire: modernCall(change) }],
];

const CORPUS: [string, Case][] = [
  ...both('plain call', true, {}),
  ...both('string id', true, { message: { id: 'käse "7"' } }),
  ...both('id zero', true, { message: { id: 0 } }),
  ...both('negative id', true, { message: { id: -5 } }),
  ...both('fractional id', false, { message: { id: 1.5 } }),
  ...both('huge id', false, { message: { id: 2 ** 60 } }),
  ...both('id null', false, { message: { id: null } }),
  ...both('id object', false, { message: { id: {} } }),
  ...both('no id: a notification', false, { message: { id: undefined } }),
  ...both('no arguments', true, { params: { arguments: undefined } }),
  ...both('arguments null', false, { params: { arguments: null } }),
  ...both('arguments array', false, { params: { arguments: [1] } }),
  ...both('text beyond ASCII', true, { params: { arguments: { text: '猫 \u2028 "\\ \u0000 😀' } } }),
  ...both('__proto__ argument', false, { params: { arguments: JSON.parse('{"__proto__":{"a":1}}') as object } }),
  ...both('unknown tool', true, { params: { name: 'no_such_tool' } }),
  ...['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'].flatMap((revision): [string, Case][] => {
    const headers = { 'mcp-protocol-version': revision };
    return [
      [`2025 revision ${revision}`, { fast: true, wire: legacyCall({ headers }) }],
      [
        `2025 revision ${revision}, refused`,
        { fast: true, wire: legacyCall({ headers, params: { name: 'refuse', arguments: { code: 'AGENT_PAUSED' } } }) },
      ],
    ];
  }),
  ['2025 empty name', { fast: true, wire: legacyCall({ params: { name: '' } }) }],
  ['2026 empty name', { fast: false, wire: modernCall({ params: { name: '' } }) }],
  ['2026 name that a header may not carry plainly', { fast: false, wire: modernCall({ params: { name: 'x y' } }) }],
  ...both('refusal with status 200', true, { params: { name: 'refuse', arguments: { code: 'AGENT_PAUSED' } } }),
  ...both('refusal of a conflict', true, { params: { name: 'refuse', arguments: { code: 'SEQUENCE_CONFLICT' } } }),
  ...both('refusal with status 503', true, { params: { name: 'refuse', arguments: { code: 'NOT_READY' } } }),
  ...both('refusal for overload', true, { params: { name: 'refuse', arguments: { code: 'OVERLOADED' } } }),
  ...both('name missing', false, { params: { name: undefined } }),
  ...both('name a number', false, { params: { name: 7 } }),
  ...both('unknown field in params', false, { params: { extra: 1 } }),
  ...both('request state', false, { params: { requestState: 'x' } }),
  ...both('task augmentation', false, { params: { task: { ttl: 1000 } } }),
  ...both('unknown field in the message', false, { message: { extra: 1 } }),
  ...both('jsonrpc 1.0', false, { message: { jsonrpc: '1.0' } }),
  ...both('method unknown', false, { message: { method: 'tools/nope' } }),
  ...both('method not a string', false, { message: { method: 4 } }),
  ...both('params missing', false, { message: { params: undefined } }),
  ...both('params an array', false, { message: { params: ['echo'] } }),
  ...both('tools/list', false, { message: { method: 'tools/list', params: {} } }),
  ...both('ping', false, { message: { method: 'ping' } }),
  ...both('charset', true, { headers: { 'content-type': 'application/json; charset=utf-8' } }),
  ...both('other charset spelling', false, { headers: { 'content-type': 'Application/JSON;charset=UTF-8' } }),
  ...both('wrong media type', false, { headers: { 'content-type': 'text/plain' } }),
  ...both('Accept: JSON only', true, { headers: { accept: 'application/json' } }),
  ...both('Accept: anything', true, { headers: { accept: '*/*' } }),
  ...both('Accept: event stream only', false, { headers: { accept: 'text/event-stream' } }),
  ...both('Accept: HTML', false, { headers: { accept: 'text/html' } }),
  ...both('version header unknown', false, { headers: { 'mcp-protocol-version': '2031-01-01' } }),
  ...both('a response', false, { message: { method: undefined, params: undefined, result: {} } }),
  ['2025 progress token', { fast: true, wire: legacyCall({ params: { _meta: { progressToken: 3 } } }) }],
  [
    '2025 progress token of a wrong type',
    { fast: false, wire: legacyCall({ params: { _meta: { progressToken: {} } } }) },
  ],
  ['2025 other metadata', { fast: false, wire: legacyCall({ params: { _meta: { traceparent: '00-1' } } }) }],
  [
    '2025 trace context',
    { fast: true, wire: legacyCall({ params: { _meta: { traceparent: TRACEPARENT, tracestate: 'a=1' } } }) },
  ],
  ['2026 trace context', { fast: true, wire: modernCall({ meta: { traceparent: TRACEPARENT } }) }],
  ['2025 trace state a number', { fast: false, wire: legacyCall({ params: { _meta: { tracestate: 1 } } }) }],
  ['2025 metadata null', { fast: false, wire: legacyCall({ params: { _meta: null } }) }],
  ...['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'].map((version): [string, Case] => [
    `2025 with version header ${version}`,
    { fast: true, wire: legacyCall({ headers: { 'mcp-protocol-version': version } }) },
  ]),
  [
    '2025 body under the 2026 header',
    { fast: false, wire: legacyCall({ headers: { 'mcp-protocol-version': '2026-07-28' } }) },
  ],
  ['2025 unknown session', { fast: false, wire: legacyCall({ headers: { 'mcp-session-id': 'nobody' } }) }],
  ['2025 not JSON', { fast: false, wire: raw(legacyCall(), '{"jsonrpc":') }],
  ['2025 empty body', { fast: false, wire: raw(legacyCall(), '') }],
  [
    '2025 batch',
    { fast: false, wire: raw(legacyCall(), `[${legacyCall().body},${legacyCall({ message: { id: 2 } }).body}]`) },
  ],
  [
    '2025 batch with an unavailable call',
    {
      fast: false,
      wire: raw(
        legacyCall(),
        `[${legacyCall().body},${legacyCall({ message: { id: 2 }, params: { name: 'refuse', arguments: { code: 'NOT_READY' } } }).body}]`,
      ),
    },
  ],
  ['2025 empty batch', { fast: false, wire: raw(legacyCall(), '[]') }],
  ['2025 JSON null', { fast: false, wire: raw(legacyCall(), 'null') }],
  ['2026 progress token', { fast: true, wire: modernCall({ meta: { progressToken: 'p' } }) }],
  ['2026 progress token of a wrong type', { fast: false, wire: modernCall({ meta: { progressToken: {} } }) }],
  ['2026 log level', { fast: false, wire: modernCall({ meta: { 'io.modelcontextprotocol/logLevel': 'info' } }) }],
  ['2026 other metadata', { fast: false, wire: modernCall({ meta: { traceparent: '00-1' } }) }],
  [
    '2026 capabilities',
    { fast: true, wire: modernCall({ meta: { [CLIENT_CAPABILITIES_META_KEY]: { roots: {}, sampling: {} } } }) },
  ],
  [
    '2026 capabilities of a wrong type',
    { fast: false, wire: modernCall({ meta: { [CLIENT_CAPABILITIES_META_KEY]: 'all' } }) },
  ],
  [
    '2026 capabilities malformed inside',
    { fast: false, wire: modernCall({ meta: { [CLIENT_CAPABILITIES_META_KEY]: { roots: 1 } } }) },
  ],
  ['2026 capabilities missing', { fast: false, wire: metaWithout(CLIENT_CAPABILITIES_META_KEY) }],
  ['2026 client info missing', { fast: true, wire: metaWithout(CLIENT_INFO_META_KEY) }],
  ['2026 client info malformed', { fast: false, wire: modernCall({ meta: { [CLIENT_INFO_META_KEY]: { name: 1 } } }) }],
  ['2026 revision missing in the envelope', { fast: false, wire: metaWithout(PROTOCOL_VERSION_META_KEY) }],
  [
    '2026 revision unknown in the envelope',
    { fast: false, wire: modernCall({ meta: { [PROTOCOL_VERSION_META_KEY]: '2031-01-01' } }) },
  ],
  ['2026 version header missing', { fast: false, wire: without(modernCall(), 'mcp-protocol-version') }],
  ['2026 method header missing', { fast: false, wire: without(modernCall(), 'mcp-method') }],
  ['2026 method header wrong', { fast: false, wire: modernCall({ headers: { 'mcp-method': 'tools/list' } }) }],
  ['2026 name header missing', { fast: false, wire: without(modernCall(), 'mcp-name') }],
  ['2026 name header wrong', { fast: false, wire: modernCall({ headers: { 'mcp-name': 'refuse' } }) }],
  ['2026 name header encoded', { fast: false, wire: modernCall({ headers: { 'mcp-name': '=?base64?ZWNobw==?=' } }) }],
  ['2026 with a session id', { fast: true, wire: modernCall({ headers: { 'mcp-session-id': 'nobody' } }) }],
];

/** What a client can see of an answer; the rest is the clock's and the connection's. */
const seen = async (response: Response) => ({
  status: response.status,
  headers: Object.fromEntries([...response.headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')),
  body: await response.text(),
});

describe('the fast path of tools/call', () => {
  let fast: FakeNode;
  let slow: FakeNode;
  let session: string;

  beforeAll(async () => {
    const sessions = memorySessions();
    fast = await startFakeNode({ sessions });
    slow = await startFakeNode({ sessions, mcpFastPath: false });
    session = (await post(slow.url, initialize())).headers.get('mcp-session-id')!;
  });
  afterAll(async () => {
    await fast.stop();
    await slow.stop();
  });

  test.each(CORPUS)('%s: same status, headers and bytes, and the same call below', async (_name, { wire }) => {
    const [asked, expected] = [fast.dispatcher.requests.length, slow.dispatcher.requests.length];
    expect(await seen(await post(fast.url, wire))).toEqual(await seen(await post(slow.url, wire)));
    const calls = (node: FakeNode, from: number) =>
      node.dispatcher.requests
        .slice(from)
        .map(({ name, args, evidence, transport }) => ({ name, args, evidence, transport }));
    expect(calls(fast, asked)).toEqual(calls(slow, expected));
  });

  test('a call in a session carries the session as evidence on both paths', async () => {
    const wire = legacyCall({ headers: { 'mcp-session-id': session } });
    const answers = await Promise.all([fast, slow].map(async (node) => await seen(await post(node.url, wire))));
    expect(answers[0]).toEqual(answers[1]);
    expect(fast.dispatcher.requests.at(-1)?.evidence.mcpSessionId).toBe(session);
    expect(slow.dispatcher.requests.at(-1)?.evidence.mcpSessionId).toBe(session);
  });

  test('a bug below looks the same on both paths, and says nothing of itself', async () => {
    const crash = async (node: FakeNode) => {
      const wire = legacyCall({ params: { name: 'crash' }, headers: { 'x-request-id': 'incident-1' } });
      return await seen(await post(node.url, wire));
    };
    const answer = await crash(fast);
    expect(answer).toEqual(await crash(slow));
    expect(answer.body).toContain('incident-1');
    expect(answer.body).not.toContain('secret detail');
  });

  test.each(CORPUS)('%s: taken or left as it should be', (_name, { fast: taken, wire }) => {
    const { headers, body } = wire;
    let parsed: unknown;
    try {
      parsed = JSON.parse(body);
    } catch {
      parsed = undefined;
    }
    // Accept and the session are looked at before the message is.
    const looksElsewhere =
      ['text/event-stream', 'text/html'].includes(headers['accept'] ?? '') || headers['mcp-session-id'] === 'nobody';
    if (looksElsewhere) return;
    expect(readFastCall(headers, parsed, createEnvelopeCheck()) !== undefined).toBe(taken);
  });
});
