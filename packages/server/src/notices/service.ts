import { ok, refuse, type Result } from '@breakwater/contract';
import type { Database } from '../postgres/index.ts';
import { DAY_MS, type Clock, type Ids } from '../runtime/index.ts';
import * as sql from './sql.ts';

/** Equal findings within this time are one. */
const SAME_MS = DAY_MS;
const NOTICES_KEPT_MS = 30 * DAY_MS;
const NOTICES_OF_A_KIND = 20_000;
const POINTS_KEPT_MS = 400 * DAY_MS;
/** Names of metrics; a program that puts an id into each name must not fill the table. */
const NAMES = 1000;

/** One value of a metric. */
interface Point {
  readonly at: number;
  readonly value: number;
}

/** What programs around the agents report: kept for a bounded time, shown, and never scored. */
export class Notices {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #ids: Pick<Ids, 'rowId'>;

  constructor(options: { database: Database; clock: Clock; ids: Pick<Ids, 'rowId'> }) {
    this.#database = options.database;
    this.#clock = options.clock;
    this.#ids = options.ids;
  }

  get now(): number {
    return this.#clock.now();
  }

  /** Stores a notice. Of a finding that was reported within a day already, that one is given (`deduped`). */
  async add(
    notice: Omit<sql.Notice, 'noticeId' | 'at'>,
  ): Promise<{ readonly deduped: boolean; readonly notice: sql.NoticeRow }> {
    const at = this.now;
    const whole = { ...notice, noticeId: this.#ids.rowId(at), at };
    const since = notice.kind === 'finding' ? at - SAME_MS : null;
    const stored = await this.#database.transaction(async (tx) => {
      if (since !== null) await tx.query(sql.lockKey(notice.kind, notice.key));
      return tx.query(sql.insertNotice(whole, since));
    });
    if (stored.length === 0) {
      const [known] = await this.#database.query<sql.NoticeRow>(sql.selectNewest(notice.kind, notice.key));
      if (known !== undefined) return { deduped: true, notice: known };
    }
    const { noticeId, agentId, payload } = whole;
    return { deduped: false, notice: { notice_id: noticeId, at, agent_id: agentId, payload } };
  }

  /** Stores a value of a metric. Refuses a name more than there may be. */
  async point(name: string, at: number, value: number): Promise<Result<Point>> {
    const stored = await this.#database.query(sql.insertPoint(name, at, value, NAMES));
    if (stored.length > 0) return ok({ at, value });
    return refuse('PARAMETER_ERROR', `name: there are ${NAMES} metrics already, and this is another one.`, {
      details: { parameter: 'name' },
      recovery: { action: 'Use a name that notices(action=catalog) shows; put ids into the message of a finding.' },
    });
  }

  findings(from: number, to: number, severity: string | null, limit: number): Promise<sql.NoticeRow[]> {
    return this.#database.query<sql.NoticeRow>(sql.selectFindings(from, to, severity, limit));
  }

  series(name: string, from: number, to: number, limit: number): Promise<Point[]> {
    return this.#database.query<Point>(sql.selectSeries(name, from, to, limit));
  }

  catalog(): Promise<{ name: string; points: number; newest: number }[]> {
    return this.#database.query(sql.selectCatalog());
  }

  /** Deletes what is older than it is kept, or more than is kept. */
  async prune(): Promise<void> {
    const { now } = this;
    for (const statement of sql.prune(now - NOTICES_KEPT_MS, NOTICES_OF_A_KIND, now - POINTS_KEPT_MS)) {
      await this.#database.query(statement);
    }
  }
}
