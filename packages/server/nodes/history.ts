import { OF_ALL, OUTAGES, type Fault } from './plan.ts';

/** How a call ended, as its caller can know it. */
export type End =
  /** Acknowledged. */
  | 'ok'
  /** Refused, and said to have changed nothing. */
  | 'refused'
  /** Not answered, or answered with a word that leaves open whether it took effect. */
  | 'unknown';

/** A check-in as its caller saw it; times in ms of one clock. */
export interface SentCheckIn {
  readonly agentId: string;
  readonly node: number;
  /** A text of its own, by which it is found again. */
  readonly mark: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly end: End;
  /** The server answered that it cannot serve. */
  readonly isUnserved: boolean;
  readonly code: string;
  /** The update that it was acknowledged as. */
  readonly update?: number;
}

/** A check-in as PostgreSQL has it. */
export interface StoredCheckIn {
  readonly agentId: string;
  readonly mark: string | null;
  readonly update: number;
}

/** An answer of /health/ready; `status` 0: none. */
export interface Reading {
  readonly node: number;
  readonly at: number;
  readonly status: number;
}

/** A fault as it was really done. */
export interface DoneFault {
  readonly fault: Fault;
  readonly node: number;
  readonly from: number;
  readonly to: number;
}

const groups = <T extends { readonly agentId: string }>(all: readonly T[]): Map<string, T[]> =>
  Map.groupBy(all, ({ agentId }) => agentId);

/**
 * Whether what callers were told and what PostgreSQL has are one order of check-ins per agent: none that was acknowledged is
 * lost, none is doubled, none is there that was refused, the update that each was told is its own, and one that began after
 * another was acknowledged comes after it.
 */
export const findInOrder = (sent: readonly SentCheckIn[], stored: readonly StoredCheckIn[]): string[] => {
  const found: string[] = [];
  const storedOf = groups(stored);
  for (const [agentId, calls] of groups(sent)) {
    const rows = storedOf.get(agentId) ?? [];
    const byMark = Map.groupBy(rows, ({ mark }) => mark);
    const known = new Set(calls.map(({ mark }) => mark));
    for (const { mark, update } of rows) {
      if (mark === null || !known.has(mark)) found.push(`${agentId}: update ${update} was sent by nobody`);
    }
    const updates = rows.map(({ update }) => update).sort((a, b) => a - b);
    updates.forEach((update, i) => {
      if (update !== i + 1) found.push(`${agentId}: update ${update} stands where ${i + 1} belongs`);
    });
    for (const call of calls) {
      const [row, ...more] = byMark.get(call.mark) ?? [];
      if (more.length > 0) found.push(`DOUBLED: ${call.mark} stands ${more.length + 1} times`);
      if (call.end === 'ok' && row === undefined)
        found.push(`LOST: ${call.mark}, acknowledged as update ${call.update}`);
      if (call.end === 'ok' && row !== undefined && row.update !== call.update) {
        found.push(`${call.mark} was acknowledged as update ${call.update} and stands as ${row.update}`);
      }
      if (call.end === 'refused' && row !== undefined) found.push(`${call.mark} was refused (${call.code}) and stands`);
    }
    const acknowledged = calls.filter(({ end }) => end === 'ok').sort((a, b) => a.startedAt - b.startedAt);
    const byEnd = acknowledged.toSorted((a, b) => a.endedAt - b.endedAt);
    let next = 0;
    let newest: SentCheckIn | undefined;
    for (const call of acknowledged) {
      for (; (byEnd[next]?.endedAt ?? Infinity) < call.startedAt; next += 1) {
        const ended = byEnd[next];
        if (ended !== undefined && (newest?.update ?? 0) < (ended.update ?? 0)) newest = ended;
      }
      if (newest !== undefined && (call.update ?? 0) < (newest.update ?? 0)) {
        found.push(
          `ORDER: ${call.mark} is update ${call.update}, and began after update ${newest.update} was acknowledged`,
        );
      }
    }
  }
  return found;
};

/** A node that serves again so soon need not have said that it did not. */
const BLIP_MS = 2_000;

/** Faults that keep a node itself from answering, whatever it knows of PostgreSQL. */
const OF_PROCESS: ReadonlySet<Fault> = new Set(['kill', 'freeze', 'restart']);

/** Whether a fault touched the node between two times. */
export const isDisturbed = (faults: readonly DoneFault[], node: number, from: number, to: number): boolean =>
  faults.some((done) => (done.node === node || OF_ALL.has(done.fault)) && done.from <= to && done.to >= from);

/**
 * Whether /health/ready told the truth: not 200 from `withinMs` after the beginning of an outage to its end, and not 200 all
 * along while a write was answered that it cannot be served.
 */
export const findInReadiness = (
  readings: readonly Reading[],
  faults: readonly DoneFault[],
  sent: readonly SentCheckIn[],
  withinMs: number,
): { readonly findings: string[]; readonly latestMs: number } => {
  const findings: string[] = [];
  let latestMs = 0;
  for (const { fault, node, from, to } of faults) {
    if (!OUTAGES.has(fault)) continue;
    const lies = readings.filter(
      (one) => one.status === 200 && (OF_ALL.has(fault) || one.node === node) && one.at > from && one.at < to,
    );
    const latest = Math.max(0, ...lies.map(({ at }) => at - from));
    latestMs = Math.max(latestMs, latest);
    const late = lies.filter(({ at }) => at - from > withinMs);
    if (late.length > 0) {
      findings.push(`READY: 200 from node ${late[0]?.node} ${Math.round(latest)} ms after the beginning of ${fault}`);
    }
  }
  const ofProcess = faults.filter(({ fault }) => OF_PROCESS.has(fault));
  for (const { node, isUnserved, startedAt, endedAt, code, mark } of sent) {
    if (!isUnserved || isDisturbed(ofProcess, node, startedAt - withinMs, endedAt)) continue;
    const near = readings.filter(
      (one) => one.node === node && one.at >= startedAt - withinMs && one.at <= endedAt + withinMs,
    );
    // A connection that was lost and is there again is no state of the node.
    const isBlip = sent.some(
      (one) =>
        one.node === node && one.end === 'ok' && one.startedAt >= startedAt && one.startedAt <= endedAt + BLIP_MS,
    );
    if (!isBlip && near.length > 0 && near.every(({ status }) => status === 200)) {
      findings.push(`READY: 200 from node ${node} all along while ${mark} was answered ${code}`);
    }
  }
  return { findings, latestMs };
};
