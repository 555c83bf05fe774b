/**
 * Finds names of the coordination channel's events outside the modules that own them (W3-6.08). Exits 1 with a list. Whoever
 * emits takes the name from the contract and the payload from `channel/payloads.ts`, so that no two places spell one event.
 */
import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { namedTypes } from './channel-literals.ts';

/** The names themselves, and what is made of them. Tests say what they expect; migrations and checks are not emitters. */
const OWNERS = ['packages/contract/src/events.ts', 'packages/server/src/channel/payloads.ts'];
const isExempt = (path: string) => /\.test\.ts$|\/(testing|fixtures)\//.test(path) || OWNERS.includes(path);

const problems = globSync('packages/**/*.ts', { exclude: (path) => path.includes('node_modules') })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => !isExempt(path))
  .flatMap((path) => namedTypes(ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest)));

for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0 ? 'event types are named where they belong' : `${problems.length} names out of place`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
