import * as contract from '@breakwater/contract';
import * as tools from '@breakwater/contract/tools';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const isSpec = (value: unknown): value is contract.ToolSpec =>
  typeof value === 'object' && value !== null && 'input' in value && 'timeoutMs' in value;

const specs = Object.entries<contract.ToolSpec>(tools.TOOLS);

test('every tool stands in TOOLS, under the name that it is called by', () => {
  const listed = new Set<contract.ToolSpec>(specs.map(([, spec]) => spec));
  const exported = (Object.values(tools) as unknown[]).filter(isSpec);
  expect(exported.filter((spec) => !listed.has(spec)).map(({ name }) => name)).toEqual([]);
  expect(specs.filter(([name, spec]) => name !== spec.name).map(([name]) => name)).toEqual([]);
});

test('every package has the version that the code says', () => {
  const versionOf = (file: string) => (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
  const files = [
    'package.json',
    ...['contract', 'sdk', 'console', 'server'].map((name) => `packages/${name}/package.json`),
  ];
  expect(Object.fromEntries(files.map((file) => [file, versionOf(file)]))).toEqual(
    Object.fromEntries(files.map((file) => [file, contract.VERSION])),
  );
});
