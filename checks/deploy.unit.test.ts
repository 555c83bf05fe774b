import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../packages/server/src/cli/commands.ts';
import { SETTINGS } from '../packages/server/src/cli/settings.ts';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const FILES = [
  'deploy/systemd/breakwater.service',
  'deploy/systemd/breakwater.env.example',
  'deploy/container/Containerfile',
  'deploy/container/compose.yaml',
];

describe('what deploys the server', () => {
  it.each(FILES)('%s names settings that there are', (path) => {
    const known = new Set<string>(Object.values(SETTINGS).map(({ env }) => env));
    const named = [...read(path).matchAll(/\bBREAKWATER_[A-Z_]+\b|\bDATABASE_URL\b/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });

  it('starts a program that is there, with a command that it has', async () => {
    const commands = (await createProgram()).commands.map((command) => command.name());
    const unit = /ExecStart=\/opt\/breakwater\/\S+ \/opt\/breakwater\/(\S+) (\w+)/.exec(read(FILES[0] ?? ''));
    const image = read('deploy/container/Containerfile');
    const entry = /ENTRYPOINT \["node", "([^"]+)"\]\nCMD \["(\w+)"\]/.exec(image);
    for (const [, program = '', command] of [unit, entry].map((found) => found ?? [])) {
      expect(existsSync(new URL(`../${program}`, import.meta.url)), program).toBe(true);
      expect(commands).toContain(command);
    }
  });

  it('copies into the image every package that the server needs, and nothing that is not there', () => {
    const image = read('deploy/container/Containerfile');
    const copied = [...image.matchAll(/COPY --from=build \/src\/(packages\/\S+)/g)].map(([, path = '']) => path);
    for (const path of copied)
      expect(existsSync(new URL(`../${path.replace(/\/dist$/, '')}`, import.meta.url)), path).toBe(true);
    const { dependencies } = JSON.parse(read('packages/server/package.json')) as {
      dependencies: Record<string, string>;
    };
    for (const name of Object.keys(dependencies).filter((one) => one.startsWith('@breakwater/'))) {
      expect(copied).toContain(`packages/${name.replace('@breakwater/', '')}`);
    }
  });
});
