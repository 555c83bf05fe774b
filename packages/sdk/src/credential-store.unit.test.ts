import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../server/testing/verifies.ts';
import { fileCredentials, namedCredentials } from './file-credentials.ts';
import type { Credentials } from './credentials.ts';
import { CredentialsError } from './errors.ts';

let folder = '';
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'breakwater-anchor-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const anchor = (n: number): Credentials => ({
  agentId: `agent-${n}`,
  clientSessionId: `secret-${n}-`.repeat(500),
  continuityToken: `token-${n}`,
  name: 'Ada',
});
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('an anchor file', () => {
  it('gives back what it was given, with mode 0600, in a folder of its own', async () => {
    verifies('BW-sdk.03');
    const path = join(folder, 'deep', 'ada.json');
    const store = fileCredentials(path);
    expect(await store.load()).toBeUndefined();
    await store.save(anchor(1));
    expect(await store.load()).toEqual(anchor(1));
    expect(await modeOf(path)).toBe(0o600);
    expect(await modeOf(join(folder, 'deep'))).toBe(0o700);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ agent_uuid: 'agent-1', version: 1 });
  });

  it('has mode 0600 whatever the mask and the file before it had', async () => {
    verifies('BW-sdk.03');
    const path = join(folder, 'ada.json');
    await writeFile(path, '{}');
    await chmod(path, 0o666);
    const mask = process.umask(0);
    try {
      await fileCredentials(path).save(anchor(1));
    } finally {
      process.umask(mask);
    }
    expect(await modeOf(path)).toBe(0o600);
  });

  it('is whole at every moment, however many write at once, and leaves nothing behind', async () => {
    verifies('BW-sdk.03');
    const path = join(folder, 'ada.json');
    const store = fileCredentials(path);
    await store.save(anchor(0));
    const state = { writing: true };
    const seen = new Set<string>();
    const reader = (async () => {
      while (state.writing) {
        const read = await fileCredentials(path).load();
        // A torn file would not parse, or would mix two writers.
        expect(read?.clientSessionId).toBe(anchor(Number(read?.agentId.slice('agent-'.length))).clientSessionId);
        seen.add(read?.agentId ?? '');
      }
    })();
    await Promise.all(Array.from({ length: 40 }, (_, n) => fileCredentials(path).save(anchor(n))));
    state.writing = false;
    await reader;
    expect(seen.size).toBeGreaterThan(0);
    expect(await readdir(folder)).toEqual(['ada.json']);
  });

  it('stays what it was when it cannot be replaced, and leaves nothing behind', async () => {
    verifies('BW-sdk.03');
    // A folder in its place: the rename fails after the draft was written.
    const path = join(folder, 'ada.json');
    await mkdir(path);
    await writeFile(join(path, 'inside'), 'x');
    await expect(fileCredentials(path).save(anchor(1))).rejects.toThrow(CredentialsError);
    expect(await readdir(folder)).toEqual(['ada.json']);
    expect(await readdir(path)).toEqual(['inside']);
  });

  it('replaces a link instead of writing through it', async () => {
    const victim = join(folder, 'victim');
    await writeFile(victim, 'untouched');
    await symlink(victim, join(folder, 'ada.json'));
    await fileCredentials(join(folder, 'ada.json')).save(anchor(1));
    expect(await readFile(victim, 'utf8')).toBe('untouched');
  });

  it.each(['', 'no json', '[]', 'null', '{}', '{"agent_uuid":"a"}', '{"agent_uuid":1,"client_session_id":"s"}'])(
    'that holds something else is an error, never "none": %j',
    async (text) => {
      verifies('BW-sdk.03');
      const path = join(folder, 'ada.json');
      await writeFile(path, text);
      await expect(fileCredentials(path).load()).rejects.toThrow(CredentialsError);
    },
  );

  it('that could not be written is found out before anybody is made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(fileCredentials(join(folder, 'file', 'ada.json')).load()).rejects.toThrow(CredentialsError);
  });

  it.each(['', '../x', 'a/b', '.hidden', 'x'.repeat(101)])('has no name that leads elsewhere: %j', (name) => {
    expect(() => namedCredentials(name)).toThrow(CredentialsError);
  });
});
