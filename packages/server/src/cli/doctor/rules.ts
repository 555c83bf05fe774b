import { driftSql } from './drift-sql.ts';
import type { DatabaseFacts, Facts, Problem, ServerFacts } from './facts.ts';
import { DAY_MS } from '../../runtime/index.ts';

/** The looks that the doctor takes, in their order; scripts may rely on the names. */
export const CHECKS = [
  'node',
  'configuration',
  'data_directory',
  'disk',
  'database',
  'postgresql',
  'clock',
  'migrations',
  'drift',
  'partitions',
  'retention',
  'sagas',
  'outbox',
  'channel',
  'server',
  'readiness',
  'console',
] as const;

type State = 'ok' | 'warning' | 'failure' | 'unknown';

/** What one look found. */
export interface Finding {
  readonly check: (typeof CHECKS)[number];
  /** unknown: it could not be looked at; `what` says why. */
  readonly state: State;
  readonly what: string;
  readonly evidence: readonly string[];
  /** What to do, and the commands that do it; null when nothing need be done. */
  readonly mend: { readonly what: string; readonly commands: readonly string[] } | null;
}

type Found = Omit<Finding, 'check'>;
type Rule = (facts: Facts) => Found;

const GB = 2 ** 30;
const MB = 2 ** 20;
const NODE = 24;
const POSTGRESQL = 15;
const LOW_DISK = { share: 0.1, bytes: GB } as const;
const FULL_DISK = { share: 0.02, bytes: 200 * MB } as const;
const SKEW_MS = 2_000;
const BAD_SKEW_MS = 30_000;
/** A server that starts, or that lost PostgreSQL for a moment, is ready again within this. */
const STALE_MS = 10_000;
const OUTBOX_MS = 60_000;
/** Within so many days of the month's end, its successor is no longer a matter for tomorrow. */
const LAST_DAYS = 7;
const MOST_LINES = 20;

const ok = (what: string, evidence: readonly string[] = []): Found => ({ state: 'ok', what, evidence, mend: null });
const unknown = (what: string): Found => ({ state: 'unknown', what, evidence: [], mend: null });
const wrong = (
  state: 'warning' | 'failure',
  what: string,
  mend: string,
  { evidence = [], commands = [] }: { evidence?: readonly string[]; commands?: readonly string[] } = {},
): Found => ({ state, what, evidence, mend: { what: mend, commands } });

const sizeText = (bytes: number): string =>
  bytes >= GB ? `${(bytes / GB).toFixed(1)} GB` : `${Math.floor(bytes / MB)} MB`;
