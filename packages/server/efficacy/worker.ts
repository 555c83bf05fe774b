/** Runs rows by name, one at a time, for `main.ts`. */
import { parentPort } from 'node:worker_threads';
import type { Figure } from './figure.ts';
import { ROWS } from './rows/index.ts';
import { runRow } from './run.ts';

/** A row to run. */
export interface Task {
  readonly name: string;
  readonly seed: number;
  readonly scale: number;
}

/** Its figures, and how long they took. */
export interface Done {
  readonly name: string;
  readonly figures: readonly Figure[];
  readonly ms: number;
}

parentPort?.on('message', ({ name, seed, scale }: Task) => {
  const row = ROWS.find((one) => one.name === name);
  if (row === undefined) throw new Error(`no row is named ${name}`);
  const started = performance.now();
  const done: Done = { name, figures: runRow(row, seed, scale), ms: performance.now() - started };
  parentPort?.postMessage(done);
});
