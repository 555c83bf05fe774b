import { expect, test } from 'vitest';
import { StartupError } from '../startup-error.ts';
import { EmbeddedKeeper, restartDelay, type KeeperNews } from './keeper.ts';

/** A clock whose waits are over at once and take the time that they say. */
const instantClock = () => {
  let time = 1_000_000;
  return {
    monotonic: () => time,
    after: (ms: number, fn: () => void) => {
      time += ms;
      fn();
      return { cancel: () => undefined };
    },
    pass: (ms: number) => (time += ms),
  };
};

test('restarts wait longer each time, and end after five within ten minutes', () => {
  const ends: number[] = [];
  const delays: (number | undefined)[] = [];
  for (let i = 0; i < 6; i += 1) {
    ends.push(i * 1000);
    delays.push(restartDelay(ends, i * 1000));
  }
  expect(delays).toEqual([0, 1000, 2000, 4000, 8000, undefined]);
  expect(restartDelay(ends, 5000 + 600_000), 'old ends are forgotten').toBe(0);
});

test('a PostgreSQL that ends is started again, and one that cannot be started is given up with its reason', async () => {
  const clock = instantClock();
  const news: KeeperNews[] = [];
  const errors: StartupError[] = [];
  let running = false;
  let starts = 0;
  let broken = false;
  const keeper = new EmbeddedKeeper({
    server: {
      dataDir: '/data',
      isRunning: () => running,
      revive: async () => {
        starts += 1;
        if (broken) throw new StartupError('PostgreSQL did not start: out of memory.', 'Free some.');
        running = true;
      },
    },
    clock,
    onNews: (one) => news.push(one),
    onGiveUp: (error) => errors.push(error),
  });
  await keeper.look();
  expect(news).toEqual([
    { what: 'ended', restart: 1, delayMs: 0 },
    { what: 'restarted', restart: 1 },
  ]);
  await keeper.look();
  expect(starts, 'one that runs is let be').toBe(1);

  clock.pass(600_000);
  running = false;
  broken = true;
  await keeper.look();
  await keeper.look();
  expect(starts, 'five attempts, and none after that').toBe(6);
  expect(errors).toHaveLength(1);
  expect(errors[0]?.message).toMatch(/given up: PostgreSQL did not start: out of memory/);
  expect(errors[0]?.wayOut).toContain('/data');
});
