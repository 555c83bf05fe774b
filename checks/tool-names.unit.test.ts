import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as contract from '../packages/contract/src/index.ts';
import { TOOLS } from '../packages/contract/src/tools.ts';
import { Registry } from '../packages/server/src/dispatch/registry.ts';
import { defineTool } from '../packages/server/src/runtime/index.ts';
import { sources, textsOf } from './texts.ts';

const unreachable = () => Promise.reject(new Error('nobody calls it'));
const registry = new Registry(
  Object.values<contract.ToolSpec>(TOOLS).map((spec) => defineTool(spec, unreachable)),
  contract.ALIASES,
);

/** What a name does, whatever it is called. */
const meaning = (name: string): string => {
  const target = registry.find(name);
  return `${target?.entry.tool.spec.name} ${JSON.stringify(target?.alias?.inject ?? {})}`;
};
const listed = registry.listings('default').map(({ name }) => name);
const callable = new Set(listed.map(meaning));

/** Names of operators' tools and of what MCP hosts are not for: their texts are for people with a command line. */
const FOR_OPERATORS: ReadonlySet<string> = new Set(['get_server_info']);

/** Tools that a text names: a word with an underscore that is a name of one. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/\b[a-z]+(?:_[a-z]+)+\b/g)]
    .map(([name]) => name)
    .filter((name) => registry.find(name) !== undefined && !FOR_OPERATORS.has(name));

const guides = ['README.md', 'docs/agents.md', 'docs/identity.md', 'docs/knowledge.md', 'docs/resolution.md'].map(
  (file): [string, string[]] => [
    file,
    [readFileSync(file, 'utf8').replace(/<!-- tools -->[\s\S]*<!-- \/tools -->/, '')],
  ],
);
const refusals = [...sources('packages/server/src'), ...sources('packages/contract/src')].map(
  (file): [string, string[]] => [file, textsOf(file)],
);

it('every tool that a guide or a refusal names can be called by a host that shows only the default list', () => {
  const named = [...guides, ...refusals].flatMap(([file, texts]) =>
    texts.flatMap(namesIn).map((name) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(60);
  expect(named.filter(({ name }) => !callable.has(meaning(name)))).toEqual([]);
  const helpful = Object.values(contract.ERRORS).flatMap(({ recovery }) => recovery.related_tools ?? []);
  expect(helpful.filter((name) => !listed.includes(name))).toEqual([]);
});

it('what is listed in brief exists, and so does each argument that is shown', () => {
  for (const [name, { takes }] of Object.entries(contract.BRIEF)) {
    const target = registry.find(name);
    expect(target, name).toBeDefined();
    for (const argument of takes) expect([...(target?.entry.shape.properties.keys() ?? [])], name).toContain(argument);
  }
});

it('every call that a text writes out names a tool and arguments that there are', () => {
  const written = [...guides, ...refusals].flatMap(([file, texts]) =>
    texts.flatMap((text) =>
      [...text.matchAll(/\b([a-z][a-z_]+)\(([a-z_]+=[^()]*)\)/g)].map(([call, name = '', args = '']) => ({
        file,
        call,
        name,
        args: args.split(',').flatMap((arg) => (arg.includes('=') ? [(arg.split('=')[0] ?? '').trim()] : [])),
      })),
    ),
  );
  expect(written.length).toBeGreaterThan(20);
  const wrong = written.filter(({ name, args }) => {
    const entry = registry.find(name)?.entry;
    const aliases = new Set(entry?.argumentAliases.map(([alias]) => alias));
    return entry === undefined || args.some((arg) => !entry.shape.properties.has(arg) && !aliases.has(arg));
  });
  expect(wrong).toEqual([]);
});
