/**
 * A load generator in a process of its own, so that it shares no event loop with what it measures. It speaks just enough
 * HTTP/1.1 over plain sockets: a full client would cost as much as the server. Started by the bench with its task as
 * JSON; answers one JSON line.
 */
import { connect, type Socket } from 'node:net';

/** Closed-loop load: every client sends its next request when the last one is answered. */
export interface LoadTask {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly clients: number;
  readonly seconds: number;
  /** Request bodies are made from this template: `$SESSION`, `$RUN` and `$N` are replaced. */
  readonly body: string;
  /** Session secrets; each client walks its own share of them. */
  readonly sessions: readonly string[];
  /** What a good reply contains; any other reply counts as failed. */
  readonly expect: string;
}

export interface LoadResult {
  readonly completed: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
  readonly firstFailure: string | null;
}

/** One connection that reads replies with a Content-Length, one at a time. */
class Client {
  readonly #socket: Socket;
  #received = '';
  #resolve: ((body: string) => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk: string) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#reject?.(error));
    this.#socket.on('close', () => this.#reject?.(new Error('the server closed the connection')));
  }

  exchange(request: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket.destroy();
  }

  #read(chunk: string): void {
    this.#received += chunk;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = /content-length: (\d+)/i.exec(this.#received.slice(0, end));
    const total = end + 4 + Number(length?.[1] ?? 0);
    if (this.#received.length < total) return;
    const body = this.#received.slice(end + 4, total);
    this.#received = this.#received.slice(total);
    this.#resolve?.(body);
  }
}

const percentile = (sorted: Float64Array, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const run = async (task: LoadTask): Promise<LoadResult> => {
  const head =
    `POST ${task.path} HTTP/1.1\r\nHost: 127.0.0.1:${task.port}\r\nContent-Type: application/json\r\n` +
    Object.entries(task.headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
  const latencies: number[] = [];
  let failed = 0;
  let firstFailure: string | null = null;
  const started = performance.now();
  const stopAt = started + task.seconds * 1000;
  let serial = 0;
  const runName = Date.now().toString(36);

  const client = async (index: number): Promise<void> => {
    const connection = new Client(task.port);
    let turn = index;
    while (performance.now() < stopAt) {
      const session = task.sessions[turn % task.sessions.length] ?? '';
      // Clients walk disjoint shares, so that no two of them wait for one agent's mailbox.
      turn += task.clients;
      serial += 1;
      const body = task.body
        .replaceAll('$SESSION', session)
        .replaceAll('$RUN', runName)
        .replaceAll('$N', String(serial));
      const before = performance.now();
      const reply = await connection.exchange(`${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      latencies.push(performance.now() - before);
      if (!reply.includes(task.expect)) {
        failed += 1;
        firstFailure ??= reply.slice(0, 300);
      }
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: task.clients }, (_, index) => client(index)));
  const seconds = (performance.now() - started) / 1000;
  const sorted = Float64Array.from(latencies).sort();
  return {
    completed: latencies.length - failed,
    failed,
    seconds,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    firstFailure,
  };
};

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
console.log(JSON.stringify(await run(JSON.parse(Buffer.concat(chunks).toString('utf8')) as LoadTask)));
