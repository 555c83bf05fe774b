/**
 * `npm run nodes`: two and three servers over one PostgreSQL, through crashes, freezes, failing networks, a standby behind the
 * address and a failover; then the record is held against what callers were told. Exits 1 on any finding.
 */
import { writeFileSync } from 'node:fs';
import { programOptions } from '../testing/program.ts';
import { FAULTS, type Fault } from './plan.ts';
import { runSeed, type RunResult } from './run.ts';

const usage = `Usage: npm run nodes -- [--seeds N] [--seed S] [--nodes 2|3] [--seconds T] [--faults A,B] [--json FILE] [--verbose]

Starts servers over one PostgreSQL with a standby, each behind a network of its own, lets clients work on all of them, and
does what the seed says: ${FAULTS.join(', ')}.
Then it checks that
  - the check-ins of each agent are one order that agrees with time: none acknowledged is lost, none doubled, none stored
    that was refused;
  - pause, resume, revocation, flags and operators' ends hold at the next call on another node, and readings follow in 2 s;
  - /health/ready is not 200 while nothing can commit, nor all along while writes are not served;
  - servers stop in time, no ordinary commit is told as a divergence, and every node serves again when all is well.

  --seeds    how many seeds, one after the other (default 1)
  --seed     the first of them; printed, so that a run can be repeated (default: from the time)
  --nodes    servers (default: 2 and 3 in turn)
  --seconds  how long the faults of a seed go on (default 60)
  --faults   only these, separated by commas (default: all)
  --json     also write the results to this file
  --verbose  tell of each fault as it begins`;

const { values, whole, wrong } = programOptions(usage, {
  seeds: { type: 'string', default: '1' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  nodes: { type: 'string' },
  seconds: { type: 'string', default: '60' },
  faults: { type: 'string', default: FAULTS.join(',') },
  json: { type: 'string' },
  verbose: { type: 'boolean', default: false },
});

const isFault = (text: string): text is Fault => FAULTS.some((fault) => fault === text);

const HEAD = [
  'seed',
  'nodes',
  'faults',
  'sent',
  'acked',
  'open',
  'of them kept',
  'acts',
  'shown',
  'news',
  'ready',
  'stop',
  'record',
];
const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => String(cell).padStart(Math.max(8, (HEAD[i]?.length ?? 0) + 2))).join('');
const row = (result: RunResult): string =>
  line([
    result.seed,
    result.nodes,
    result.faults,
    result.sent,
    result.acknowledged,
    result.unknown,
    result.unknownStored,
    result.acts,
    result.shown,
    `${result.slowestNewsMs} ms`,
    `${result.latestReadyMs} ms`,
    `${result.slowestStopMs} ms`,
    result.findings.length === 0 ? 'holds' : `${result.findings.length} BROKEN`,
  ]);

const main = async (): Promise<void> => {
  const [first, count] = [whole('seed', values.seed), whole('seeds', values.seeds, 1)];
  const seconds = whole('seconds', values.seconds, 1);
  const faults = values.faults.split(',').map((text) => text.trim());
  const unknown = faults.find((fault) => !isFault(fault));
  if (unknown !== undefined) wrong(`--faults: there is no fault "${unknown}"`);
  const wanted = values.nodes === undefined ? undefined : whole('nodes', values.nodes, 2, 3);
  console.log(line(HEAD));
  const results: RunResult[] = [];
  for (let seed = first; seed < first + count; seed += 1) {
    const result = await runSeed({
      seed,
      nodes: wanted ?? 2 + (seed % 2),
      seconds,
      faults: faults.filter(isFault),
      agents: 4,
      writers: 8,
      ...(values.verbose && { tell: (text: string) => console.log(`    ${text}`) }),
    });
    results.push(result);
    console.log(row(result));
    for (const finding of result.findings.slice(0, 20)) console.log(`    ${finding}`);
  }
  const broken = results.filter(({ findings }) => findings.length > 0).length;
  console.log(`\n${results.length} seeds, ${broken} with findings`);
  console.log(`news: the longest until another node's reading followed; ready: the latest 200 after an outage began`);
  const nodes = wanted === undefined ? '' : ` --nodes ${wanted}`;
  console.log(
    `Repeat with: npm run nodes -- --seed ${first} --seeds ${count}${nodes} --seconds ${seconds} --faults ${values.faults}`,
  );
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ seconds, results }, null, 2)}\n`);
  if (broken > 0) process.exitCode = 1;
};

await main();
