import { toolResultSays } from '../../outcomes/index.ts';
import type { ToolStatistics } from './complexity.ts';

type ToolKind = 'test' | 'lint' | 'build' | 'file_op' | 'command' | 'tool_call';

/** One attached result of a tool, as the check-in carries it. */
export interface ToolResult {
  readonly tool: string;
  readonly summary: string;
  readonly kind?: ToolKind | undefined;
  readonly exit_code?: number | null | undefined;
  readonly is_bad?: boolean | null | undefined;
  readonly error?: string | null | undefined;
}

/** Words that betray a kind, most telling first; a whole word, so that "latest" is no test. */
const MARKERS: readonly (readonly [ToolKind, RegExp])[] = [
  ['test', /\b(pytest|jest|vitest|mocha|unittest|rspec|junit|phpunit|tests?)\b/],
  ['lint', /\b(ruff|eslint|mypy|pylint|flake8|prettier|biome|clippy|lint)\b/],
  ['build', /\b(build|make|cmake|tsc|webpack|gradle|mvn|maven|bazel|compile)\b/],
  ['file_op', /\b(apply_patch|edit_file|write_file|create_file|str_replace|edit|write|patch)\b/],
];

/**
 * The kind of a result: as said, else told by words in the tool's name, else by words in its summary; a tool that
 * neither betrays ran a command. The name goes first: an edit whose summary speaks of tests is still an edit.
 */
export const inferKind = (result: ToolResult): ToolKind => {
  if (result.kind !== undefined) return result.kind;
  for (const text of [result.tool.toLowerCase(), result.summary.toLowerCase()]) {
    for (const [kind, words] of MARKERS) if (words.test(text)) return kind;
  }
  return 'command';
};

/**
 * A result is bad if its flag or its exit code says so, whatever the other says; without either, if it carries an error
 * (BW-outcomes.05).
 */
export const isBadResult = (result: ToolResult): boolean => toolResultSays(result) === 'fail';

/** Whether a result says how the tool ended, which its summary's words do not. */
export const hasExitCode = ({ exit_code: code }: ToolResult): boolean => typeof code === 'number';

/** Statistics of the attached results, or undefined when there are none: no results are not a measured zero. */
export const toolStatistics = (results: readonly ToolResult[]): ToolStatistics | undefined => {
  if (results.length === 0) return undefined;
  const tools = new Set<string>();
  let bad = 0;
  let told = 0;
  let filesModified = 0;
  for (const result of results) {
    tools.add(result.tool);
    const says = toolResultSays(result);
    if (says === 'fail') bad += 1;
    if (says !== 'unknown') told += 1;
    if (inferKind(result) === 'file_op') filesModified += 1;
  }
  return {
    uniqueTools: tools.size,
    totalCalls: results.length,
    // Without a result a call is no success, so that it must not dilute the failures beside it.
    errorRate: told === 0 ? null : bad / told,
    filesModified,
  };
};
