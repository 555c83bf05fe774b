import { readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { AttestedProcess, PeerAttestation } from '../runtime/index.ts';

/** What the kernel says of the peers of a unix socket (W3-3.09). Every call answers for the moment of the call. */
export interface PeerAttestor {
  /** Remembers who connected; to be called when the connection is accepted. */
  accepted(socket: Socket): void;
  /** The peer's process as it is now; undefined for a socket that was not accepted here. */
  attest(socket: Socket): PeerAttestation | undefined;
}

/** The peer of a connection as the kernel named it when it connected. */
interface Credentials {
  readonly pid: number;
  readonly uid: number;
}

/** Reads a connected socket's peer from the kernel; undefined when it does not say. */
type ReadCredentials = (socket: Socket) => Credentials | undefined;

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const UCRED_BYTES = 12;

/** SO_PEERCRED by a foreign function, since Node has no way to ask. Loaded only when a socket is configured. */
const loadPeerCredentials = async (): Promise<ReadCredentials> => {
  const { default: koffi } = await import('koffi');
  const getsockopt = koffi
    .load(null)
    .func('int getsockopt(int fd, int level, int name, _Out_ void *value, _Inout_ uint32_t *length)');
  return (socket) => {
    const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
    if (fd === undefined || fd < 0) return undefined;
    const ucred = Buffer.alloc(UCRED_BYTES);
    const length = [UCRED_BYTES];
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, ucred, length) !== 0 || length[0] !== UCRED_BYTES) return undefined;
    return { pid: ucred.readInt32LE(0), uid: ucred.readUInt32LE(4) };
  };
};

/** When a process began, in clock ticks since boot. Its name may hold spaces and parentheses, so it is read from the end. */
const startTimeOf = (proc: string, pid: number): string => {
  const stat = readFileSync(`${proc}/${pid}/stat`, 'utf8');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  if (start === undefined) throw new Error('stat has no start time');
  return start;
};

/** The systemd unit in a control group's path: its innermost service or scope. */
const unitOf = (proc: string, pid: number): string | null => {
  const path = readFileSync(`${proc}/${pid}/cgroup`, 'utf8').split('\n')[0] ?? '';
  return path.split('/').findLast((part) => /\.(service|scope)$/.test(part)) ?? null;
};

const readProcess = (proc: string, { pid, uid }: Credentials): AttestedProcess => ({
  pid,
  uid,
  startTime: startTimeOf(proc, pid),
  executable: readlinkSync(`${proc}/${pid}/exe`),
  unit: unitOf(proc, pid),
});

const failed = (code: 'attestation_failed' | 'pid_reuse', detail: string): PeerAttestation => ({
  ok: false,
  code,
  detail,
});

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * The attestor of Linux: SO_PEERCRED and /proc. Rejects on other platforms. The process is read anew at every call, since
 * it may have run another program since; one whose start time is not that of the connection is another process with its
 * id. `proc` and `credentials` are the kernel's, and may be put in its place.
 */
export const createPeerAttestor = async (
  options: { readonly proc?: string; readonly credentials?: ReadCredentials; readonly platform?: string } = {},
): Promise<PeerAttestor> => {
  const platform = options.platform ?? process.platform;
  if (platform !== 'linux')
    throw new Error(`Peers of a unix socket can be attested on Linux only, not on ${platform}.`);
  const proc = options.proc ?? '/proc';
  const credentialsOf = options.credentials ?? (await loadPeerCredentials());
  const peers = new WeakMap<Socket, { readonly who: Credentials; readonly startTime: string } | PeerAttestation>();
  return {
    accepted(socket) {
      try {
        const who = credentialsOf(socket);
        peers.set(
          socket,
          who === undefined || who.pid <= 0
            ? failed('attestation_failed', 'the kernel names no peer')
            : { who, startTime: startTimeOf(proc, who.pid) },
        );
      } catch (error) {
        peers.set(socket, failed('attestation_failed', messageOf(error)));
      }
    },
    attest(socket) {
      const peer = peers.get(socket);
      if (peer === undefined || 'ok' in peer) return peer;
      try {
        const now = readProcess(proc, peer.who);
        if (now.startTime !== peer.startTime) return failed('pid_reuse', 'another process has the id of the peer');
        if (now.executable.endsWith(' (deleted)')) return failed('attestation_failed', 'its executable is gone');
        // Read once more: the process may have ended, and its id been taken, while the rest was read.
        if (startTimeOf(proc, peer.who.pid) !== peer.startTime) return failed('pid_reuse', 'the peer ended');
        return { ok: true, process: now };
      } catch (error) {
        return failed('attestation_failed', messageOf(error));
      }
    },
  };
};