const secondsText = (ms: number): string =>
  ms < 120_000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms / 60_000)} min`;
const listed = (lines: readonly string[]): string[] =>
  lines.length <= MOST_LINES ? [...lines] : [...lines.slice(0, MOST_LINES), `… and ${lines.length - MOST_LINES} more`];

const isProblem = (value: object): value is Problem => 'wayOut' in value;

const node: Rule = ({ node: version }) => {
  const major = Number(/^v(\d+)/.exec(version)?.[1]);
  return major >= NODE
    ? ok(`Node ${version}`)
    : wrong(
        'failure',
        `Node ${version} is too old: Breakwater needs ${NODE} or newer.`,
        `Install Node ${NODE} or newer.`,
      );
};

const configuration: Rule = ({ configuration: problems }) =>
  problems.length === 0
    ? ok('The configuration can be read.')
    : wrong(
        'failure',
        problems.length === 1 ? 'A setting is wrong.' : `${problems.length} settings are wrong.`,
        'Correct or remove the variables or flags that are named; "breakwater serve --help" shows them all.',
        { evidence: problems, commands: ['breakwater serve --help'] },
      );

const dataDirectory: Rule = ({ dataDir, database }) => {
  if (dataDir === undefined) {
    return database === 'elsewhere'
      ? unknown('It is on the server’s machine.')
      : ok('Not used: the database is your own.');
  }
  const { asked, home, isWritable, owner, user } = dataDir;
  if (home !== undefined && user !== undefined && user !== 0 && owner !== undefined && owner !== user) {
    return wrong(
      'failure',
      `The data in ${home} belong to user ${owner}; this is user ${user}.`,
      `Run Breakwater as user ${owner}, or give this user the data while no server runs.`,
      { commands: [`sudo chown -R ${user} ${home}`] },
    );
  }
  if (!isWritable) {
    return wrong(
      'failure',
      `The data directory ${home ?? asked} cannot be written.`,
      'Make it writable for this user, or choose another with --data-dir or BREAKWATER_DATA_DIR.',
      user === undefined ? {} : { commands: [`sudo chown -R ${user} ${home ?? asked}`] },
    );
  }
  return home === undefined
    ? ok(`${asked} holds no data yet; the first "breakwater serve" makes them.`)
    : ok(`${home} is there and can be written.`);
};

const disk: Rule = ({ disk: found, database, dataDir, place }) => {
  if (found === undefined) {
    return unknown(
      dataDir === undefined
        ? 'PostgreSQL is not ours: watch the disk on its machine.'
        : database === undefined
          ? 'Not looked at.'
          : 'The file system does not tell how full it is.',
    );
  }
  const { path, free, total } = found;
  const share = total > 0 ? free / total : 1;
  const what = `${sizeText(free)} of ${sizeText(total)} (${Math.floor(share * 100)} %) are free on the disk of ${path}.`;
  const state =
    share < FULL_DISK.share || free < FULL_DISK.bytes
      ? 'failure'
      : share < LOW_DISK.share || free < LOW_DISK.bytes
        ? 'warning'
        : 'ok';
  if (state === 'ok') return ok(what);
  return wrong(
    state,
    what,
    'Free space on that disk; drop what retention allows; or stop the server, move the data directory to a larger disk and ' +
      'name it with --data-dir.',
    { commands: [`breakwater retention run${place}`] },
  );
};

/** Why nothing can be said about the inside of a database; undefined when something can. */
const closed = (database: Facts['database']): Found | undefined => {
  if (database === undefined) return unknown('Not looked at: the configuration is wrong.');
  if (database === 'elsewhere') return unknown('Not looked at: the database is on the server’s side.');
  if (database === 'none') return unknown('There is no database yet.');
  return 'unreachable' in database ? unknown('Not looked at: the database cannot be reached.') : undefined;
};

const reachable: Rule = ({ database }) => {
  if (database === 'none') return ok('There is none yet; the first "breakwater serve" makes it.');
  if (database !== undefined && database !== 'elsewhere' && 'unreachable' in database) {
    return wrong('failure', database.unreachable.message, database.unreachable.wayOut);
  }
  return closed(database) ?? ok(`${(database as DatabaseFacts).name} answers.`);
};

/** A rule about what is in the database. */
const inside =
  (rule: (database: DatabaseFacts, facts: Facts) => Found): Rule =>
  (facts) =>
    closed(facts.database) ?? rule(facts.database as DatabaseFacts, facts);

const WAITS = 'Not looked at: the migrations come first.';

const postgresql = inside(({ version }) => {
  const text = `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000}`;
  return version >= POSTGRESQL * 10_000
    ? ok(text)
    : wrong(
        'failure',
        `${text} is too old: Breakwater needs ${POSTGRESQL} or newer.`,
        'Upgrade PostgreSQL, or use another with DATABASE_URL.',
      );
});

const clock = inside(({ skew: { ms, uncertainty } }) => {
  // What the way there and back may hide is not held against anybody.
  const sure = Math.max(0, Math.abs(ms) - uncertainty);
  const what = `The clock of PostgreSQL is ${secondsText(Math.abs(ms))} ${ms < 0 ? 'behind' : 'ahead of'} this machine's (± ${secondsText(uncertainty)}).`;
  if (sure <= SKEW_MS) return ok(`The clocks agree to ${secondsText(Math.abs(ms) + uncertainty)}.`);
  return wrong(
    sure > BAD_SKEW_MS ? 'failure' : 'warning',
    what,
    'Let both machines keep their time by NTP; pauses and secrets end by the clock.',
    { commands: ['sudo timedatectl set-ntp true'] },
  );
});

const migrations = inside(({ migrations: found }, { place }) => {
  if (isProblem(found)) return wrong('failure', found.message, found.wayOut);
  const { current, target, pending } = found;
  if (pending.length === 0) return ok(`The schema is at version ${current}.`);
  return wrong(
    // A database that nobody has started on is not behind.
    current === 0 ? 'warning' : 'failure',
    `The schema is at version ${current}, this release needs ${target}: ${pending.length} ${pending.length === 1 ? 'migration is' : 'migrations are'} pending.`,
    'Apply them; a server of this release does it at its start.',
    { evidence: pending, commands: [`breakwater db migrate${place}`] },
  );
});

