import { afterEach, describe, expect, test } from 'vitest';
import { readDocument, type Operation } from '../../testing/openapi.ts';
import { startFakeNode } from './testing/fake-node.ts';
import { rawRequest } from './testing/raw-request.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

const start = async (...args: Parameters<typeof startFakeNode>) => {
  const node = await startFakeNode(...args);
  stops.push(node.stop);
  return { node, document: await readDocument(node.url) };
};

/** Every value of a key, at any depth. */
const all = (value: unknown, key: string): unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, part]) => [...(name === key ? [part as unknown] : []), ...all(part, key)]);

/** Asks as the document says that one can, with nothing in the body. */
const ask = (url: string, { method, path }: Operation, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}${path.replaceAll(/\{\w+\}/g, 'x')}`, {
    method,
    redirect: 'manual',
    ...(method === 'POST' && { headers: { 'content-type': 'application/json' }, body: '{}' }),
    ...init,
  });

describe('the document', () => {
  test('names every route, and hangs together', async () => {
    const { document } = await start({ tokens: ['a token'] });
    expect(document.json['openapi']).toBe('3.1.0');
    expect(document.operations.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/v1/tools/call', '/mcp/', '/api/agents/{id}/trail', '/metrics', '/dashboard/{path}']),
    );
    const ids = document.operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, parameters, responses, summary } of document.operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((one) => one.in === 'path' && one.required).map(({ name }) => name);
      expect(declared, path).toEqual(named);
      expect(Object.keys(responses), path).not.toHaveLength(0);
      for (const { description } of Object.values(responses)) expect(description, path).toMatch(/\.$/);
      expect(summary, path).toMatch(/\.$/);
    }
    const schemes = (document.json['components'] as { securitySchemes: object }).securitySchemes;
    const named = (all(document.json, 'security') as object[][]).flat().flatMap((one) => Object.keys(one));
    expect(Object.keys(schemes)).toEqual(expect.arrayContaining(named));
  });

  test('has good schemas only, and no reference that leads nowhere', async () => {
    const { document } = await start();
    const { schemas } = document.json['components'] as { schemas: Record<string, Record<string, unknown>> };
    for (const name of Object.keys(schemas)) {
      // A reference that leads nowhere does not compile.
      expect(document.problemWith({ $ref: `#/components/schemas/${name}` }, null), name).toBeDefined();
    }
    for (const one of all(document.json['paths'], 'schema') as Record<string, unknown>[]) document.problemWith(one, 1);
    const used = new Set((all(document.json, '$ref') as string[]).map((one) => one.split('/').at(-1)));
    expect(
      Object.keys(schemas).filter((name) => !used.has(name)),
      'and none that nobody uses',
    ).toEqual([]);
  });

  test('describes a call of each tool by its own schema', async () => {
    const { document } = await start();
    const { ToolCall } = (document.json['components'] as { schemas: Record<string, { oneOf?: { title: string }[] }> })
      .schemas;
    expect(ToolCall?.oneOf?.map(({ title }) => title)).toEqual(['echo', 'refuse']);
  });
});

describe('what the server answers is described', () => {
  test('to somebody without a token', async () => {
    const { node, document } = await start({ tokens: ['a token'] });
    for (const operation of document.operations) {
      const answer = await ask(node.url, operation);
      const isOpen = operation.security?.length === 0;
      expect(answer.status === 401, `${operation.method} ${operation.path}`).toBe(!isOpen);
      await document.expectDescribed(operation, answer);
    }
  });

  test('while the server is ready, and while it is not', async () => {
    for (const ready of [true, false]) {
      const { node, document } = await start({ ready });
      for (const operation of document.operations) {
        await document.expectDescribed(operation, await ask(node.url, operation));
        await document.expectDescribed(operation, await ask(node.url, operation, { headers: { accept: 'text/html' } }));
        const asOperator = { authorization: 'Bearer bwo_unknown' };
        await document.expectDescribed(operation, await ask(node.url, operation, { headers: asOperator }));
      }
    }
  });

  test('to a body that is no JSON, of another type, or too large', async () => {
    const { node, document } = await start();
    for (const operation of document.operations.filter(({ method }) => method === 'POST')) {
      const sent = (type: string, body: string) =>
        ask(node.url, operation, { headers: { 'content-type': type }, body });
      for (const [type, body] of [
        ['application/json', '{'],
        ['application/json', '[]'],
        ['text/plain', 'x'],
        ['application/json', JSON.stringify('x'.repeat(1024 * 1024))],
      ] as const) {
        await document.expectDescribed(operation, await sent(type, body));
      }
    }
  });

  test('to a foreign Host and a foreign Origin', async () => {
    const { node, document } = await start();
    for (const operation of document.operations) {
      const { method, path } = operation;
      const statusOf = async (headers: Record<string, string>): Promise<string> =>
        String((await rawRequest(`${node.url}${path.replaceAll(/\{\w+\}/g, 'x')}`, { method, headers })).status);
      for (const [refused, headers] of [
        ['421', { host: 'evil.example' }],
        ['403', { origin: 'https://evil.example' }],
      ] as const) {
        const isRefused = (await statusOf(headers)) === refused;
        expect(isRefused, `${path} ${refused}`).toBe(path !== '/health/live');
        if (isRefused) expect(Object.keys(operation.responses), path).toContain(refused);
      }
    }
  });
});
