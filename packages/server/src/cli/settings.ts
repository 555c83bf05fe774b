import { ok, refuse, type Result } from '@breakwater/contract';
import { flagsOfEnvironment } from '../flags/index.ts';
import { nearest } from '../runtime/index.ts';

interface Setting<T> {
  readonly env: string;
  /** A variable that is no name of ours and counts when `env` is not set. */
  readonly standardEnv?: string;
  /** The same as a flag of `breakwater serve`; a secret has none, because flags show in the process list. */
  readonly flag?: string;
  readonly default: T;
  readonly description: string;
  /** The value, or what is wrong with the text. */
  parse(text: string): { value: T } | { problem: string };
}

const notEmpty = (value: string): { value: string } | { problem: string } =>
  value.trim() === '' ? { problem: 'must not be empty' } : { value: value.trim() };

const text = (rule: Omit<Setting<string>, 'parse'>): Setting<string> => ({ ...rule, parse: notEmpty });

const optional = (rule: Omit<Setting<string | undefined>, 'parse' | 'default'>): Setting<string | undefined> => ({
  ...rule,
  default: undefined,
  parse: (value) => ({ value: value.trim() === '' ? undefined : value.trim() }),
});

/** As {@link optional}, but an empty text is refused: a script that lost its variable must not work on other data. */
const optionalUnlessEmpty = (
  rule: Omit<Setting<string | undefined>, 'parse' | 'default'>,
): Setting<string | undefined> => ({
  ...optional(rule),
  parse: notEmpty,
});

const integer = (min: number, max: number, rule: Omit<Setting<number>, 'parse'>): Setting<number> => ({
  ...rule,
  parse: (value) => {
    const number = Number(value);
    const fits = value.trim() !== '' && Number.isInteger(number) && number >= min && number <= max;
    return fits ? { value: number } : { problem: `must be a whole number from ${min} to ${max}` };
  },
});

const list = (rule: Omit<Setting<readonly string[]>, 'parse' | 'default'>): Setting<readonly string[]> => ({
  ...rule,
  default: [],
  parse: (value) => ({
    value: value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  }),
});

const choice = <T extends string>(options: readonly T[], rule: Omit<Setting<T>, 'parse'>): Setting<T> => ({
  ...rule,
  parse: (value) => {
    const found = options.find((option) => option === value);
    return found === undefined ? { problem: `must be one of ${options.join(', ')}` } : { value: found };
  },
});

/** A bearer token as a header can carry it. */
const TOKEN = /^[\x21-\x7e]+$/;

const secret = (rule: Omit<Setting<string | undefined>, 'parse' | 'default'>): Setting<string | undefined> => ({
  ...rule,
  default: undefined,
  parse: (value) => {
    const token = value.trim();
    if (token === '') return { value: undefined };
    return TOKEN.test(token) ? { value: token } : { problem: 'must be visible ASCII characters, without a space' };
  },
});

/** Whether a URL is the base of a server, to which a route can be added. */
const isBase = (url: URL | null): url is URL =>
  url !== null &&
  (url.protocol === 'http:' || url.protocol === 'https:') &&
  url.username + url.password + url.search + url.hash === '';
const BASE = 'an http(s) URL without user, password, query and fragment';

const base = (rule: Omit<Setting<URL | undefined>, 'parse' | 'default'>): Setting<URL | undefined> => ({
  ...rule,
  default: undefined,
  parse: (value) => {
    if (value.trim() === '') return { value: undefined };
    const url = URL.parse(value.trim());
    return isBase(url) ? { value: url } : { problem: `must be ${BASE}` };
  },
});

const share = (rule: Omit<Setting<number>, 'parse'>): Setting<number> => ({
  ...rule,
  parse: (value) => {
    const number = Number(value);
    const fits = value.trim() !== '' && number >= 0 && number <= 1;
    return fits ? { value: number } : { problem: 'must be a number from 0 to 1' };
  },
});

/** One of the words, or the base of another server, to which a route can be added. */
const choiceOrUrl = <const T extends string>(
  options: readonly T[],
  rule: Omit<Setting<T | URL>, 'parse'>,
): Setting<T | URL> => ({
  ...rule,
  parse: (value) => {
    const found = options.find((option) => option === value.trim());
    if (found !== undefined) return { value: found };
    const url = URL.parse(value.trim());
    return isBase(url) ? { value: url } : { problem: `must be ${options.join(', ')} or ${BASE}` };
  },
});

