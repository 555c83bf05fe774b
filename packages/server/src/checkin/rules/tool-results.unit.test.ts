import { describe, expect, it } from 'vitest';
import { verifies } from '../../../testing/verifies.ts';
import { inferKind, isBadResult, toolStatistics } from './tool-results.ts';

describe('attached tool results', () => {
  it('infers the kind from the tool, then from the summary', () => {
    const kind = (tool: string, summary = 'done') => inferKind({ tool, summary });
    expect(kind('pytest')).toBe('test');
    expect(kind('npx vitest run')).toBe('test');
    expect(kind('eslint')).toBe('lint');
    expect(kind('make')).toBe('build');
    expect(kind('apply_patch')).toBe('file_op');
    expect(kind('edit_file', 'changed the tests')).toBe('file_op');
    expect(kind('bash', 'ran jest, 3 failed')).toBe('test');
    expect(kind('bash', 'the latest news')).toBe('command');
    expect(inferKind({ tool: 'pytest', summary: '', kind: 'tool_call' })).toBe('tool_call');
  });

  it('calls a result bad by its own word or its exit code, whatever the other says, else by its error', () => {
    verifies('BW-outcomes.05');
    const bad = (rest: object) => isBadResult({ tool: 'x', summary: 'y', ...rest });
    expect(bad({ is_bad: false, exit_code: 1 })).toBe(true);
    expect(bad({ is_bad: true, exit_code: 0 })).toBe(true);
    expect(bad({ exit_code: 2 })).toBe(true);
    expect(bad({ exit_code: 0, error: 'noise' })).toBe(false);
    expect(bad({ error: 'boom' })).toBe(true);
    expect(bad({ is_bad: null, exit_code: null, error: '' })).toBe(false);
  });

  it('counts tools, calls, failures and files, and knows nothing without results', () => {
    expect(toolStatistics([])).toBeUndefined();
    expect(
      toolStatistics([
        { tool: 'edit_file', summary: 'a' },
        { tool: 'edit_file', summary: 'b' },
        { tool: 'pytest', summary: 'red', exit_code: 1 },
        { tool: 'pytest', summary: 'green', exit_code: 0 },
      ]),
    ).toEqual({ uniqueTools: 2, totalCalls: 4, errorRate: 0.5, filesModified: 2 });
    expect(toolStatistics([{ tool: 'pytest', summary: '3 tests failed' }])?.errorRate).toBeNull();
  });
});
