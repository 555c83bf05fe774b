import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openDatabase, type Database } from '../src/postgres/index.ts';
import { blocksOfDocuments, type Block } from '../testing/documents.ts';
import { giveUp } from '../testing/given-up.ts';
import { connectMcp } from '../testing/mcp.ts';
import { onboard, type Json } from '../testing/rest.ts';
import { must, reviewUpToTheLastWord } from '../testing/review.ts';
import {
  NO_LIMITS,
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  type ServerProcess,
} from '../testing/server.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(ROOT, 'packages/server/src/cli/main.ts');
const PORT = 'http://127.0.0.1:8767';

/** Blocks that are not run, with the reason, and what is looked at instead. */
const NOT_RUN: Readonly<Record<string, { readonly why: string; readonly instead: (block: Block) => unknown }>> = {
  'README.md: npm ci && npm start': {
    why: 'It installs, and then serves for as long as one lets it; what serves here is the same program.',
    instead: (block) => namesScripts(block),
  },
  'README.md: npm run fleet': {
    why: 'It runs until it is stopped.',
    instead: (block) => namesScripts(block),
  },
  'README.md: npm ci && npm test': { why: 'It is this test.', instead: (block) => namesScripts(block) },
  'README.md: claude mcp add --transport http breakwater http://127.0.0.1:8767/mcp/': {
    why: 'It needs Claude Code.',
    instead: async () => {
      const client = await connectMcp(url, '2025');
      expect((await client.call('list_tools', {})).isError).toBe(false);
      await client.close();
    },
  },
  'docs/operations.md: sudo useradd --system --home-dir /var/lib/breakwater breakwater': {
    why: 'It needs root and changes the machine.',
    instead: ({ code }) => {
      const files = [...code.matchAll(/\bdeploy\/\S+/g)].map(([file]) => file);
      expect(files.length).toBeGreaterThan(1);
      for (const file of files) expect(existsSync(join(ROOT, file)), file).toBe(true);
    },
  },
  'deploy/grafana/README.md: scrape_configs:': {
    why: 'It is for Prometheus.',
    instead: async ({ code }) => {
      expect(/targets: \['([^']+)'\]/.exec(code)?.[1], 'the address at which the server listens').toBe(PORT.slice(7));
      const metrics = await (await fetch(new URL('/metrics', url))).text();
      expect(metrics, 'where Prometheus asks by itself').toMatch(/^# TYPE \w+ /m);
    },
  },
  'deploy/grafana/README.md: apiVersion: 1': {
    why: 'It is for Grafana.',
    instead: () => expect(existsSync(join(ROOT, 'deploy/grafana/breakwater.json'))).toBe(true),
  },
  'docs/agents.md: start_session ──▶ sync_state ──▶ (work) ──▶ sync_state ──▶ record_result ──▶ …': picture(),
  'docs/agents.md: request_review ──▶ thesis ──▶ antithesis ──▶ synthesis … ──▶ confirm ──▶ active again, under conditions':
    picture(),
  'docs/resolution.md: reserved ──▶ paused_agent_applied ──▶ both_agents_applied ──▶ pg_committed': picture(),
};

function picture() {
  return {
    why: 'It is a picture.',
    instead: ({ language }: Block) => {
      expect(language).toBe('text');
    },
  };
}

const namesScripts = ({ code }: Block): void => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Json };
  const named = [...code.matchAll(/\bnpm (?:run )?(\w+)/g)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'ci');
  expect(named.length).toBeGreaterThan(0);
  for (const name of named) expect(scripts).toHaveProperty(name);
};

const folder = temporaryDataDir();
/** What the examples write outside of the data directory. */
const place = temporaryDataDir();
let server: ServerProcess;
let url: string;
let database: Database;
let operator: string;

