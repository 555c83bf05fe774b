import type { Database, Queryable } from '../postgres/index.ts';
import type { ReportWindow } from './report-window.ts';
import { reportClasses, reportDropped, reportLines, type Panel } from './sql.ts';

/** What is one line of the report. */
interface LineKey {
  readonly type: string;
  /** Null when the rows of the type have none. */
  readonly endpoint: string | null;
  readonly tool: string | null;
}

/** Rows of one type, endpoint and tool. */
export interface ReportLine extends LineKey {
  readonly count: number;
  /** Distinct ids of incidents (BW-channel.02). */
  readonly incidents: number;
  /** Distinct agents. */
  readonly agents: number;
  /** Of `elapsed_ms`; null when no row says it. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** ms since the epoch, UTC. */
  readonly first: number;
  readonly last: number;
  /** How many rows name each class of error. */
  readonly classes: Readonly<Record<string, number>>;
}

/** What the channel holds of a window, failures and measurements apart (W3-6.09). A panel without lines has no data. */
export interface ChannelReport extends Readonly<Record<Panel, readonly ReportLine[]>> {
  /** Emissions that were counted but not stored. */
  readonly dropped: number;
}

const keyOf = ({ type, endpoint, tool }: LineKey): string => JSON.stringify([type, endpoint, tool]);

const readPanel = async (tx: Queryable, panel: Panel, { from, to }: ReportWindow): Promise<ReportLine[]> => {
  const lines = await tx.query<Omit<ReportLine, 'classes'>>(reportLines(panel, from, to));
  const classes = new Map<string, Record<string, number>>();
  for (const row of await tx.query<LineKey & { class: string; count: number }>(reportClasses(panel, from, to))) {
    const of = classes.get(keyOf(row)) ?? {};
    of[row.class] = row.count;
    classes.set(keyOf(row), of);
  }
  return lines.map((line) => ({ ...line, classes: classes.get(keyOf(line)) ?? {} }));
};

/** Reads the report. It reads every row of the window, however long that takes. */
export const readReport = (database: Database, window: ReportWindow): Promise<ChannelReport> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    const failures = await readPanel(tx, 'failures', window);
    const measurements = await readPanel(tx, 'measurements', window);
    const [row] = await tx.query<{ dropped: number }>(reportDropped(window.from, window.to));
    return { failures, measurements, dropped: row?.dropped ?? 0 };
  });

/** Emissions of a window that were counted but not stored; found by an index, however many rows the window has. */
export const readDropped = async (database: Database, { from, to }: ReportWindow): Promise<number> => {
  const [row] = await database.query<{ dropped: number }>(reportDropped(from, to));
  return row?.dropped ?? 0;
};
