import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import { verifies } from '../../testing/verifies.ts';
import { createPeerAttestor } from './peer.ts';

const PID = 42;
const socket = new Socket();

/** A /proc with one process in it, whose facts a test may change. */
const fakeProc = () => {
  const proc = temporaryFolder('proc');
  const folder = join(proc, String(PID));
  mkdirSync(folder);
  symlinkSync('/usr/bin/resident', join(folder, 'exe'));
  writeFileSync(join(folder, 'cgroup'), '0::/system.slice/resident.service\n');
  const startedAt = (start: string) => {
    // The name of a process may hold whatever its program likes.
    const fields = ['S', ...Array.from({ length: 18 }, (_, i) => String(i)), start, '0', '0'];
    writeFileSync(join(folder, 'stat'), `${PID} (evil) 1 (S x) ${fields.join(' ')}`);
  };
  return { proc, startedAt };
};

const attestorOf = (proc: string, credentials = () => ({ pid: PID, uid: 7 })) =>
  createPeerAttestor({ proc, credentials, platform: 'linux' });

describe('what the kernel says of a peer', () => {
  const { proc, startedAt } = fakeProc();
  startedAt('1000');

  it('is its process as it is at the call: pid, user, start time, executable and unit', async () => {
    verifies('W3-3.09');
    const attestor = await attestorOf(proc);
    attestor.accepted(socket);
    expect(attestor.attest(socket)).toEqual({
      ok: true,
      process: { pid: PID, uid: 7, startTime: '1000', executable: '/usr/bin/resident', unit: 'resident.service' },
    });
    expect(attestor.attest(new Socket())).toBeUndefined();
  });

  it('case 72: is nothing when another process has taken the id since', async () => {
    verifies('W3-3.09');
    const attestor = await attestorOf(proc);
    attestor.accepted(socket);
    startedAt('1001');
    expect(attestor.attest(socket)).toMatchObject({ ok: false, code: 'pid_reuse' });
    startedAt('1000');
  });

  it('case 65: is a failure, and no admission, when it cannot be read', async () => {
    verifies('W3-3.09');
    const throwing = await createPeerAttestor({
      proc,
      platform: 'linux',
      credentials: () => {
        throw new Error('no');
      },
    });
    throwing.accepted(socket);
    expect(throwing.attest(socket)).toMatchObject({ ok: false, code: 'attestation_failed' });
    for (const credentials of [() => undefined, () => ({ pid: 0, uid: 0 }), () => ({ pid: 43, uid: 0 })]) {
      const attestor = await createPeerAttestor({ proc, platform: 'linux', credentials });
      attestor.accepted(socket);
      expect(attestor.attest(socket)).toMatchObject({ ok: false, code: 'attestation_failed' });
    }
  });

  it('is asked on Linux only', async () => {
    await expect(createPeerAttestor({ platform: 'darwin' })).rejects.toThrow(/Linux only/);
  });
});
