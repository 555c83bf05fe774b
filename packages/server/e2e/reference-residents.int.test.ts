import { describe, expect, it } from 'vitest';
import { overRest, ReferenceClient } from '../testing/reference-client.ts';
import { serveWorld } from '../testing/serving.ts';
import { testWorld } from '../testing/world.ts';
import { ensurePartitions } from '../src/postgres/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

describe("the reference's residents over days", async () => {
  const w = await testWorld({ loops: true, residents: ['Vigil'] });
  const served = await serveWorld(w);

  it('a resident with a constant text each minute lives through three days, silences and restarts included', async () => {
    // Named by nobody, so that nothing but its beat and its token speaks for it.
    let resident = new ReferenceClient(overRest(served.url));
    await resident.onboard('ReadmeResident', { force_new: true });
    const { agentUuid } = resident.anchor!;
    let cycles = 0;
    const work = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        // A fresh connection for each cycle, with nothing but the anchor of the last one.
        resident = new ReferenceClient(overRest(served.url), resident.anchor);
        await resident.resume('ReadmeResident');
        expect(await resident.checkIn('scanned 12 items')).toBe('proceed');
        cycles += 1;
        w.clock.advance(MINUTE + (i % 7) * 500);
      }
    };
    const away = async (ms: number): Promise<void> => {
      w.clock.advance(ms);
      await ensurePartitions(w.database, w.clock.now());
    };
    await work(25);
    await away(26 * HOUR);
    await work(25);
    await served.restart();
    await work(10);
    await away(2 * HOUR);
    await work(15);
    await away(40 * HOUR);
    await served.restart();
    await work(15);
    expect(resident.anchor?.agentUuid).toBe(agentUuid);
    expect(await w.count('core.agents WHERE label = $1', 'ReadmeResident')).toBe(1);
    const states = `core.agent_state s JOIN core.identities i USING (identity_id) WHERE i.agent_id = $1`;
    expect(await w.count(states, agentUuid)).toBe(cycles);
  });

  it('a resident of the roster may say the same at any interval', async () => {
    const vigil = new ReferenceClient(overRest(served.url));
    await vigil.onboard('Vigil', { force_new: true });
    for (const seconds of [1, 7, 2, 33, 5, 4, 61, 3]) {
      w.clock.advance(seconds * 1000);
      expect(await vigil.checkIn('heartbeat')).toBe('proceed');
    }
    const tags = (await vigil.bound('agent', { action: 'get', target_agent_id: vigil.anchor!.agentUuid }))['tags'];
    expect(tags).toEqual(expect.arrayContaining(['persistent', 'autonomous']));
    await served.close();
  });
});
