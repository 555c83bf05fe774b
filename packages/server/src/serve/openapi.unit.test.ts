import { afterEach, expect, test } from 'vitest';
import { startFakeNode } from './testing/fake-node.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(stops.splice(0).map((stop) => stop()));
});

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Json;
}

const documentOf = async (): Promise<Json> => {
  const node = await startFakeNode({ tokens: ['a token'] });
  stops.push(node.stop);
  const response = await fetch(`${node.url}/openapi.json`);
  expect(response.status, 'it needs no token').toBe(200);
  expect(response.headers.get('content-type')).toContain('application/json');
  return (await response.json()) as Json;
};

/** Every value of a key, at any depth. */
const all = (value: unknown, key: string): unknown[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([name, part]) => [...(name === key ? [part as unknown] : []), ...all(part, key)]);

test('the document names every route, and hangs together', async () => {
  const document = await documentOf();
  expect(document['openapi']).toBe('3.1.0');
  const paths = document['paths'] as Record<string, Record<string, Operation>>;
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/v1/tools/call', '/mcp/', '/api/agents/{id}/trail', '/metrics']),
  );
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.values(methods).map((operation) => ({ path, ...operation })),
  );
  const ids = operations.map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const { path, parameters, responses, summary } of operations) {
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = parameters.filter((one) => one.in === 'path' && one.required).map(({ name }) => name);
    expect(declared, path).toEqual(named);
    expect(Object.keys(responses), path).toContain('200');
    expect(summary, path).toMatch(/\.$/);
  }
  for (const pointer of all(document, '$ref') as string[]) {
    const found = pointer
      .replace('#/', '')
      .split('/')
      .reduce<unknown>((part, name) => (part as Json | undefined)?.[name], document);
    expect(found, pointer).toBeDefined();
  }
});

test('a call of each tool is described by its own schema', async () => {
  const document = await documentOf();
  const { ToolCall } = (document['components'] as { schemas: Record<string, { oneOf?: { title: string }[] }> }).schemas;
  expect(ToolCall?.oneOf?.map(({ title }) => title)).toEqual(['echo', 'refuse']);
});
