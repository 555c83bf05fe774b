/**
 * `npm run crash`: kills a server with SIGKILL at every fault point while many clients work, lets a second server take
 * over, and holds the record against what the clients were told (BW-checkin.02). Exits 1 on any violation.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FAULT_POINTS } from '../src/runtime/index.ts';
import { removeDataDir, temporaryDataDir } from '../testing/server.ts';
import { planRounds } from './plan.ts';
import { runRound, type RoundResult } from './round.ts';

const usage = `Usage: npm run crash -- [--seed N] [--rounds N] [--clients N] [--point NAME] [--json FILE]

Kills a server at every fault point under load, starts another one on its data, and checks that no acknowledged call is
lost, none is recorded twice, and every record is whole.

  --seed     decides passes and schedules; printed, so that a run can be repeated (default: from the time)
  --rounds   crashes per fault point (default 4)
  --clients  clients at work at once (default 32)
  --point    only this fault point, one of:
             ${FAULT_POINTS.join(', ')}
  --json     also write the results to this file`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rounds: { type: 'string', default: '4' },
    clients: { type: 'string', default: '32' },
    point: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const natural = (name: 'seed' | 'rounds' | 'clients', min: number): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value >= min) return value;
  console.error(`--${name} must be a whole number from ${min}; given "${values[name]}"\n\n${usage}`);
  process.exit(1);
};

const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(20) : String(cell).padStart(13))).join('');

const row = (result: RoundResult): string =>
  line([
    result.point,
    `pass ${result.pass}`,
    result.sent,
    result.acknowledged,
    result.unacknowledgedFound,
    result.repeated,
    `${Math.round(result.stopMs)} ms`,
    result.violations.length === 0 ? 'hold' : `${result.violations.length} BROKEN`,
  ]);

const main = async (): Promise<void> => {
  const seed = natural('seed', 0);
  const rounds = natural('rounds', 1);
  const clients = natural('clients', 1);
  const points = FAULT_POINTS.filter((point) => values.point === undefined || point === values.point);
  if (points.length === 0) {
    console.error(`--point: there is no fault point "${values.point ?? ''}"\n\n${usage}`);
    process.exit(1);
  }
  const started = performance.now();
  console.log(`Seed ${seed}: ${points.length} fault points, ${rounds} crashes each, ${clients} clients\n`);
  console.log(
    line(['fault point', 'killed after', 'sent', 'acknowledged', 'found more', 'repeated', 'stop', 'record']),
  );
  const results: RoundResult[] = [];
  const dataDir = temporaryDataDir();
  try {
    for (const plan of planRounds({ points, rounds, clients, seed })) {
      const result = await runRound(plan, dataDir);
      results.push(result);
      console.log(row(result));
      for (const violation of result.violations.slice(0, 10)) console.log(`    ${violation}`);
    }
  } finally {
    await removeDataDir(dataDir);
  }
  const broken = results.filter(({ violations }) => violations.length > 0).length;
  const seconds = Math.round((performance.now() - started) / 1000);
  const acknowledged = results.reduce((sum, result) => sum + result.acknowledged, 0);
  console.log(
    `\n${results.length} crashes, ${acknowledged} acknowledged calls, ${broken} with violations, ${seconds} s`,
  );
  console.log(`Repeat with: npm run crash -- --seed ${seed} --rounds ${rounds} --clients ${clients}`);
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ seed, rounds, clients, seconds, results }, null, 2)}\n`);
  }
  if (broken > 0) process.exitCode = 1;
};

if (values.help) console.log(usage);
else await main();
