import { describe, expect, it } from 'vitest';
import { onboard, operator } from '../../../testing/calls.ts';
import { testWorld } from '../../../testing/world.ts';

describe('the roster of residents', async () => {
  const w = await testWorld({ residents: ['Vigil', 'Chronicler'] });
  const tagsOf = async (uuid: string) =>
    (await w.rows('SELECT tags FROM core.agents WHERE id = $1', uuid))[0]?.['tags'] as string[];
  const RESIDENT = ['persistent', 'autonomous'];

  it('tags the first living agent of a kept name, and no other one, also of two at once', async () => {
    const names = ['Vigil', 'Vigil', 'Vigil', 'vigil', 'Somebody'];
    const born = await Promise.all(names.map((name) => onboard(w.call, { name, force_new: true })));
    const tags = await Promise.all(born.map(({ uuid }) => tagsOf(uuid)));
    expect(tags.filter((of) => of.includes('persistent'))).toEqual([RESIDENT]);
    expect(tags.slice(3)).toEqual([['ephemeral'], ['ephemeral']]);
    expect(tags.slice(0, 3).filter((of) => of.includes('ephemeral'))).toHaveLength(2);
  });

  it('tags the next one when the resident has ended, and none while it is away or paused', async () => {
    const first = await onboard(w.call, { name: 'Chronicler' });
    expect(await tagsOf(first.uuid)).toEqual(RESIDENT);
    const secret = await operator(w.node, w.database, 'operator:act', 'keeper');
    const act = (action: string) =>
      w.call('agent', { action, target_agent_id: first.uuid, reason: 'x', force: true }, { operatorSecret: secret });
    expect((await act('pause')).ok).toBe(true);
    await w.restart();
    expect(await tagsOf((await onboard(w.call, { name: 'Chronicler', force_new: true })).uuid)).toEqual(['ephemeral']);
    expect((await act('archive')).ok).toBe(true);
    const next = await onboard(w.call, { name: 'Chronicler', force_new: true });
    expect(await tagsOf(next.uuid)).toEqual(RESIDENT);
    expect(await tagsOf((await onboard(w.call, { name: 'Chronicler', force_new: true })).uuid)).toEqual(['ephemeral']);
    // Else it could make residents without end, one rename each.
    const renamed = await w.call('identity', { client_session_id: next.secret, name: 'Other' });
    expect(renamed.code).toBe('FORBIDDEN');
    const rows = await w.trail(next.uuid);
    const itself = await w.call('identity', { client_session_id: next.secret, name: 'Chronicler' });
    expect(itself.body).toMatchObject({ uuid: next.uuid, display_name: `Chronicler_${next.uuid.slice(0, 8)}` });
    expect(await w.trail(next.uuid)).toEqual(rows);
  });

  it('gives nobody the tags by a name that is taken later', async () => {
    const { uuid, secret } = await onboard(w.call);
    await w.call('identity', { client_session_id: secret, name: 'Vigil' });
    expect(await tagsOf(uuid)).toEqual(['ephemeral']);
    const own = { client_session_id: secret, action: 'update', tags: RESIDENT };
    expect((await w.call('agent', own)).code).toBe('FORBIDDEN');
  });
});
