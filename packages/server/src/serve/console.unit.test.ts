import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { fastify } from 'fastify';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { registerConsole } from './console.ts';
import { startFakeNode } from './testing/fake-node.ts';

const PAGE = '<!doctype html><title>Breakwater</title><div id="app"></div>';
const SCRIPT = `console.log(${JSON.stringify('again and '.repeat(200))});`;
const STYLE = 'body { margin: 0; }';

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks for exactly this path: no client puts it in order first. */
const get = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> =>
  new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, headers, method, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    outgoing.end();
  });

/** A folder as vite builds it. */
const build = (folder: string): void => {
  mkdirSync(join(folder, 'dist', 'assets'), { recursive: true });
  writeFileSync(join(folder, 'dist', 'index.html'), PAGE);
  writeFileSync(join(folder, 'dist', 'assets', 'index-Ab12.js'), SCRIPT);
  writeFileSync(join(folder, 'dist', 'assets', 'index-Cd34.css'), STYLE);
  writeFileSync(join(folder, 'secret.txt'), 'not for anybody');
};

/** The console alone, from a folder of the test's own. */
const serving = async ({ built = true } = {}) => {
  const folder = temporaryFolder('console');
  if (built) build(folder);
  const app = fastify();
  registerConsole(app, join(folder, 'dist'));
  await app.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(async () => {
    await app.close();
    rmSync(folder, { recursive: true });
  });
  const { port } = app.server.address() as AddressInfo;
  return {
    build: () => build(folder),
    get: (path: string, headers?: Record<string, string>, method?: string) => get(port, path, headers, method),
  };
};

