import { WORKFLOW } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { placeOf, TAUGHT } from './endpoints.ts';

it('names tools as agents are taught to, and keeps what was recorded', () => {
  expect(Object.fromEntries(Object.entries(TAUGHT).map(([wire, taught]) => [taught, wire]))).toEqual(WORKFLOW);
  expect(placeOf({ endpoint: '/v1/tools/call', tool: 'process_agent_update' })).toEqual({
    shown: 'sync_state',
    wire: '/v1/tools/call process_agent_update',
  });
  expect(placeOf({ endpoint: '/v1/tools/call', tool: 'knowledge' }).shown).toBe('knowledge');
  expect(placeOf({ endpoint: '/mcp', tool: null })).toEqual({ shown: '/mcp', wire: '/mcp' });
});
