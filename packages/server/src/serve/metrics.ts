import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { FeedClientCounts } from './feed-clients.ts';
import { watchFeedClients, watchFleet, type FleetSeries } from './fleet-series.ts';
import { gauge } from './series.ts';

/** One handled MCP request or notification, or a REST call of a tool, which counts as `tools/call`. */
interface Operation {
  /** JSON-RPC method. */
  readonly method: string;
  readonly transport: 'rest' | 'mcp';
  readonly seconds: number;
  /** Name of the tool; only names of the registry, so that callers cannot make series. */
  readonly tool?: string;
  /** Absent: it went well. */
  readonly errorType?: string;
}

const FATES = ['stored', 'dropped', 'waiting'] as const;
type Fate = (typeof FATES)[number];

/** What the gauges read when somebody asks for `/metrics`. Every function must be cheap and must not throw. */
interface Gauges {
  /** Per kind of mailbox: keys in memory and messages that wait. */
  readonly mailboxes: Readonly<Record<string, () => { readonly keys: number; readonly waiting: number }>>;
  /** Per live table: its rows. */
  readonly liveTables: Readonly<Record<string, () => number>>;
  /** Parts and whether they are warm. */
  readonly readiness: () => Readonly<Record<string, boolean>>;
  /** Items that wait for the next group commit. */
  readonly commitQueue?: () => number;
  /** Per kind of what the channel takes: what became of it since the start, and what waits now. */
  readonly channel?: () => Readonly<Record<string, Readonly<Record<Fate, number>>>>;
  /** Event-loop delay of the last interval, in ms. */
  readonly loopDelay?: () => { readonly maxMs: number; readonly p99Ms: number };
  /** The audit tables as they were found at the last look; rows are an estimate, null when there is none. */
  readonly auditTables?: () => readonly {
    readonly table: string;
    readonly rows: number | null;
    readonly bytes: number;
    readonly ahead: number;
    readonly overdue: readonly unknown[];
  }[];
  /** What is known of the fleet. */
  readonly fleet?: FleetSeries;
}

/** The instruments of the process. Observers never throw and never wait. */
export interface Metrics {
  operation(operation: Operation): void;
  /** Counts the error code of a refused or failed tool call; codes come from the catalogue. */
  toolError(tool: string, code: string): void;
  httpRequest(request: { method: string; route: string; status: number; seconds: number }): void;
  /** One flush of the group commit: how many items, whether it committed, how long it took. */
  commit(flush: { items: number; ok: boolean; seconds: number }): void;
  /** Names what the gauges read. Called once, by whoever puts the process together. */
  watch(gauges: Gauges): void;
  /** Names what the series of the live feed's clients read; called by the server that has them. */
  watchFeed(clients: () => FeedClientCounts): void;
  readonly contentType: string;
  /** The exposition. */
  expose(): Promise<string>;
}

/**
 * The boundaries of the MCP conventions, with finer ones below: an answer here usually takes a millisecond, and the
 * conventions begin at ten.
 */
const OPERATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const NO_CLIENTS = (): FeedClientCounts => ({ clients: 0, ended: { slow: 0, silent: 0, revoked: 0, stopping: 0 } });
const COMMIT_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/**
 * Prometheus series under the OpenTelemetry conventions: `mcp.server.operation.duration` with `mcp.method.name`,
 * `gen_ai.tool.name` and `error.type`, and `http.server.request.duration`, dots written as underscores and the unit
 * appended (BW-serve.09). A tool result that is an error has `error.type` `tool_error`, whatever the transport made of it
 * (BW-serve.07).
 */