describe('the files of the console', () => {
  test.each(['/dashboard', '/dashboard/', '/dashboard/agents/a.b?tab=trail', '/dashboard/no/such/page'])(
    '%s is its page, which the browser asks for each time',
    async (path) => {
      const console = await serving();
      const { status, headers, body } = await console.get(path);
      expect([status, body.toString()]).toEqual([200, PAGE]);
      expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    },
  );

  test.each([
    ['/dashboard/assets/index-Ab12.js', 'text/javascript; charset=utf-8', SCRIPT],
    ['/dashboard/assets/index-Cd34.css', 'text/css; charset=utf-8', STYLE],
  ])('%s is kept by the browser for good', async (path, type, content) => {
    const console = await serving();
    const { status, headers, body } = await console.get(path);
    expect([status, body.toString()]).toEqual([200, content]);
    expect(headers).toMatchObject({
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      'x-content-type-options': 'nosniff',
    });
  });

  test('a file of another build is missing, and is no page', async () => {
    const console = await serving();
    const { status, headers, body } = await console.get('/dashboard/assets/index-Old.js');
    expect([status, headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
    expect(body.toString()).toContain('Load the page again');
  });

  test.each([
    ['br, gzip', 'br'],
    ['gzip, deflate, BR;q=0.9', 'br'],
    ['gzip', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['deflate', undefined],
    ['br;q=0', undefined],
  ] as const)('what accepts "%s" is sent %s', async (accepted, form) => {
    const console = await serving();
    // Twice: the second time from what was kept.
    for (const turn of ['made', 'kept']) {
      const { headers, body } = await console.get('/dashboard/assets/index-Ab12.js', { 'accept-encoding': accepted });
      expect(headers['content-encoding'], turn).toBe(form);
      const plain = form === undefined ? body : { br: brotliDecompressSync, gzip: gunzipSync }[form](body);
      expect(plain.toString()).toBe(SCRIPT);
      expect(Number(headers['content-length'])).toBe(body.length);
      if (form !== undefined) expect(body.length).toBeLessThan(SCRIPT.length / 5);
    }
  });

  test('what the browser has already is not sent again', async () => {
    const console = await serving();
    for (const path of ['/dashboard/', '/dashboard/assets/index-Ab12.js']) {
      const first = await console.get(path);
      const etag = first.headers.etag!;
      for (const known of [etag, etag.replace('W/', ''), `"other", ${etag}`]) {
        const { status, body, headers } = await console.get(path, { 'if-none-match': known, 'accept-encoding': 'br' });
        expect([status, body.length, headers.etag]).toEqual([304, 0, etag]);
        expect(headers['cache-control']).toBe(first.headers['cache-control']);
      }
      expect((await console.get(path, { 'if-none-match': '"other"' })).status).toBe(200);
    }
  });

  test('HEAD tells the same without the content', async () => {
    const console = await serving();
    const path = '/dashboard/assets/index-Ab12.js';
    const { date: _, ...whole } = (await console.get(path)).headers;
    const { status, headers, body } = await console.get(path, {}, 'HEAD');
    expect([status, body.length]).toEqual([200, 0]);
    expect(headers).toMatchObject(whole);
  });

  test('the page may load and call this server alone', async () => {
    const console = await serving();
    const policy = (await console.get('/dashboard/')).headers['content-security-policy'] as string;
    const rules = new Map(policy.split('; ').map((rule) => [rule.split(' ')[0], rule.split(' ').slice(1).join(' ')]));
    expect(Object.fromEntries(rules)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': "'self'",
      'img-src': "'self' data:",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
    });
    expect((await console.get('/dashboard/')).headers['referrer-policy']).toBe('no-referrer');
  });

  test.each([
    '/dashboard/../secret.txt',
    '/dashboard/assets/../../secret.txt',
    '/dashboard/assets/..%2f..%2fsecret.txt',
    '/dashboard/%2e%2e/secret.txt',
    '/dashboard/..\\secret.txt',
    '/dashboard/assets//index-Ab12.js/../../secret.txt',
    '/dashboard//etc/passwd',
    '/dashboard/assets/%00',
  ])('nothing else is to be had: %s', async (path) => {
    const console = await serving();
    const { status, body } = await console.get(path);
    expect(body.toString()).not.toMatch(/not for anybody|root:/);
    expect(status === 404 || body.toString() === PAGE).toBe(true);
  });

  test('before they are built it says how to, and finds them afterwards', async () => {
    const console = await serving({ built: false });
    for (const path of ['/dashboard/', '/dashboard/assets/index-Ab12.js']) {
      const { status, headers, body } = await console.get(path);
      expect([status, headers['content-type']]).toEqual([404, 'text/plain; charset=utf-8']);
      expect(body.toString()).toContain('npm run build');
    }
    console.build();
    expect((await console.get('/dashboard/')).body.toString()).toBe(PAGE);
  });
});

describe('on a server', () => {
  const start = async (...options: Parameters<typeof startFakeNode>) => {
    const node = await startFakeNode(...options);
    onTestFinished(() => node.stop());
    return node;
  };
  /** The page, or that it is not built: what stands in the way of neither. */
  const isServed = ({ headers }: Got): boolean => headers['content-security-policy'] !== undefined;

  test('it opens without a token and while the server starts; nothing else does', async () => {
    const node = await start({ tokens: ['t'], ready: false });
    const ask = (path: string) => get(Number(new URL(node.url).port), path);
    // The last ones begin like the console, and must not lead to what is guarded.
    for (const path of [
      '/dashboard',
      '/dashboard/',
      '/dashboard/agents',
      '/dashboard/../v1/tools',
      '/dashboard/%2e%2e/metrics',
    ]) {
      expect(isServed(await ask(path)), path).toBe(true);
    }
    for (const path of ['/dashboards', '/Dashboard/', '/v1/tools', '/x/../dashboard/', '/api/session']) {
      expect((await ask(path)).status, path).toBe(401);
    }
  });

  test('a foreign page may not load it', async () => {
    const node = await start();
    const { port } = new URL(node.url);
    expect((await get(Number(port), '/dashboard/', { host: 'evil.example' })).status).toBe(421);
    expect((await get(Number(port), '/dashboard/', { origin: 'https://evil.example' })).status).toBe(403);
  });

  test('who opens the bare address in a browser is led to it; a program is told the endpoints', async () => {
    const node = await start();
    const page = await fetch(node.url, { redirect: 'manual', headers: { accept: 'text/html,*/*;q=0.8' } });
    expect([page.status, page.headers.get('location')]).toEqual([302, '/dashboard/']);
    const list = (await (await fetch(node.url)).json()) as { endpoints: Record<string, string> };
    expect(list.endpoints['console']).toBe('/dashboard/');
  });
});
