import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, startEmbedded, type Database, type EmbeddedServer } from '../src/postgres/index.ts';
import { freePort, NO_LIMITS, spawnServer, temporaryDataDir, until, type ServerProcess } from '../testing/server.ts';
import { removeDataDir } from '../testing/server.ts';
import { postgresProxy, type PostgresProxy } from '../testing/postgres-proxy.ts';
import type { PlannedFault } from './plan.ts';

const SETTINGS = {
  shared_buffers: '32MB',
  wal_level: 'replica',
  max_wal_senders: '4',
  wal_keep_size: '64MB',
  hot_standby: 'on',
} as const;
/** A stopped server may take this long; docs/operations.md promises it. */
const STOP_MS = 5_000;
/** The machine may be busy with the other nodes. */
const STOP_SLACK_MS = 2_500;

interface Node {
  readonly url: string;
  readonly port: number;
  readonly proxy: PostgresProxy;
  readonly dataDir: string;
  server: ServerProcess;
}

/**
 * Servers over one PostgreSQL with a standby, each behind a network of its own; and what can be done to all of them. Everything
 * is a real process, and {@link Cluster.stop} ends it.
 */
export class Cluster {
  readonly #primary: EmbeddedServer;
  readonly #standby: EmbeddedServer;
  readonly #folders: readonly string[];
  #admin: Database;
  readonly #nodes: Node[] = [];
  readonly findings: string[] = [];
  /** The longest stop after SIGTERM, ms. */
  slowestStopMs = 0;

  private constructor(primary: EmbeddedServer, standby: EmbeddedServer, folders: readonly string[]) {
    this.#primary = primary;
    this.#standby = standby;
    this.#folders = folders;
    this.#admin = openDatabase({ target: primary.target, poolSize: 4, onError: () => undefined, name: 'nodes-admin' });
  }

  static async start(count: number): Promise<Cluster> {
    const [one, two] = [temporaryDataDir({ empty: true }), temporaryDataDir({ empty: true })];
    const first = await startEmbedded({ dataDir: one, settings: SETTINGS });
    // A copy of a cluster that was stopped in order is a standby of it.
    await first.stop();
    const copied = spawnSync('cp', ['-a', join(first.dataDir, 'pg'), join(two, 'pg')]);
    const marked = spawnSync('cp', ['-a', join(two, 'pg/PG_VERSION'), join(two, 'pg/standby.signal')]);
    if (copied.status !== 0 || marked.status !== 0) throw new Error('the copy for the standby failed');
    const primary = await startEmbedded({ dataDir: one, settings: SETTINGS });
    const standby = await startEmbedded({
      dataDir: two,
      settings: {
        ...SETTINGS,
        primary_conninfo: `host=${primary.target.socketDir} port=5432 user=breakwater application_name=standby`,
      },
    });
    const cluster = new Cluster(primary, standby, [one, two]);
    for (let i = 0; i < count; i += 1) await cluster.#add();
    return cluster;
  }

  /** A pool on PostgreSQL itself, past every fault of the network. */
  get database(): Database {
    return this.#admin;
  }

  get urls(): readonly string[] {
    return this.#nodes.map(({ url }) => url);
  }