export const createMetrics = (): Metrics => {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });

  const operations = new Histogram({
    name: 'mcp_server_operation_duration_seconds',
    help: 'Duration of a handled MCP operation; a REST tool call counts as tools/call',
    labelNames: ['mcp_method_name', 'gen_ai_tool_name', 'error_type', 'breakwater_transport'],
    buckets: OPERATION_BUCKETS,
    registers,
  });
  const toolErrors = new Counter({
    name: 'breakwater_tool_errors_total',
    help: 'Tool calls that were refused or failed, by error code',
    labelNames: ['gen_ai_tool_name', 'error_code'],
    registers,
  });
  const http = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'Duration of an HTTP request, by route and status',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
    buckets: OPERATION_BUCKETS,
    registers,
  });
  const commits = new Histogram({
    name: 'breakwater_commit_duration_seconds',
    help: 'Duration of a group commit',
    labelNames: ['outcome'],
    buckets: COMMIT_BUCKETS,
    registers,
  });
  const committed = new Counter({
    name: 'breakwater_commit_items_total',
    help: 'Items that a group commit carried',
    labelNames: ['outcome'],
    registers,
  });

  let feedClients = NO_CLIENTS;
  watchFeedClients(registry, () => feedClients());

  return {
    operation: ({ method, tool, errorType, transport, seconds }) =>
      operations.observe(
        {
          mcp_method_name: method,
          gen_ai_tool_name: tool ?? '',
          error_type: errorType ?? '',
          breakwater_transport: transport,
        },
        seconds,
      ),
    toolError: (tool, code) => toolErrors.inc({ gen_ai_tool_name: tool, error_code: code }),
    httpRequest: ({ method, route, status, seconds }) =>
      http.observe({ http_request_method: method, http_route: route, http_response_status_code: status }, seconds),
    commit: ({ items, ok, seconds }) => {
      const outcome = ok ? 'committed' : 'failed';
      commits.observe({ outcome }, seconds);
      committed.inc({ outcome }, items);
    },
    watch: (gauges) => watch(registry, gauges),
    watchFeed: (clients) => void (feedClients = clients),
    contentType: registry.contentType,
    expose: () => registry.metrics(),
  };
};

const watchAudit = (registry: Registry, read: NonNullable<Gauges['auditTables']>): void => {
  gauge(registry, 'breakwater_audit_rows', 'Rows of an audit table, estimated', ['table'], (set) => {
    for (const { table, rows } of read()) if (rows !== null) set({ table }, rows);
  });
  gauge(registry, 'breakwater_audit_bytes', 'Size of an audit table with its indexes', ['table'], (set) => {
    for (const { table, bytes } of read()) set({ table }, bytes);
  });
  gauge(registry, 'breakwater_audit_partitions_ahead', 'Months that have a partition already', ['table'], (set) => {
    for (const { table, ahead } of read()) set({ table }, ahead);
  });
  gauge(registry, 'breakwater_audit_partitions_overdue', 'Partitions that should be gone', ['table'], (set) => {
    for (const { table, overdue } of read()) set({ table }, overdue.length);
  });
};

const watch = (registry: Registry, gauges: Gauges): void => {
  gauge(registry, 'breakwater_mailbox_keys', 'Keys with state in memory', ['mailbox'], (set) => {
    for (const [mailbox, read] of Object.entries(gauges.mailboxes)) set({ mailbox }, read().keys);
  });
  gauge(registry, 'breakwater_mailbox_waiting', 'Messages that wait for their turn', ['mailbox'], (set) => {
    for (const [mailbox, read] of Object.entries(gauges.mailboxes)) set({ mailbox }, read().waiting);
  });
  gauge(registry, 'breakwater_live_table_rows', 'Rows of a live table', ['table'], (set) => {
    for (const [table, read] of Object.entries(gauges.liveTables)) set({ table }, read());
  });
  gauge(registry, 'breakwater_ready', '1 when the part is warm', ['part'], (set) => {
    for (const [part, warm] of Object.entries(gauges.readiness())) set({ part }, warm ? 1 : 0);
  });
  const { auditTables, channel, commitQueue, loopDelay } = gauges;
  if (channel !== undefined) {
    gauge(registry, 'breakwater_channel_emissions', 'Failures and measurements, by fate', ['kind', 'fate'], (set) => {
      for (const [kind, emissions] of Object.entries(channel())) {
        for (const fate of FATES) set({ kind, fate }, emissions[fate]);
      }
    });
  }
  if (auditTables !== undefined) watchAudit(registry, auditTables);
  if (commitQueue !== undefined) {
    gauge(registry, 'breakwater_commit_waiting', 'Items that wait for the next commit', [], (set) => {
      set({}, commitQueue());
    });
  }
  if (loopDelay !== undefined) {
    gauge(registry, 'breakwater_event_loop_delay_seconds', 'Delay in the last interval', ['quantile'], (set) => {
      set({ quantile: '0.99' }, loopDelay().p99Ms / 1000);
      set({ quantile: '1' }, loopDelay().maxMs / 1000);
    });
  }
  if (gauges.fleet !== undefined) watchFleet(registry, gauges.fleet);
};