const drift = inside(({ drift: found }, { place }) => {
  if (found === undefined) return unknown(WAITS);
  const { lines, missingTables, strayTables } = found;
  if (lines.length === 0) return ok('The schema is as the manifest says.');
  const whole = new Set([...missingTables, ...strayTables]);
  const sql = [
    ...strayTables.map((table) => `DROP TABLE ${table};`),
    ...driftSql(lines.filter((line) => !whole.has(line.split(' ', 2)[1] ?? ''))),
  ];
  const gone =
    missingTables.length === 0
      ? ''
      : ` ${missingTables.join(', ')} ${missingTables.length === 1 ? 'is' : 'are'} gone: restore a backup.`;
  return wrong(
    'failure',
    `The schema differs from the manifest in ${lines.length} ${lines.length === 1 ? 'place' : 'places'}.`,
    'Somebody changed it by hand ("-" is missing, "+" should not be there). Take that back in PostgreSQL, after a backup: ' +
      (sql.length > 0 ? `dropping loses what is in it.${gone}` : `no plain statement does it.${gone}`),
    { evidence: listed(lines), commands: [...sql, `breakwater db drift${place}`] },
  );
});

const partitions = inside(({ tables }, { now, place }) => {
  if (tables === undefined) return unknown(WAITS);
  const thisMonth = tables.filter((one) => !one.thisMonth);
  const nextMonth = tables.filter((one) => !one.nextMonth);
  if (thisMonth.length + nextMonth.length === 0)
    return ok('Every audit table has a partition for this month and the next.');
  const date = new Date(now);
  const monthEnd = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
  const month = (offset: number): string =>
    new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + offset, 1)).toISOString().slice(0, 7);
  const isUrgent = thisMonth.length > 0 || monthEnd - now < LAST_DAYS * DAY_MS;
  return wrong(
    isUrgent ? 'failure' : 'warning',
    thisMonth.length > 0
      ? 'A partition for this month is missing: what belongs into it cannot be written.'
      : 'A partition for the next month is missing.',
    'Make them; servers do it once a day, unless somebody keeps the table in use.',
    {
      evidence: [
        ...thisMonth.map(({ table }) => `audit.${table} has none for ${month(0)}`),
        ...nextMonth.map(({ table }) => `audit.${table} has none for ${month(1)}`),
      ],
      commands: [`breakwater db migrate${place}`],
    },
  );
});

const retention = inside(({ tables }, { place }) => {
  if (tables === undefined) return unknown(WAITS);
  const overdue = tables.flatMap(({ table, overdue: names }) => names.map((name) => `audit.${name} of audit.${table}`));
  return overdue.length === 0
    ? ok('Nothing is kept beyond its time.')
    : wrong(
        'warning',
        `${overdue.length} partitions are kept beyond their time.`,
        'Drop them; servers do it at 02:00 UTC.',
        {
          evidence: listed(overdue),
          commands: [`breakwater retention run${place}`],
        },
      );
});

const sagas = inside(({ deadLetters }, { place }) => {
  if (deadLetters === undefined) return unknown(WAITS);
  return deadLetters === 0
    ? ok('No resolution was given up.')
    : wrong(
        'warning',
        `${deadLetters} ${deadLetters === 1 ? 'resolution was' : 'resolutions were'} given up.`,
        'Look at the error of each, then retry or revert it.',
        { commands: [`breakwater saga list${place}`] },
      );
});

const outbox = inside(({ outbox: found }, { now, place, server }) => {
  if (found === undefined) return unknown(WAITS);
  const { waiting, oldest } = found;
  const age = oldest === null ? 0 : now - oldest;
  if (waiting === 0 || age < OUTBOX_MS) return ok(waiting === 0 ? 'Nothing waits.' : `${waiting} wait, none for long.`);
  const runs = server?.found.kind === 'server';
  return wrong(
    'warning',
    `${waiting} effects of resolutions wait to be carried out, the oldest for ${secondsText(age)}.`,
    runs ? 'The log of the server says what keeps it.' : 'A server carries them out.',
    { commands: runs ? [] : [`breakwater serve${place}`] },
  );
});

const channel = inside(({ dropped }, { place }) => {
  if (dropped === undefined) return unknown(WAITS);
  return dropped === 0
    ? ok('Nothing was dropped in the last day.')
    : wrong(
        'warning',
        `${dropped} failures or measurements of the last day could not be stored.`,
        'PostgreSQL was away or too slow for them; the report shows what was stored, and when.',
        { commands: [`breakwater channel report --since 24h${place}`] },
      );
});

