import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { expect, it } from 'vitest';
import { freePort } from '../../server/testing/server.ts';
import { verifies } from '../../server/testing/verifies.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const run = promisify(execFile);

it('the main entry goes into a bundle for browsers: nothing of Node, no schemas, and MCP in a part of its own', async () => {
  verifies('BW-sdk.01');
  const built = await build({
    logLevel: 'silent',
    configFile: false,
    build: { write: false, minify: false, lib: { entry: here('./index.ts'), formats: ['es'] } },
  });
  const [bundle] = [built].flat();
  if (bundle === undefined || !('output' in bundle)) throw new Error('vite gave no bundle');
  const chunks = bundle.output.filter((part) => part.type === 'chunk');
  const entry = chunks.find((chunk) => chunk.isEntry);
  expect(entry?.exports).toContain('Agent');
  // Vite puts a stand-in of this name where code for browsers imports a module of Node.
  for (const { code, imports } of chunks) {
    expect(imports.filter((name) => name.startsWith('node:'))).toEqual([]);
    expect(code).not.toMatch(/__vite-browser-external/);
  }
  expect(Object.keys(entry?.modules ?? {}).filter((path) => path.includes('node_modules'))).toEqual([]);
  expect(entry?.dynamicImports).toHaveLength(1);
});

it('what is built runs without types, and loads MCP only when it is asked to', async () => {
  verifies('BW-sdk.01');
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-sdk-'));
  const out = join(folder, 'dist');
  try {
    await symlink(here('../../../node_modules'), join(folder, 'node_modules'));
    const tsc = here('../../../node_modules/typescript-7/bin/tsc');
    await run(process.execPath, [tsc, '-p', here('../tsconfig.dist.json'), '--outDir', out]);
    const program = `
      import { BreakwaterClient, UnreachableError } from ${JSON.stringify(join(out, 'index.js'))};
      import { fileCredentials } from ${JSON.stringify(join(out, 'file-credentials.js'))};
      const told = [typeof fileCredentials];
      for (const transport of ['rest', 'mcp']) {
        const client = new BreakwaterClient({ url: 'http://127.0.0.1:${await freePort()}', transport, reconnectMs: 0 });
        await client.call('health_check', {}).catch((error) => told.push(error instanceof UnreachableError));
        await client.close();
      }
      console.log(JSON.stringify(told));`;
    const { stdout } = await run(process.execPath, ['--no-strip-types', '--input-type=module', '-e', program]);
    expect(JSON.parse(stdout)).toEqual(['function', true, true]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
