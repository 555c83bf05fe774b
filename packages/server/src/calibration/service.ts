import { ok, refuse, type Result } from '@breakwater/contract';
import { calibrationError, readDetectors, readEvidence } from '../outcomes/index.ts';
import type { Database } from '../postgres/index.ts';
import type { Clock } from '../runtime/index.ts';
import { assess, type Assessment } from './rules/assess.ts';
import type { Freshness, ScopeReading } from './rules/reply.ts';
import type { Cell } from './rules/tally.ts';
import { dayOf, differingDays, windowStart, withRecounted, type DayDifference } from './rules/window.ts';
import * as sql from './sql.ts';

/** Everything one look at calibration gives. */
export interface Look {
  readonly assessment: Assessment;
  readonly reading: ScopeReading;
  readonly freshness: Freshness;
}

/** What counting everything anew found. */
export interface Rebuilt {
  readonly days: number;
  readonly graded: number;
  readonly claims: number;
  readonly differences: readonly DayDifference[];
}

/** What is in memory of one scope: the counts, when they were last brought up to date, and when all were counted. */
interface Counted {
  readonly cells: readonly Cell[];
  readonly reading: ScopeReading;
  readonly at: number;
  readonly allAt: number;
  /** For so long it answers without another query. */
  readonly freshMs: number;
}

/** A look is answered from memory while that is younger than this… */
const FRESH_MS = 5_000;
/** …or than so many times what the last count took: counting never takes more than a twentieth of a connection. */
const REST = 20;
/** A row may become visible this long after the time it bears; its day is counted again until then. */
const LATE_MS = 600_000;
/** All days are counted again this often, for rows that came later still. */
const RECOUNT_MS = 3_600_000;
const MOST_SCOPES = 256;

/**
 * Calibration: reads the rows of audit.outcome_events and nothing else, and stores nothing. What is kept in memory are
 * sums by day, channel, class and bin; a look that finds them older than five seconds counts the days that can have changed
 * again, in one query that all lookers share. So every node says the same within seconds, and a restart loses nothing. How
 * old an answer is, it says.
 */
export class Calibration {
  readonly #database: Database;
  readonly #clock: Clock;
  /** By agent; the fleet under the empty id. Least recently used first. */
  readonly #counted = new Map<string, Counted>();
  readonly #running = new Map<string, Promise<Counted>>();

  constructor(options: { database: Database; clock: Clock }) {
    this.#database = options.database;
    this.#clock = options.clock;
  }

  /**
   * The fleet's calibration, or that of the agent with this id or exactly this name, over the last ninety days.
   *
   * Refusals: AGENT_NOT_FOUND; PARAMETER_ERROR when several agents bear the name.
   */
  async look(asked?: string): Promise<Result<Look>> {
    const found = await this.#find(asked);
    if (!found.ok) return found;
    const { cells, reading, at } = await this.#current(found.value);
    const now = this.#clock.now();
    return ok({
      assessment: assess(cells, now, calibrationError),
      reading: named(reading, asked),
      freshness: { since: windowStart(at), asOf: at, ageMs: Math.max(0, now - at) },
    });
  }

  /** As {@link look}, from a time of the caller's choice (ms since the epoch, UTC) and straight from PostgreSQL. */
  async lookSince(since: number, asked?: string): Promise<Result<Look>> {
    const found = await this.#find(asked);
    if (!found.ok) return found;
    const now = this.#clock.now();
    const [cells, reading] = await Promise.all([this.#count(since, found.value), this.#reading(found.value, now)]);
    return ok({
      assessment: assess(cells, now, calibrationError),
      reading: named(reading, asked),
      freshness: { since, asOf: now, ageMs: 0 },
    });
  }

  /**
   * Counts the fleet's outcomes of the whole window anew and says where that differs from what memory had. Unless it is
   * only tried, memory goes on with the new counts, and those of single agents are forgotten.
   */
  async rebuild({ dryRun }: { dryRun: boolean }): Promise<Rebuilt> {
    const before = await this.#current(undefined);
    const now = this.#clock.now();
    const cells = await this.#count(windowStart(now), undefined);
    if (!dryRun) {
      this.#counted.clear();
      this.#counted.set('', { ...before, cells, at: now, allAt: now });
    }
    const sum = (of: (cell: Cell) => number) => cells.reduce((all, cell) => all + of(cell), 0);
    return {
      days: new Set(cells.map(({ day }) => day)).size,
      graded: sum((cell) => cell.graded),
      claims: sum((cell) => cell.claims),
      differences: differingDays(before.cells, cells),
    };
  }

  async #find(asked: string | undefined): Promise<Result<string | undefined>> {
    if (asked === undefined) return ok(undefined);
    const [first, second] = await this.#database.query<{ id: string }>(sql.selectAgents(asked));
    if (first === undefined) return refuse('AGENT_NOT_FOUND', 'No agent has this id or name.');
    if (second !== undefined && first.id !== asked.toLowerCase()) {
      return refuse('PARAMETER_ERROR', 'agent_id: several agents bear this name; send the id.', {
        details: { parameter: 'agent_id' },
      });
    }
    return ok(first.id);
  }

  async #current(agentId: string | undefined): Promise<Counted> {
    const key = agentId ?? '';
    const kept = this.#counted.get(key);
    const now = this.#clock.now();
    if (kept !== undefined && now - kept.at < kept.freshMs) {
      this.#keep(key, kept);
      return kept;
    }
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#refresh(kept, agentId, now).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }

  async #refresh(kept: Counted | undefined, agentId: string | undefined, now: number): Promise<Counted> {
    const start = windowStart(now);
    const base = kept !== undefined && now - kept.allAt < RECOUNT_MS ? kept : undefined;
    const from = base === undefined ? start : dayOf(base.at - LATE_MS);
    const started = this.#clock.monotonic();
    const [recounted, reading] = await Promise.all([this.#count(from, agentId), this.#reading(agentId, now)]);
    const took = this.#clock.monotonic() - started;
    const counted: Counted = {
      cells: withRecounted(base?.cells ?? [], recounted, from, start),
      reading,
      at: now,
      allAt: base?.allAt ?? now,
      freshMs: Math.max(FRESH_MS, REST * took),
    };
    this.#keep(agentId ?? '', counted);
    return counted;
  }

  #keep(key: string, counted: Counted): void {
    this.#counted.delete(key);
    this.#counted.set(key, counted);
    if (this.#counted.size <= MOST_SCOPES) return;
    const [oldest] = this.#counted.keys();
    if (oldest !== undefined) this.#counted.delete(oldest);
  }

  async #count(since: number, agentId: string | undefined): Promise<readonly Cell[]> {
    const rows = await this.#database.query<sql.CellRow>(sql.selectCells(since, agentId));
    return rows.map(sql.cellFromRow);
  }

  async #reading(agentId: string | undefined, now: number): Promise<ScopeReading> {
    if (agentId === undefined) return { scope: 'fleet', detectors: await readDetectors(this.#database) };
    const { claims, calibration } = await readEvidence(this.#database, agentId, now);
    return {
      scope: 'agent',
      agent: agentId,
      detector: { value: claims.value, graded: claims.graded },
      checkIns: calibration,
    };
  }
}

/** The agent as the caller named it: who knows a name does not learn the id. */
const named = (reading: ScopeReading, asked: string | undefined): ScopeReading =>
  reading.scope === 'agent' && asked !== undefined ? { ...reading, agent: asked } : reading;
