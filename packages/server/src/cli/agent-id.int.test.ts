import { expect, it } from 'vitest';
import { testDatabase } from '../../testing/database.ts';
import { agentIdOf } from './agent-id.ts';

const TOM = '0c4f6a0e-8a55-4a5e-9d0a-0d3b1d6f7c21';
const TIM = '0c4f6a0e-8a55-4a5e-9d0a-ffffffffffff';

it('an agent is meant by its id, its name, or the beginning of its id; one of two is asked for', async () => {
  const { database } = await testDatabase();
  const add = (id: string, label: string) =>
    database.query({ text: 'INSERT INTO core.agents (id, label) VALUES ($1, $2)', values: [id, label] });
  await add(TOM, 'Tom');
  for (const text of [TOM, 'Tom', '0c4f6a0e', '0C4F6A0E-8a55']) expect(await agentIdOf(database, text), text).toBe(TOM);
  expect(await agentIdOf(database, '0c4f6a0'), 'too short to mean one').toBe('0c4f6a0');
  await add(TIM, 'Tim');
  await expect(agentIdOf(database, '0c4f6a0e')).rejects.toThrow('The ids of several agents begin with 0c4f6a0e.');
  expect(await agentIdOf(database, '0c4f6a0e-8a55-4a5e-9d0a-f')).toBe(TIM);
});
