import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectMcp } from '../testing/mcp.ts';
import { callTool, type Json } from '../testing/rest.ts';
import {
  removeDataDir,
  runCommand,
  spawnServer,
  temporaryDataDir,
  until,
  type ServerProcess,
} from '../testing/server.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { verifies } from '../testing/verifies.ts';

const data = temporaryDataDir();
const work = temporaryFolder('socket');
const socket = join(work, 'own', 'breakwater.sock');
/** The program of the enrolled agent: the same code in a file of its own, which is what the kernel tells apart. */
const resident = join(work, 'resident');

const CALLER = `
  const { request } = require('node:http');
  const [socketPath, body] = process.argv.slice(1);
  const call = request({ socketPath, path: '/v1/tools/call', method: 'POST',
    headers: { host: 'localhost', 'content-type': 'application/json' } }, (reply) => {
    let text = '';
    reply.setEncoding('utf8').on('data', (chunk) => (text += chunk)).on('end', () => process.stdout.write(text));
  });
  call.on('error', (error) => { process.stderr.write(String(error)); process.exit(1); });
  call.end(body);
`;

/** Calls a tool over the socket from a process of its own that runs `program`. */
const callFrom = async (program: string, name: string, args: Json): Promise<Json> => {
  const child = spawn(program, ['-e', CALLER, '--', socket, JSON.stringify({ name, arguments: args })], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (out += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the caller ended with ${code}: ${err}`);
  return (JSON.parse(out) as { result: Json }).result;
};

let server: ServerProcess;
let url: string;
const start = async () => {
  server = spawnServer(data, { env: { BREAKWATER_SOCKET: socket } });
  url = await server.ready();
};
beforeAll(async () => {
  copyFileSync(realpathSync(process.execPath), resident);
  await start();
});
afterAll(async () => {
  await server.stop();
  await removeDataDir(data);
});

describe('the unix socket', () => {
  let uuid: string;
  let proof: Json;
  let token: string;

  test('case 73: is for its owner alone from the first moment, in a folder of its owner', () => {
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(join(work, 'own')).mode & 0o777).toBe(0o700);
  });

  test('serves as HTTP does, and an agent that is not enrolled is bound by its secret there', async () => {
    const { result } = await callTool(url, 'onboard', { name: 'Resident' });
    uuid = result['uuid'] as string;
    token = result['continuity_token'] as string;
    proof = { client_session_id: result['client_session_id'] };
    expect(await callFrom(process.execPath, 'identity', proof)).toMatchObject({
      uuid,
      session_resolution_source: 'client_session_id',
    });
    // Without an enrolment a process proves nothing (case 62).
    expect(await callFrom(resident, 'identity', { agent_uuid: uuid })).toMatchObject({
      error_code: 'BARE_UUID_RESUME_DENIED',
    });
  });

  test('cases 63, 67, 68: an enrolled agent is its process there, and nobody over HTTP', async () => {
    verifies('W3-3.09');
    const enrolled = await runCommand([
      'substrate',
      'enrol',
      '--agent',
      uuid,
      '--executable',
      resident,
      '--reason',
      'its own host',
      '--data-dir',
      data,
    ]);
    expect(enrolled).toMatchObject({ code: 0, stderr: '' });
    await until(async () => {
      const { result } = await callTool(url, 'identity', proof);
      return result['error_code'] === 'SUBSTRATE_REQUIRES_SOCKET' || undefined;
    }, 'the server knows of the enrolment');
    for (const args of [proof, { agent_uuid: uuid, continuity_token: token }, { ...proof, agent_uuid: uuid }]) {
      for (const name of ['identity', 'onboard', 'sync_state', 'check_working_state']) {
        const { result } = await callTool(url, name, { ...args, ...(name === 'sync_state' && { response_text: 'x' }) });
        expect(result['error_code'], name).toBe('SUBSTRATE_REQUIRES_SOCKET');
      }
    }
    const mcp = await connectMcp(url, '2025');
    expect((await mcp.call('identity', proof)).result['error_code']).toBe('SUBSTRATE_REQUIRES_SOCKET');
    await mcp.close();

    expect(await callFrom(resident, 'identity', { agent_uuid: uuid })).toMatchObject({
      uuid,
      session_resolution_source: 'attested_process',
      identity_assurance: { tier: 'strong', caller_proven: true },
    });
    expect(await callFrom(resident, 'sync_state', { agent_uuid: uuid, response_text: 'at work' })).toMatchObject({
      success: true,
    });
  });

  test('case 64: another program on the socket is refused, with or without the secret', async () => {
    verifies('W3-3.09');
    expect(await callFrom(process.execPath, 'identity', proof)).toMatchObject({
      error_code: 'SUBSTRATE_REQUIRES_SOCKET',
      reason: 'exec_mismatch',
    });
    expect(await callFrom(process.execPath, 'identity', { agent_uuid: uuid })).toMatchObject({
      error_code: 'BARE_UUID_RESUME_DENIED',
    });
  });

  test('case 71: who asks for a new identity gets one, the enrolment notwithstanding', async () => {
    const { result } = await callTool(url, 'onboard', { ...proof, force_new: true });
    expect(result).toMatchObject({ success: true, is_new: true });
    expect(result['uuid']).not.toBe(uuid);
  });

  test('case 72: a new process of the same program is the agent again, after a restart of the server too', async () => {
    verifies('W3-3.09');
    await server.stop();
    expect(existsSync(socket)).toBe(false);
    // What a killed server leaves is no obstacle.
    await start();
    await server.kill();
    expect(existsSync(socket)).toBe(true);
    await start();
    expect(await callFrom(resident, 'identity', { agent_uuid: uuid })).toMatchObject({ uuid });
    expect((await callTool(url, 'identity', proof)).result['error_code']).toBe('SUBSTRATE_REQUIRES_SOCKET');
  });

  test('case 69: the end of the enrolment gives the agent back to its secret', async () => {
    const removed = await runCommand(['substrate', 'remove', '--agent', uuid, '--reason', 'r', '--data-dir', data]);
    expect(removed).toMatchObject({ code: 0 });
    await until(async () => {
      const { result } = await callTool(url, 'identity', proof);
      return result['uuid'] === uuid || undefined;
    }, 'the server knows of it');
  });
});

describe('a socket that cannot be', () => {
  const refused = async (path: string) => {
    const other = temporaryDataDir();
    const { code, stderr } = await runCommand(['serve', '--port', '0', '--data-dir', other], {
      env: { BREAKWATER_SOCKET: path },
    });
    await removeDataDir(other);
    expect(code).toBe(1);
    return stderr;
  };

  test.each([
    ['is longer than the kernel allows', () => join(work, 'x'.repeat(120)), 'longer than 107 bytes'],
    ['is the one of a server that lives', () => socket, 'another server listens there'],
    [
      'is a file of somebody',
      () => {
        const path = join(work, 'own', 'a-file');
        writeFileSync(path, 'mine');
        return path;
      },
      'a file is there that is no socket',
    ],
    ['is where others may write', () => '/tmp/breakwater-test.sock', 'others may write to its folder'],
  ])('because it %s, stops the start and names the way out', async (_, path, said) => {
    const text = await refused(path());
    expect(text).toContain(said);
    expect(text).toContain('BREAKWATER_SOCKET');
  });
});
