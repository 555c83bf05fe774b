import { expect, it } from 'vitest';
import { ok } from '@breakwater/contract';
import { verifies } from '../../testing/verifies.ts';
import { countCrossings, crossed } from './crossings.ts';
import { Mailboxes } from './mailbox.ts';
import { systemClock } from './clock.ts';

it('counts for the request that crosses, whatever else runs meanwhile', async () => {
  verifies('W3-6.10');
  const tallies = [1, 2, 3].map((times) => ({ times, crossings: 0 }));
  await Promise.all(
    tallies.map((tally) =>
      countCrossings(tally, async () => {
        for (let i = 0; i < tally.times; i += 1) {
          await Promise.resolve();
          crossed();
        }
      }),
    ),
  );
  expect(tallies.map(({ crossings }) => crossings)).toEqual([1, 2, 3]);
  // Nobody's request: nobody's crossing.
  crossed();
});

it('counts in a mailbox for the request that sent the message, not for the one that woke the mailbox', async () => {
  verifies('W3-6.10');
  const mailboxes = new Mailboxes<null>({
    load: async () => null,
    capacity: 10,
    idleMs: 60_000,
    clock: systemClock,
    onCrash: () => undefined,
  });
  const send = (crossings: number) =>
    mailboxes.send('k', Infinity, async () => {
      for (let i = 0; i < crossings; i += 1) {
        await Promise.resolve();
        crossed();
      }
      return { reply: crossings };
    });
  const first = { crossings: 0 };
  const second = { crossings: 0 };
  const answers = await Promise.all([
    countCrossings(first, () => send(1)),
    countCrossings(second, () => send(3)),
    send(5),
  ]);
  expect(answers).toEqual([ok(1), ok(3), ok(5)]);
  expect([first.crossings, second.crossings]).toEqual([1, 3]);
  await mailboxes.stop();
});
