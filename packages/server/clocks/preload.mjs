/**
 * Loaded by every Node process of `npm run test:clocks`: hands the moved clock on to children that are started with an
 * environment of their own, as PostgreSQL is, and keeps it from Chromium, which does not start with it.
 */
import { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import process from 'node:process';

const NAMES = ['LD_PRELOAD', 'CLOCK_OFFSET_SECONDS'];
const nameOf = (pair) => pair.slice(0, pair.indexOf('='));

const start = ChildProcess.prototype.spawn;
ChildProcess.prototype.spawn = function (options) {
  const others = (options.envPairs ?? []).filter((pair) => !NAMES.includes(nameOf(pair)));
  const moved = /chrom/.test(basename(options.file)) ? [] : NAMES.map((name) => `${name}=${process.env[name]}`);
  return start.call(this, { ...options, envPairs: [...others, ...moved] });
};