const NOT_HERE = 'Not looked at: the configuration is wrong.';

const portOf = (url: string): number => Number(new URL(url).port) || (url.startsWith('https:') ? 443 : 80);

const server: Rule = ({ server: facts, version, place }) => {
  if (facts === undefined) return unknown(NOT_HERE);
  const { url, isAsked, holder, found } = facts;
  switch (found.kind) {
    case 'nothing':
      return wrong(
        isAsked ? 'failure' : 'warning',
        holder === undefined
          ? `No server answers at ${url} (${found.reason}).`
          : `Process ${holder} is a server on this data directory, but nothing answers at ${url} (${found.reason}).`,
        holder === undefined
          ? 'Start it, or name another with --server.'
          : 'Name where it listens with --server; when it hangs, end it and start it again.',
        { commands: holder === undefined ? [`breakwater serve${place}`] : [] },
      );
    case 'stranger':
      return wrong(
        'failure',
        `What answers at ${url} is not Breakwater (${found.what}).`,
        `Stop the program that has port ${portOf(url)}, or serve on another port.`,
        { commands: [`breakwater serve --port ${portOf(url) + 1}${place}`] },
      );
    case 'server':
      return found.version === null || found.version === version
        ? ok(`A server answers at ${url}.`)
        : wrong(
            'warning',
            `The server at ${url} is release ${found.version}, this command ${version}.`,
            'Use the command line of the same release, or restart the server with this one.',
          );
  }
};

const staleMend = (notReady: readonly string[]): string =>
  notReady.includes('postgres')
    ? 'PostgreSQL does not answer the server: mend that, and it is ready again by itself.'
    : 'Its log says what keeps it; restarted, it reads everything anew.';

const readyOf = (found: ServerFacts['found'], now: number): Found => {
  if (found.kind !== 'server') return unknown('No server answers.');
  const { ready, notReady, since } = found;
  if (ready) return ok('The server is ready.');
  const age = since === null ? null : now - since;
  const parts = notReady.length > 0 ? `: ${notReady.join(', ')}` : '';
  const evidence = since === null ? [] : [`not ready since ${new Date(since).toISOString()}`];
  return age !== null && age < STALE_MS
    ? wrong(
        'warning',
        `The server has not been ready for ${secondsText(age)}${parts}.`,
        'It may be starting: look again in a moment.',
        { evidence, commands: ['breakwater doctor'] },
      )
    : wrong(
        'failure',
        `The server is not ready${age === null ? '' : ` for ${secondsText(age)}`}${parts}. Callers get 503.`,
        staleMend(notReady),
        { evidence },
      );
};

const readiness: Rule = ({ server: facts, now }) =>
  facts === undefined ? unknown(NOT_HERE) : readyOf(facts.found, now);

const built: Rule = ({ console: found }) => {
  if (found === undefined) return unknown('It is on the server’s machine.');
  return found.isBuilt
    ? ok('The console is built.')
    : wrong(
        'warning',
        `The console is not built: ${found.folder} has no page.`,
        'Build it; a running server then serves it.',
        {
          commands: ['npm run build'],
        },
      );
};

const RULES: Readonly<Record<(typeof CHECKS)[number], Rule>> = {
  node,
  configuration,
  data_directory: dataDirectory,
  disk,
  database: reachable,
  postgresql,
  clock,
  migrations,
  drift,
  partitions,
  retention,
  sagas,
  outbox,
  channel,
  server,
  readiness,
  console: built,
};

/** What is wrong, and how it is mended: one finding for each of {@link CHECKS}, in their order (BW-cli.02). */
export const diagnose = (facts: Facts): Finding[] => CHECKS.map((check) => ({ check, ...RULES[check](facts) }));

/** The worst of the findings; what could not be looked at counts for nothing, since something else says why. */
export const overall = (findings: readonly Pick<Finding, 'state'>[]): 'ok' | 'warning' | 'failure' => {
  if (findings.some(({ state }) => state === 'failure')) return 'failure';
  return findings.some(({ state }) => state === 'warning') ? 'warning' : 'ok';
};

/** Exit code of the doctor: 2 with a failure, 1 with a warning when `strict`, else 0. */
export const exitCodeOf = (findings: readonly Pick<Finding, 'state'>[], strict: boolean): number => {
  const worst = overall(findings);
  return worst === 'failure' ? 2 : worst === 'warning' && strict ? 1 : 0;
};
