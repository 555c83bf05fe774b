import type { OutcomeType } from '@breakwater/contract';

/**
 * Where a result comes from. All but `other` are exogenous: what shows the result lies outside the words of the agent
 * (spec storage_and_ops 2.1).
 */
export type Channel = 'tests' | 'tasks' | 'commands' | 'files' | 'lint' | 'tool_observations' | 'other';

const OF_KIND: Readonly<Record<string, Channel>> = {
  test: 'tests',
  lint: 'lint',
  build: 'commands',
  command: 'commands',
  file_op: 'files',
  tool_call: 'tool_observations',
};

const OF_TYPE: Partial<Readonly<Record<OutcomeType, Channel>>> = {
  test_passed: 'tests',
  test_failed: 'tests',
  tool_rejected: 'tool_observations',
  task_completed: 'tasks',
  task_failed: 'tasks',
};

/** The channel of an outcome: that of a test is always `tests`; else its evidence says, by its kind; else its type. */
export const channelOf = (type: OutcomeType, detail: Readonly<Record<string, unknown>>): Channel => {
  const byType = OF_TYPE[type];
  if (byType === 'tests') return byType;
  const kind = detail['kind'];
  return (typeof kind === 'string' && Object.hasOwn(OF_KIND, kind) ? OF_KIND[kind] : undefined) ?? byType ?? 'other';
};
