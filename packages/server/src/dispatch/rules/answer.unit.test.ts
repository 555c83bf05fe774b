import { ok, type ToolSpec } from '@breakwater/contract';
import { flags } from '@breakwater/contract/tools';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineActions, type Tool } from '../../runtime/index.ts';
import { dispatcherOf, specOf } from '../testing/dispatch.ts';
import { answerProblem } from './answer.ts';

const spec: ToolSpec = {
  ...specOf({ name: 'watch' }),
  output: z.object({ id: z.string(), seen: z.array(z.object({ at: z.iso.datetime() })), note: z.string().optional() }),
};
const good = { id: 'a', seen: [{ at: '2026-01-01T00:00:00.000Z' }] };

describe('an answer, held against the contract', () => {
  it.each([
    ['fits', good, undefined],
    ['fits, where undefined is what JSON leaves out', { ...good, note: undefined }, undefined],
    ['lacks a field', { seen: [] }, 'id: '],
    ['has a field of another type', { ...good, seen: [{ at: 5 }] }, 'seen.0.at: '],
    ['has a field that the contract does not name', { ...good, more: 1 }, 'not in the contract: more'],
    ['has one deep inside', { ...good, seen: [{ ...good.seen[0], by: 'x' }] }, 'not in the contract: seen.0.by'],
  ])('%s', (_, answer, problem) => {
    if (problem === undefined) expect(answerProblem(spec, {}, answer)).toBeUndefined();
    else expect(answerProblem(spec, {}, answer)).toContain(problem);
  });

  it('is looked up by the action, the default one included', () => {
    expect(answerProblem(flags, {}, { flags: [] })).toBeUndefined();
    expect(answerProblem(flags, { action: 'history' }, { changes: [] })).toBeUndefined();
    expect(answerProblem(flags, { action: 'history' }, { flags: [] })).toContain('changes: ');
  });

  it('is an incident where it does not fit and the server checks, and goes out as it is where it does not', async () => {
    const tool: Tool = { spec, handle: async () => ok({ id: 1 }) };
    const strict = dispatcherOf([tool], [], { checksAnswers: true });
    expect((await strict.call('watch')).body).toMatchObject({ error_code: 'INTERNAL_ERROR' });
    expect(strict.incidents).toMatchObject([{ tool: 'watch' }]);
    expect((await dispatcherOf([tool]).call('watch')).body).toMatchObject({ success: true, id: 1 });
  });
});

describe('what an action needs', () => {
  const ran: string[] = [];
  const action = (name: string) => async () => {
    ran.push(name);
    return ok({});
  };
  const nothing = z.object({});
  const tool = defineActions(
    {
      ...specOf({ name: 'lamp', input: z.looseObject({ action: z.string().optional(), room: z.string().nullish() }) }),
      defaultAction: 'look',
      actions: {
        look: { output: nothing },
        light: { needs: ['room'], output: nothing },
        break: { by: 'acting operator', needs: ['room'], output: nothing },
      },
    },
    { look: action('look'), light: action('light'), break: action('break') },
  );
  const { call } = dispatcherOf([tool]);

  it.each([
    ['runs when it is there', { action: 'light', room: 'hall' }, undefined],
    ['runs without a name, when it is the default', {}, undefined],
    ['is refused by its name, when it is absent', { action: 'light' }, 'MISSING_PARAMETER'],
    ['is refused by its name, when it is null', { action: 'light', room: null }, 'MISSING_PARAMETER'],
    ['is refused by its name, when it is empty', { action: 'light', room: '' }, 'MISSING_PARAMETER'],
    ['is an operator before anything else', { action: 'break' }, 'OPERATOR_REQUIRED'],
  ])('%s', async (_, args, code) => {
    ran.length = 0;
    const { body } = await call('lamp', args);
    expect(body['error_code']).toBe(code);
    expect(body['parameter']).toBe(code === 'MISSING_PARAMETER' ? 'room' : undefined);
    expect(ran.length).toBe(code === undefined ? 1 : 0);
  });

  it.each([[{}], [{ action: null }]])('is an action by name, where the tool has no default: %j', async (args) => {
    const lamp = defineActions(
      {
        ...specOf({ name: 'lamp', input: z.looseObject({ action: z.string().nullish() }) }),
        actions: { look: { output: nothing }, light: { output: nothing } },
      },
      { look: action('look'), light: action('light') },
    );
    ran.length = 0;
    const { body } = await dispatcherOf([lamp]).call('lamp', args);
    expect(body).toMatchObject({ error_code: 'PARAMETER_ERROR', parameter: 'action' });
    expect(body['error']).toContain('look, light');
    expect(ran).toEqual([]);
  });
});