/** Every setting of the server, as data: environment, flags, `--help` and the table in the README come from here. */
export const SETTINGS = {
  port: integer(0, 65_535, {
    env: 'BREAKWATER_PORT',
    flag: '--port <number>',
    default: 8767,
    description: 'Port to listen on; 0 takes a free one',
  }),
  host: text({
    env: 'BREAKWATER_HOST',
    flag: '--host <address>',
    default: '127.0.0.1',
    description: 'Address to listen on; anything beyond loopback needs BREAKWATER_TOKENS',
  }),
  socket: optional({
    env: 'BREAKWATER_SOCKET',
    flag: '--socket <path>',
    description: 'Unix socket to listen on as well; enrolled agents are reached over it only (Linux)',
  }),
  dataDir: optionalUnlessEmpty({
    env: 'BREAKWATER_DATA_DIR',
    flag: '--data-dir <path>',
    description:
      'Where the embedded PostgreSQL keeps its data; by default a .breakwater that has some, here or in a folder above, ' +
      'else the data folder of the user',
  }),
  databaseUrl: optional({
    env: 'DATABASE_URL',
    flag: '--database-url <url>',
    description: 'PostgreSQL 15 or newer to use instead of the embedded one',
  }),
  directUrl: optional({
    env: 'BREAKWATER_DIRECT_URL',
    description:
      'The same database without its pooler, when DATABASE_URL leads to one in transaction mode: for LISTEN, locks and commits',
  }),
  tokens: list({
    env: 'BREAKWATER_TOKENS',
    description: 'Bearer tokens that callers must send, separated by commas; none: no token is asked for',
  }),
  allowedHosts: list({
    env: 'BREAKWATER_ALLOWED_HOSTS',
    flag: '--allowed-hosts <names>',
    description: 'Host names besides loopback under which the server may be called, separated by commas',
  }),
  allowedOrigins: list({
    env: 'BREAKWATER_ALLOWED_ORIGINS',
    flag: '--allowed-origins <origins>',
    description: 'Web origins besides loopback that may call the server, separated by commas',
  }),
  residents: list({
    env: 'BREAKWATER_RESIDENTS',
    flag: '--residents <names>',
    description:
      'Names of long-lived agents, separated by commas: of each name one living agent is tagged persistent, autonomous at its onboard',
  }),
  callsPerMinute: integer(0, 1_000_000, {
    env: 'BREAKWATER_CALLS_PER_MINUTE',
    flag: '--calls-per-minute <number>',
    default: 60,
    description:
      'Writing calls that one agent, or one address without identity, may make in a minute; 0 lifts this limit and those of reads and starts',
  }),
  callsPerHour: integer(0, 10_000_000, {
    env: 'BREAKWATER_CALLS_PER_HOUR',
    flag: '--calls-per-hour <number>',
    default: 1000,
    description: 'The same in an hour; 0 lifts this limit and those of reads and starts',
  }),
  readsPerMinute: integer(0, 1_000_000, {
    env: 'BREAKWATER_READS_PER_MINUTE',
    flag: '--reads-per-minute <number>',
    default: 1200,
    description:
      'Reading calls that one agent, or one address without identity, may make in a minute; 0 lifts the limit',
  }),
  readsPerHour: integer(0, 10_000_000, {
    env: 'BREAKWATER_READS_PER_HOUR',
    flag: '--reads-per-hour <number>',
    default: 30_000,
    description: 'The same in an hour; 0 lifts the limit',
  }),
  startsPerMinute: integer(0, 1_000_000, {
    env: 'BREAKWATER_STARTS_PER_MINUTE',
    flag: '--starts-per-minute <number>',
    default: 600,
    description: 'New agents, and apart from them new MCP sessions, of one address in a minute; 0 lifts the limit',
  }),
  startsPerHour: integer(0, 10_000_000, {
    env: 'BREAKWATER_STARTS_PER_HOUR',
    flag: '--starts-per-hour <number>',
    default: 2000,
    description: 'The same in an hour; 0 lifts the limit',
  }),
  checkAnswers: choice(['off', 'on'], {
    env: 'BREAKWATER_CHECK_ANSWERS',
    flag: '--check-answers <off|on>',
    default: 'off',
    description:
      'Holds every answer of a tool against the contract; one that does not fit becomes an error. For development',
  }),
  loopUpdatesPerMinute: integer(0, 20, {
    env: 'BREAKWATER_LOOP_UPDATES_PER_MINUTE',
    flag: '--loop-updates-per-minute <number>',
    default: 20,
    description: 'Check-ins of one agent in a minute beyond which it counts as looping; 0 turns the rule off',
  }),
  pauseHours: integer(1, 8760, {
    env: 'BREAKWATER_PAUSE_HOURS',
    flag: '--pause-hours <number>',
    default: 72,
    description: 'Hours after which a pause ends by itself',
  }),
  compute: choiceOrUrl(['in_process'], {
    env: 'BREAKWATER_COMPUTE',
    flag: '--compute <where>',
    default: 'in_process',
    description: 'Where the computations of reviews run: in_process, or the URL of another Breakwater',
  }),
  computeToken: secret({
    env: 'BREAKWATER_COMPUTE_TOKEN',
    description: 'Bearer token for the Breakwater that BREAKWATER_COMPUTE names, one of its BREAKWATER_TOKENS',
  }),
  otlpEndpoint: base({
    env: 'BREAKWATER_OTLP_ENDPOINT',
    standardEnv: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    flag: '--otlp-endpoint <url>',
    description: 'OpenTelemetry collector (OTLP over HTTP) that traces go to; OTEL_EXPORTER_OTLP_ENDPOINT counts, too',
  }),
  traceRatio: share({
    env: 'BREAKWATER_TRACE_RATIO',
    flag: '--trace-ratio <share>',
    default: 1,
    description: 'Share of the traces that begin here which are kept, from 0 to 1',
  }),
  logLevel: choice(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
    env: 'BREAKWATER_LOG_LEVEL',
    flag: '--log-level <level>',
    default: 'warn',
    description: 'Least severe log line to write, as JSON on standard error',
  }),
} as const satisfies Record<string, Setting<unknown>>;

