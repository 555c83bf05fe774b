import { expect, test } from 'vitest';
import { onboard } from '../../testing/calls.ts';
import { testWorld } from '../../testing/world.ts';

test('reviews that one agent asks for in the same millisecond are one review, and the others are told of it', async () => {
  const w = await testWorld();
  for (let round = 0; round < 12; round += 1) {
    const { secret } = await onboard(w.call, { force_new: true });
    const ask = () => w.call('dialectic', { action: 'request', reason: 'Unsure', client_session_id: secret });
    const answers = await Promise.all(Array.from({ length: 6 }, ask));
    const codes = answers.map(({ ok, code }) => (ok ? 'opened' : code));
    expect(codes.toSorted()).toEqual([...Array.from({ length: 5 }, () => 'SESSION_EXISTS'), 'opened']);
    w.clock.advance(60_000);
  }
  expect(w.node.crashes).toEqual([]);
});