  async #add(): Promise<void> {
    const { target } = this.#primary;
    if (!('database' in target)) throw new Error('PostgreSQL of our own is reached by its socket');
    const proxy = await postgresProxy(target, 'pass');
    const [port, dataDir] = [await freePort(), temporaryDataDir({ empty: true })];
    const node: Node = { url: `http://127.0.0.1:${port}`, port, proxy, dataDir, server: spawn(proxy, dataDir, port) };
    this.#nodes.push(node);
    await node.server.ready();
  }

  /** Does a fault and takes it back; resolves when it is over. `begun` hears of its beginning. */
  async suffer({ fault, node: index, forMs }: PlannedFault): Promise<void> {
    const node = this.#nodes[index];
    if (node === undefined) throw new Error(`there is no node ${index}`);
    const { proxy } = node;
    const lead = (to: EmbeddedServer) => {
      for (const one of this.#nodes) one.proxy.leadTo(to.target.socketDir);
    };
    switch (fault) {
      case 'kill':
        await node.server.kill();
        await sleep(forMs);
        return this.#begin(node);
      case 'restart':
        await this.#end(node);
        await sleep(forMs);
        return this.#begin(node);
      case 'freeze':
        node.server.signal('SIGSTOP');
        await sleep(forMs);
        node.server.signal('SIGCONT');
        return;
      case 'refuse':
      case 'hang':
        // What is open hangs too: its packets vanish, since a network that is away takes no leave.
        if (fault === 'hang') proxy.halfOpen();
        proxy.become(fault);
        await sleep(forMs);
        proxy.become('pass');
        return;
      case 'delay':
        proxy.delay(60);
        await sleep(forMs);
        proxy.delay(0);
        return;
      case 'half_open':
        proxy.halfOpen();
        return sleep(forMs);
      case 'unlisten':
        await this.#admin.query({
          text: `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE application_name LIKE 'breakwater %' AND query LIKE '%pg_stat_activity%'`,
        });
        return sleep(forMs);
      case 'absent_standby':
        await this.#synchronous('absent');
        await sleep(forMs);
        return this.#synchronous('');
      case 'standby':
        lead(this.#standby);
        await sleep(forMs);
        lead(this.#primary);
        return;
      case 'failover':
        return this.#failOver(lead, forMs);
    }
  }

  async #synchronous(names: string): Promise<void> {
    await this.#admin.query({ text: `ALTER SYSTEM SET synchronous_standby_names = '${names}'` });
    await this.#admin.query({ text: 'SELECT pg_reload_conf()' });
  }

  /** What was acknowledged must be on the standby before the primary goes: so it is made synchronous first. */
  async #failOver(lead: (to: EmbeddedServer) => void, forMs: number): Promise<void> {
    await this.#synchronous('standby');
    await until(async () => {
      const [row] = await this.#admin.query<{ safe: boolean }>({
        text: `SELECT sync_state = 'sync' AND flush_lsn >= pg_current_wal_flush_lsn() AS safe FROM pg_stat_replication`,
      });
      return row?.safe === true ? true : undefined;
    }, 'the standby has everything');
    await this.#admin.close();
    process.kill(this.#primary.pid, 'SIGQUIT');
    await until(() => (this.#primary.isRunning() ? undefined : true), 'the primary has gone');
    await sleep(forMs);
    this.#admin = openDatabase({ target: this.#standby.target, poolSize: 4, onError: () => undefined });
    await this.#admin.query({ text: 'SELECT pg_promote()' });
    lead(this.#standby);
  }

  async #begin(node: Node): Promise<void> {
    node.server = spawn(node.proxy, node.dataDir, node.port);
    await node.server.ready();
  }

  async #end({ server }: Node): Promise<void> {
    const { ms, code, signal } = await server.stop();
    this.slowestStopMs = Math.max(this.slowestStopMs, ms);
    if (ms > STOP_MS + STOP_SLACK_MS) this.findings.push(`STOP: a server took ${Math.round(ms)} ms to stop`);
    if (code !== 0) this.findings.push(`STOP: a server ended with ${code ?? signal}: ${server.stderr().slice(-500)}`);
  }

  /** Ends every server in order. */
  async stopServers(): Promise<void> {
    for (const node of this.#nodes) await this.#end(node);
  }

  /** Ends everything, however it stands with it. */
  async stop(): Promise<void> {
    for (const { server, proxy, dataDir } of this.#nodes) {
      server.signal('SIGCONT');
      await server.kill();
      await proxy.close();
      await removeDataDir(dataDir);
    }
    await this.#admin.close();
    for (const server of [this.#standby, this.#primary]) await server.stop();
    for (const folder of this.#folders) await removeDataDir(folder);
  }
}

const spawn = (proxy: PostgresProxy, dataDir: string, port: number): ServerProcess =>
  spawnServer(dataDir, { port, env: { ...NO_LIMITS, DATABASE_URL: proxy.url } });
