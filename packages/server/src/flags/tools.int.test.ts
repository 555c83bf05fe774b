import { describe, expect, it } from 'vitest';
import { onboard, operator } from '../../testing/calls.ts';
import { verifies } from '../../testing/verifies.ts';
import { testWorld } from '../../testing/world.ts';

describe('the flags tool', async () => {
  const w = await testWorld();
  const ann = { operatorSecret: await operator(w.node, w.database, 'operator:act', 'ann') };
  const eve = { operatorSecret: await operator(w.node, w.database, 'operator:read', 'eve') };
  const set = { action: 'set', key: 'identity_strict_mode', value: 'enforce', reason: 'a drill' };

  it('shows an operator each flag with its origin, and sets one with who and why', async () => {
    verifies('BW-flags.01', 'W3-10.10');
    const before = await w.call('flags', {}, eve);
    expect(before.body['flags']).toContainEqual(
      expect.objectContaining({ key: 'identity_strict_mode', value: 'observe', default: 'observe' }),
    );
    expect((await w.call('flags', set, ann)).body).toMatchObject({
      stored: 'enforce',
      in_force: { value: 'enforce', origin: 'postgres' },
    });
    expect((await w.call('flags', { action: 'get', key: 'identity_strict_mode' }, eve)).body).toMatchObject({
      flag: { value: 'enforce', stored: { by: 'ann', reason: 'a drill' } },
    });
    const back = { ...set, value: 'false', reason: 'over' };
    expect((await w.call('flags', back, ann)).body).toMatchObject({ stored: 'observe' });
    const history = await w.call('flags', { action: 'history', key: 'identity_strict_mode', limit: 2 }, eve);
    expect(history.body['changes']).toMatchObject([
      { from: 'enforce', to: 'observe', by: 'ann', reason: 'over' },
      { to: 'enforce', by: 'ann', reason: 'a drill' },
    ]);
  });

  it('refuses whoever may not, and what is not legal, naming it', async () => {
    verifies('BW-flags.01');
    const agent = await onboard(w.call, { force_new: true });
    expect((await w.call('flags', { ...set, client_session_id: agent.secret })).code).toBe('OPERATOR_REQUIRED');
    expect((await w.call('flags', set, eve)).code).toBe('OPERATOR_REQUIRED');
    expect((await w.call('flags', { ...set, reason: ' ' }, ann)).body).toMatchObject({ parameter: 'reason' });
    const illegal = await w.call('flags', { ...set, value: 'on' }, ann);
    expect(illegal.body).toMatchObject({ error_code: 'PARAMETER_ERROR', legal: ['off', 'observe', 'enforce'] });
    const unknown = await w.call('flags', { action: 'get', key: 'strict' }, ann);
    expect(unknown.body).toMatchObject({ error_code: 'PARAMETER_ERROR', field: 'key' });
    expect((await w.call('flags', { action: 'get', key: 'identity_strict_mode' }, ann)).body).toMatchObject({
      flag: { value: 'observe' },
    });
  });
});