beforeAll(async () => {
  server = spawnServer(folder, { env: NO_LIMITS });
  url = await server.ready();
  database = openDatabase({
    target: { socketDir: join(folder, 'run'), database: 'breakwater' },
    onError: () => undefined,
  });
  const { stdout } = await runCommand(['operator', 'create', '--name', 'root', '--json', '--data-dir', folder]);
  operator = String((JSON.parse(stdout) as Json)['secret']);
  mkdirSync(join(place, 'node_modules', '@breakwater'), { recursive: true });
  symlinkSync(join(ROOT, 'packages/sdk'), join(place, 'node_modules', '@breakwater', 'sdk'));
});
afterAll(async () => {
  await database.close();
  await server.stop();
  await removeDataDir(folder);
  await removeDataDir(place);
});

/** Runs a program in the examples' folder to its end. */
const run = async (program: string, args: readonly string[], env: Readonly<Record<string, string>>) => {
  const child = spawn(program, args, {
    cwd: place,
    env: { PATH: process.env['PATH'] ?? '', HOME: place, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
};

/** `breakwater` as on the path. A server that an example starts is stopped as soon as it is ready. */
const SHELL = `
set -e -o pipefail
breakwater() {
  if [ "$1" != serve ]; then "$NODE" "$MAIN" "$@"; return; fi
  "$NODE" "$MAIN" "$@" --port 0 > served.txt & server=$!
  for _ in $(seq 300); do if grep -q 'ready at' served.txt || ! kill -0 $server; then break; fi; sleep 0.1; done
  grep -q 'ready at' served.txt
  kill -TERM $server; wait $server
}
`;

const inShell = (code: string, env: Readonly<Record<string, string>> = {}) =>
  run('bash', ['-c', SHELL + code.replaceAll(PORT, url)], {
    NODE: process.execPath,
    MAIN,
    BREAKWATER_DATA_DIR: folder,
    BREAKWATER_URL: url,
    ...env,
  });

const givenUp = async (): Promise<string> => {
  const { reviewId, agree } = await reviewUpToTheLastWord(url, { 'x-breakwater-operator': operator });
  return giveUp(database, reviewId, agree);
};

/** What a block of shell presupposes, and what its placeholders stand for, in the order in which they come. */
const BEFORE: Readonly<Record<string, () => Promise<(code: string) => string>>> = {
  'docs/commands.md: export BREAKWATER_URL=https://breakwater.example.org BREAKWATER_OPERATOR=bwo_…': async () => {
    const { agentId, secret } = await onboard(url, 'Ada');
    await must(url, 'sync_state', { client_session_id: secret, response_text: 'Began.', confidence: 0.5 });
    const { code } = await runCommand(['agents', 'pause', agentId, '--reason', 'an example'], {
      env: { BREAKWATER_URL: url, BREAKWATER_OPERATOR: operator },
    });
    expect(code).toBe(0);
    // Another example has made an Ada, too.
    return (text) =>
      text
        .replace('https://breakwater.example.org', url)
        .replace('bwo_…', operator)
        .replace('resume Ada', `resume ${agentId}`);
  },
  // What is wrong with the machine that the tests run on, such as a full disk, is no fault of the example.
  'docs/commands.md: breakwater doctor --strict --server http://127.0.0.1:8767 || exit 1': async () => (text) =>
    text.replace('|| exit 1', '|| [ $? -le 2 ]'),
  // The shells that people have differ; each line loads into its own.
  'docs/commands.md: source <(breakwater completion bash)      # in ~/.bashrc': async () => (text) =>
    text.replace(/source <\((breakwater completion zsh)\)/, '$1 > zsh.txt').replace(/\| source/, '> fish.txt'),
  'docs/identity.md: breakwater operator create --name alice         # shown once, as bwo_…; --scope read: may only look':
    async () => (text) => text.replace('"X-Breakwater-Operator: bwo_…"', `"X-Breakwater-Operator: ${operator}"`),
  'docs/operations.md: breakwater db backup --out /backup/breakwater-$(date +%F)': async () => (text) =>
    text.replace('/backup/', `${place}/`),
  'docs/operations.md: breakwater serve --data-dir /backup/breakwater-2026-01-31': async () => {
    const copy = join(place, 'breakwater-2026-01-31');
    expect((await inShell(`breakwater db backup --out ${copy}`)).code).toBe(0);
    return (text) => text.replaceAll('/backup/', `${place}/`);
  },
  'docs/resolution.md: breakwater saga list                                  # what is under way, and first what was given up, with its error':
    async () => {
      const sagas = [await givenUp(), await givenUp()];
      return (text) => text.replaceAll('<saga-id>', () => sagas.shift() ?? '').replace('<text>', 'an example');
    },
};

/** What stands before a block of TypeScript that goes on from another one. */
const PRELUDE: Readonly<Record<string, string>> = {
  'packages/sdk/README.md: await agent.runLoop({': `
    import { Agent, BreakwaterClient, memoryCredentials } from '@breakwater/sdk';
    const client = new BreakwaterClient({ url: '${PORT}' });
    const agent = await Agent.open({ client, name: 'Resident', credentials: memoryCredentials() });
    const stop = new AbortController();
    const workOn = async (number: number) => { setTimeout(() => stop.abort(), 500); return 'Turn ' + number; };
  `,
};

const blocks = blocksOfDocuments();
const shell = blocks.filter(({ name, language }) => language === 'sh' && NOT_RUN[name] === undefined);
const typescript = blocks.filter(({ language }) => language === 'ts');
const json = blocks.filter(({ language }) => language === 'json');

describe('the blocks of code in the documents', () => {
  it('are each run, or named with the reason why not', () => {
    const names = blocks.map(({ name }) => name);
    expect(new Set(names).size, 'each has a name of its own').toBe(names.length);
    const covered = [...shell, ...typescript, ...json].map(({ name }) => name);
    expect(names.filter((name) => !covered.includes(name)).sort()).toEqual(Object.keys(NOT_RUN).sort());
    for (const named of [...Object.keys(BEFORE), ...Object.keys(PRELUDE)]) expect(names).toContain(named);
  });

  it.each(blocks.filter(({ name }) => NOT_RUN[name] !== undefined).map((block) => [block.name, block] as const))(
    'hold what else can be looked at: %s',
    async (name, block) => {
      await NOT_RUN[name]?.instead(block);
    },
  );

  it.each(shell.map((block) => [block.name, block] as const))(
    'run in a shell: %s',
    { timeout: 180_000 },
    async (name, block) => {
      const fill = (await BEFORE[name]?.()) ?? ((text: string) => text);
      const { code, stdout, stderr } = await inShell(fill(block.code));
      expect({ code, stderr }, stdout).toMatchObject({ code: 0 });
      expect(`${stdout}${stderr}`).not.toMatch(/"success":\s*false|command not found/);
    },
  );

  it.each(typescript.map((block) => [block.name, block] as const))('run as TypeScript: %s', async (name, block) => {
    const code = `${PRELUDE[name] ?? ''}${block.code}`.replaceAll(PORT, url);
    const args = ['--conditions', 'development', '--input-type', 'module-typescript', '--eval', code];
    const { code: exit, stderr } = await run(process.execPath, args, {});
    expect({ exit, stderr }).toMatchObject({ exit: 0 });
  });
});

test('the answer to a check-in has what docs/agents.md shows of it', async () => {
  expect(json.map(({ file }) => file)).toEqual(['docs/agents.md']);
  const shown = JSON.parse(json[0]?.code ?? '') as Json;
  const { secret } = await onboard(url, 'Reader');
  const first = { client_session_id: secret, response_text: 'Split the importer.', confidence: 0.8 };
  await must(url, 'sync_state', first);
  const answer = await must(url, 'sync_state', { ...first, response_text: 'Ran its tests.' });
  /** Keys and types of what is shown, at every depth; null stands for a number that is not known. */
  const lacking = (sample: unknown, real: unknown, path: string): string[] => {
    if (typeof sample !== 'object' || sample === null) {
      return typeof sample === typeof real || (typeof sample === 'number' && real === null) ? [] : [path];
    }
    if (typeof real !== 'object' || real === null) return [path];
    return Object.entries(sample).flatMap(([key, value]) => lacking(value, (real as Json)[key], `${path}.${key}`));
  };
  expect(lacking(shown, answer, 'answer')).toEqual([]);
});