type Settings = typeof SETTINGS;
export type SettingName = keyof Settings;
export type Config = { readonly [K in SettingName]: Settings[K] extends Setting<infer T> ? T : never };

/** Variables with our prefix that are not settings: flags by name, and the crash programs' fault. */
const OTHER_VARIABLES = /^BREAKWATER_(FLAG_.+|FAULT)$/;

/** What commands that speak to a server read; its own environment may have them, too. */
export const CLIENT_VARIABLES = { url: 'BREAKWATER_URL', operator: 'BREAKWATER_OPERATOR' } as const;

/** The bearer token that a command sends. To a server it would be a misspelt BREAKWATER_TOKENS, and leave it open. */
export const TOKEN_VARIABLE = 'BREAKWATER_TOKEN';

/**
 * Reads the configuration: flags over environment over defaults. Refuses with every problem at once, each naming its
 * variable; an unknown variable with our prefix is refused with the nearest known one, since a misspelt setting that is
 * silently ignored is found out too late (BW-cli.03). A `command` may have variables that a server must not.
 */
export const readConfig = (
  env: Readonly<Record<string, string | undefined>>,
  flags: Partial<Record<SettingName, string>>,
  reader: 'server' | 'command' = 'server',
): Result<Config> => {
  const problems: string[] = [];
  const names: string[] = [
    ...Object.values(SETTINGS).map((setting) => setting.env),
    ...Object.values(CLIENT_VARIABLES),
    ...(reader === 'command' ? [TOKEN_VARIABLE] : []),
  ];
  const environment = flagsOfEnvironment(env);
  if ('problem' in environment) problems.push(environment.problem);
  for (const name of Object.keys(env)) {
    if (!name.startsWith('BREAKWATER_') || OTHER_VARIABLES.test(name) || names.includes(name)) continue;
    const [guess] = nearest(name, names, 1);
    problems.push(`${name} is unknown${guess === undefined ? '' : `; did you mean ${guess}?`}`);
  }
  const config: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS) as [SettingName, Setting<unknown>][]) {
    const flagged = flags[name];
    const standard = setting.standardEnv === undefined ? undefined : env[setting.standardEnv];
    const own = flagged ?? env[setting.env];
    const given = own ?? standard;
    if (given === undefined) {
      config[name] = setting.default;
      continue;
    }
    const parsed = setting.parse(given);
    if ('value' in parsed) config[name] = parsed.value;
    else {
      const variable = (own === undefined ? setting.standardEnv : undefined) ?? setting.env;
      const source = flagged === undefined ? variable : (setting.flag?.split(' ')[0] ?? setting.env);
      // A secret has no flag; what goes to a log must not show it, nor a password in a URL.
      const shown = setting.flag === undefined ? '' : `="${given.replace(/\/\/.*@/, '//…@')}"`;
      problems.push(`${source}${shown} ${parsed.problem}`);
    }
  }
  if (problems.length > 0) return refuse('PARAMETER_ERROR', problems.join('\n'));
  return ok(config as unknown as Config);
};
