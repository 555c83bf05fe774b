import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { verifies } from '../packages/server/testing/verifies.ts';

/**
 * Every file that reads a live table beside dispatch, and why it may. A cold key means there: the table is loaded before anything
 * runs, so PostgreSQL has no such row, or its news is a moment away; each site says what it makes of that.
 */
const SITES: Readonly<Record<string, string>> = {
  'packages/server/src/agents/agents.ts':
    'the owner of the table of agents: a cold one is read from PostgreSQL, or is none',
  'packages/server/src/checkin/service.ts':
    "a cold baseline of an agent that has checked in is looked for in PostgreSQL; the pause of a cold agent is the mailbox's to find",
  'packages/server/src/cli/start-node.ts': 'hands the reads of `/v1/baseline/get` on as they are, cold included',
  'packages/server/src/dialectic/reviewers.ts': 'a cold agent is no candidate',
  'packages/server/src/dialectic/saga.ts': 'the owner of the table of held agents: cold is held by nothing',
  'packages/server/src/dialectic/tools.ts': 'a cold agent has no name to be shown',
  'packages/server/src/feed/service.ts': 'a cold agent of an event has no name to be shown',
  'packages/server/src/flags/service.ts': 'the owner of the table of flags: a cold flag has its default',
  'packages/server/src/identity/bindings.ts':
    'the owner of the table of credentials: a cold one proves nothing by memory, and is looked for in PostgreSQL',
  'packages/server/src/identity/lineage-sweep.ts': 'a job: what is cold is left for its next turn',
  'packages/server/src/identity/resolver.ts':
    'a cold agent is looked for in PostgreSQL before anybody is told that it is none',
  'packages/server/src/knowledge/births.ts': 'a cold agent has no name to be shown',
  'packages/server/src/knowledge/reader.ts': 'a cold agent has no name to be shown',
  'packages/server/src/overview/service.ts': 'a cold agent is none: every agent is in memory before a request is taken',
  'packages/server/src/runtime/write-through.ts': 'the table itself',
};

test('every reader of a live table is known, and decides what cold means', () => {
  verifies('W3-10.06');
  const files = globSync('packages/server/src/**/*.ts', {
    exclude: (path) => path.endsWith('.test.ts') || path.includes('/testing'),
  });
  const config = ts.parseJsonConfigFileContent(
    ts.readConfigFile('tsconfig.json', (path) => readFileSync(path, 'utf8')).config,
    ts.sys,
    '.',
  );
  const program = ts.createProgram(files, { ...config.options, noEmit: true });
  const checker = program.getTypeChecker();
  const found = new Set<string>();
  for (const path of files) {
    const source = program.getSourceFile(path);
    if (source === undefined || !/\.(read|readGated)\b/.test(source.text)) continue;
    const visit = (node: ts.Node): void => {
      if (ts.isPropertyAccessExpression(node) && ['read', 'readGated'].includes(node.name.text)) {
        const declared = checker.getSymbolAtLocation(node.name)?.declarations ?? [];
        if (declared.some((one) => /\/runtime\/(live-table|write-through)\.ts$/.test(one.getSourceFile().fileName)))
          found.add(path);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  expect([...found].toSorted()).toEqual(Object.keys(SITES).toSorted());
});
