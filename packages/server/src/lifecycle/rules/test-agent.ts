import type { AgentHead } from '../../agents/index.ts';

/** Whether an agent is there for a test or a demonstration: it is tagged so, or its label begins with `test_` or `demo_`. */
export const isTestAgent = ({ tags, label }: Pick<AgentHead, 'tags' | 'label'>): boolean =>
  tags.includes('test') || tags.includes('demo') || /^(?:test|demo)_/i.test(label ?? '');
