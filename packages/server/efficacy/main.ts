/**
 * `npm run efficacy`: how often the claims detector stops honest agents, how soon it finds others, and what the product
 * shows of both, by simulation with the product's own rules. Prints a table; `--json FILE` keeps the figures.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { CLAIMS_LIMITS } from '@breakwater/contract';
import type { Figure, Row } from './figure.ts';
import { rowsNamed } from './rows/index.ts';
import { tableOf } from './table.ts';
import type { Done, Task } from './worker.ts';

const HELP = `Simulates agents, and tells what the claims detector and the calibration report make of them.

  npm run efficacy -- [--seed 1] [--only NAME] [--scale 1] [--threads 2] [--json FILE] [--list]

--seed N     where chance begins; equal seeds give equal figures
--only NAME  only rows whose name begins with NAME, as alarms, delay/selective, late, outage, silence, gaming, status
--scale N    how much is simulated, 1 for all; less is faster and less sure
--threads N  how many rows run at the same time
--json FILE  also writes the figures to FILE
--list       lists the names of the rows and does nothing

The intervals are 95 %: Wilson for shares, Byar for rates of alarms, normal for means. The study is an earlier simulation by
other programs of the same agents. Exit code 0 when every aim is met; 1 when one is missed; 2 for a wrong argument.`;

const MOST_THREADS = 16;

const positive = (name: string, text: string, most: number): number => {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0 && number <= most) return number;
  console.error(`--${name} takes a number above 0, ${most} at most.`);
  process.exit(2);
};

/** Runs the rows on worker threads, those that are first in the list first. */
const runAll = async (rows: readonly Row[], seed: number, scale: number, threads: number): Promise<Figure[]> => {
  const waiting = [...rows];
  const done = new Map<string, readonly Figure[]>();
  const said = (line: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}`);
  };
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('worker.ts', import.meta.url));
      const next = (): void => {
        const row = waiting.shift();
        if (row === undefined) {
          void worker.terminate().then(() => {
            resolve();
          }, reject);
          return;
        }
        const task: Task = { name: row.name, seed, scale };
        worker.postMessage(task);
      };
      worker.on('message', ({ name, figures }: Done) => {
        done.set(name, figures);
        said(`${done.size} of ${rows.length}: ${name}`);
        next();
      });
      worker.on('error', reject);
      next();
    });
  await Promise.all(Array.from({ length: Math.min(threads, rows.length) }, work));
  said('');
  return rows.flatMap(({ name }) => done.get(name) ?? []);
};

const main = async (): Promise<number> => {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: '1' },
      only: { type: 'string', default: '' },
      scale: { type: 'string', default: '1' },
      threads: { type: 'string', default: '2' },
      json: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const rows = rowsNamed(values.only);
  if (rows.length === 0) {
    console.error(`No row's name begins with "${values.only}"; --list tells them.`);
    return 2;
  }
  if (values.list) {
    for (const { name, about } of rows) console.log(`${name.padEnd(28)} ${about}`);
    return 0;
  }
  const seed = positive('seed', values.seed, 2 ** 31);
  const scale = positive('scale', values.scale, 100);
  const threads = Math.ceil(positive('threads', values.threads, MOST_THREADS));
  const started = performance.now();
  const figures = await runAll(rows, seed, scale, threads);
  const seconds = Math.round((performance.now() - started) / 1000);
  const missed = figures.filter(({ met }) => met === false);
  console.log(tableOf(figures));
  console.log(
    `\nSeed ${seed}, scale ${scale}, ${seconds} s; pause at ${CLAIMS_LIMITS.pause}, guide at ${CLAIMS_LIMITS.guide}. ` +
      (missed.length === 0 ? 'Every aim is met.' : `Missed: ${missed.map(({ id }) => id).join(', ')}.`),
  );
  if (values.json !== undefined) {
    // Infinity, which JSON has not, is the bound of a rate without an alarm.
    const kept = figures.map((one) => ({ ...one, high: Number.isFinite(one.high) ? one.high : null }));
    writeFileSync(values.json, `${JSON.stringify({ seed, scale, limits: CLAIMS_LIMITS, figures: kept }, null, 2)}\n`);
  }
  return missed.length === 0 ? 0 : 1;
};

process.exitCode = await main();
