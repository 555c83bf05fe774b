import type { ReportWindow } from '../../channel/index.ts';
import type { Database, Queryable } from '../../postgres/index.ts';
import { FORMATS, type Row } from './format.ts';
import { KINDS, type Kind, type KindName } from './kinds.ts';
import type { Sink } from './sink.ts';

/** Rows that are held in memory at once. */
const BATCH = 500;
const CURSOR = 'breakwater_export';

/** What was written of a kind. */
export interface Written {
  readonly what: KindName;
  readonly rows: number;
  readonly bytes: number;
}

/** What an export is to do. */
export interface ExportOrder {
  readonly kinds: readonly KindName[];
  readonly window: ReportWindow;
  readonly format: keyof typeof FORMATS;
  /** Opens the place of a kind. */
  sink(kind: KindName): Promise<Sink>;
  /** Hears how many rows of a kind are written so far. */
  onProgress(kind: KindName, rows: number): void;
  /** Breaks it off between two batches. */
  readonly stopping: AbortSignal;
}

const copy = async (tx: Queryable, what: KindName, order: ExportOrder, sink: Sink): Promise<Written> => {
  const kind: Kind = KINDS[what];
  const shape = kind.shape ?? ((row: Row): Row => row);
  const format = FORMATS[order.format];
  const { text, values = [] } = kind.statement(order.window);
  await tx.query({ text: `DECLARE ${CURSOR} NO SCROLL CURSOR FOR ${text}`, values });
  let rows = 0;
  let bytes = 0;
  const write = async (piece: string): Promise<void> => {
    bytes += Buffer.byteLength(piece);
    await sink.write(piece);
  };
  const heading = format.head(kind.columns);
  if (heading !== undefined) await write(heading);
  for (;;) {
    order.stopping.throwIfAborted();
    const batch = await tx.query<{ row: Row }>({ text: `FETCH ${BATCH} FROM ${CURSOR}` });
    if (batch.length === 0) break;
    await write(batch.map(({ row }) => format.line(what, kind.columns, shape(row))).join(''));
    rows += batch.length;
    order.onProgress(what, rows);
  }
  await tx.query({ text: `CLOSE ${CURSOR}` });
  return { what, rows, bytes };
};

/**
 * Writes records of a window, kind after kind, as they all were at one instant. Rows are fetched in batches, so that
 * neither side ever holds a whole table. Files count when all kinds are written; otherwise none is there.
 */
export const runExport = (database: Database, order: ExportOrder): Promise<Written[]> =>
  database.transaction(async (tx) => {
    await tx.query({ text: 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY' });
    await tx.query({ text: 'SET LOCAL statement_timeout = 0' });
    const sinks: Sink[] = [];
    const written: Written[] = [];
    try {
      for (const kind of order.kinds) {
        const sink = await order.sink(kind);
        sinks.push(sink);
        written.push(await copy(tx, kind, order, sink));
      }
      for (const sink of sinks) await sink.finish();
    } catch (error) {
      for (const sink of sinks) await sink.discard();
      throw error;
    }
    return written;
  });
