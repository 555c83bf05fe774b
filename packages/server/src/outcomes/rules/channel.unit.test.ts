import { describe, expect, it } from 'vitest';
import { channelOf } from './channel.ts';

describe('the channel of an outcome', () => {
  it.each([
    ['test_passed', {}, 'tests'],
    ['test_failed', { kind: 'lint' }, 'tests'],
    ['task_completed', { kind: 'test' }, 'tests'],
    ['task_completed', {}, 'tasks'],
    ['task_failed', { command: 'make', exit_code: 2 }, 'tasks'],
    ['task_failed', { kind: 'build' }, 'commands'],
    ['task_completed', { kind: 'command' }, 'commands'],
    ['task_completed', { kind: 'file_op' }, 'files'],
    ['task_completed', { kind: 'lint' }, 'lint'],
    ['task_completed', { kind: 'tool_call' }, 'tool_observations'],
    ['tool_rejected', {}, 'tool_observations'],
    ['task_completed', { kind: 'constructor' }, 'tasks'],
    ['task_completed', { kind: ['test'] }, 'tasks'],
    ['drawing_completed', {}, 'other'],
    ['watcher_finding_confirmed', { kind: 'lint' }, 'lint'],
    ['dialectic_resolved', {}, 'other'],
  ] as const)('%s with %j: %s', (type, detail, channel) => {
    expect(channelOf(type, detail)).toBe(channel);
  });
});
