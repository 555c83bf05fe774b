import { describe, expect, it } from 'vitest';
import { ranOf, whyStoredNotGraded, type StoredOutcome } from './why-not-graded.ts';

const stored = (over: Partial<StoredOutcome>): StoredOutcome => ({
  outcome: 'test_passed',
  isBad: false,
  score: 1,
  detail: { command: 'npm test', exit_code: 0 },
  source: 'agent_reported_tool_result',
  predictionSource: 'no_binding',
  ...over,
});

describe('why a stored result does not count', () => {
  it.each<[string, Partial<StoredOutcome>, string]>([
    ['a tool result without a claim', {}, 'settles no claim'],
    ['a claim without a confidence', { predictionSource: 'registry' }, 'reported no confidence'],
    ['a claim that is too old', { predictionSource: 'ttl_expired_fallback' }, 'older than 24 hours'],
    ['words alone', { detail: { note: 'all is well' }, predictionSource: 'registry' }, 'add what ran'],
    ['test data', { detail: { command: 'npm test', exit_code: 0, synthetic_run: true } }, 'test data'],
    ['no result', { score: null, detail: { tool: 'Read' }, predictionSource: 'registry' }, 'add what it returned'],
    ['neither success nor failure', { score: null }, 'neither success nor failure'],
    [
      'a flag that its exit code contradicts',
      { detail: { tool: 'npm', is_bad: false, exit_code: 1 }, predictionSource: 'registry' },
      'detail.exit_code says fail',
    ],
  ])('%s', (_, over, said) => {
    expect(whyStoredNotGraded(stored(over))).toContain(said);
  });
});

describe('what ran', () => {
  it('is named in one line, whole characters, or not at all', () => {
    expect(ranOf({ command: 'npm  test\n', tool: 'bash' })).toBe('npm test');
    expect(ranOf({ tool: 'pytest' })).toBe('pytest');
    expect(ranOf({ exit_code: 0, command: 3 })).toBeNull();
    const long = ranOf({ command: `${'a'.repeat(118)}🚀${'b'.repeat(50)}` });
    expect(long?.isWellFormed()).toBe(true);
    expect(long).toHaveLength(119);
  });
});
