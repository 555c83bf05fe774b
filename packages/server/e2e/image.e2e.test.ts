import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { removeDataDir, runCommand, spawnServer, temporaryDataDir } from '../testing/server.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const text = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const [BUILD = '', FINAL = ''] = text('deploy/container/Containerfile').split(/^(?=FROM .*slim$)/m);

/** A temporary folder for each stage; PostgreSQL's user must be able to enter the last one. */
const home = mkdtempSync(join(tmpdir(), 'breakwater-image-'));
chmodSync(home, 0o755);
const source = join(home, 'src');
const image = join(home, 'opt/breakwater');
const dataDir = temporaryDataDir();
afterAll(async () => {
  await removeDataDir(dataDir);
  rmSync(home, { recursive: true, force: true });
});

/** The files that `.containerignore` keeps out of the build; its patterns are names, at the top or at any depth. */
const isIgnored = (path: string): boolean =>
  text('.containerignore')
    .split('\n')
    .some((line) => (line.startsWith('**/') ? path.split('/').includes(line.slice(3)) : path.split('/')[0] === line));

const copyAll = (stage: string, from: string, to: string, isLeftOut: (path: string) => boolean): void => {
  for (const [, list = ''] of stage.matchAll(/^COPY (?:--from=build )?(.+)$/gm)) {
    const paths = list.split(' ');
    const target = paths.pop() ?? '';
    for (const path of paths.map((one) => one.replace('/src/', ''))) {
      const into = target === './' ? join(to, basename(path)) : join(to, target);
      cpSync(join(from, path), into, {
        recursive: true,
        verbatimSymlinks: true,
        filter: (one) => !isLeftOut(relative(from, one)),
      });
    }
  }
};

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly link?: boolean }>>;
}
const lock = JSON.parse(text('package-lock.json')) as Lock;

/** What `npm ci` lays at a path of the lock: our own packages by a link beside it, others from where they are installed. */
const install = (to: string, wanted: (path: string) => boolean): void => {
  for (const [path, { link }] of Object.entries(lock.packages)) {
    // What is nested comes with the package that it is nested in.
    const nested = path.split('node_modules/').length > 2 || path.startsWith('packages/');
    if (!path.includes('node_modules/') || nested || !wanted(path)) continue;
    mkdirSync(dirname(join(to, path)), { recursive: true });
    if (link === true) symlinkSync(join('../../packages', basename(path)), join(to, path));
    else if (existsSync(join(ROOT, path))) symlinkSync(join(ROOT, path), join(to, path));
  }
};

test("the image's steps, one by one: it builds, holds what it needs, and serves", async () => {
  copyAll(BUILD, ROOT, source, isIgnored);
  install(source, () => true);
  // `npm ci` ends with this, in a folder that has nothing but what was copied.
  await promisify(execFile)('npm', ['run', 'build'], { cwd: source }).catch((error: unknown) => {
    throw new Error((error as { stdout: string }).stdout);
  });
  rmSync(join(source, 'node_modules'), { recursive: true });
  install(source, (path) => lock.packages[path]?.dev !== true);
  // A package's own dependencies, where npm could not lay them beside all others.
  const own = 'packages/server/node_modules';
  for (const name of existsSync(join(ROOT, own)) ? readdirSync(join(ROOT, own)) : []) {
    if (lock.packages[`${own}/${name}`] === undefined) continue;
    mkdirSync(join(source, own), { recursive: true });
    symlinkSync(join(ROOT, own, name), join(source, own, name));
  }
  copyAll(FINAL, source, image, () => false);

  const [, program = ''] = /^ENTRYPOINT \["node", "(.+)"\]$/m.exec(FINAL) ?? [];
  const main = join(image, program);
  const version = await runCommand(['--version'], { main });
  expect({ code: version.code, stderr: version.stderr }).toEqual({ code: 0, stderr: '' });

  const [, host = ''] = /BREAKWATER_HOST=(\S+)/.exec(FINAL) ?? [];
  const open = spawnServer(dataDir, { main, env: { BREAKWATER_HOST: host } });
  expect((await open.exited).code).toBe(1);
  expect(open.stderr(), 'nobody is let in without a token').toContain('BREAKWATER_TOKENS');

  const server = spawnServer(dataDir, { main, env: { BREAKWATER_TOKENS: 'a-token' } });
  const url = await server.ready();
  expect((await fetch(`${url}/dashboard/`)).headers.get('content-type')).toContain('text/html');
  const [, health = ''] = /CMD \["node", "-e", "(.+)"\]/.exec(FINAL) ?? [];
  const probe = () =>
    promisify(execFile)(process.execPath, ['-e', health.replace('http://127.0.0.1:8767', url)]).then(
      () => 0,
      (error: unknown) => (error as { code: unknown }).code,
    );
  expect(await probe()).toBe(0);
  expect((await server.stop()).code).toBe(0);
  expect(await probe(), 'a server that is gone is not healthy').toBe(1);
});
