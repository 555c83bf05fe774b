import { ok, FEED_EVENTS, refuse, type FeedEventType, type Result } from '@breakwater/contract';
import type { AgentCommit, AgentHead, Published } from '../agents/index.ts';
import type { Database } from '../postgres/index.ts';
import { DAY_MS, type Clock, type LiveTable, type Timer } from '../runtime/index.ts';
import { Ring } from './ring.ts';
import { detect } from './rules/detect.ts';
import type { FeedEvent, FeedUpdate, Happening, OwnCheckIn } from './rules/event.ts';
import { isWanted, type FeedQuery } from './rules/query.ts';
import { placeInChain, recall, type Recalled, type TrailRow } from './rules/recall.ts';
import { silence, silenceEnded, silentSince } from './rules/silence.ts';
import { COMES_WITH_CHECK_IN } from './rules/wire.ts';
import * as sql from './sql.ts';

/** What those who watch are told at once. */
export interface FeedBatch {
  readonly updates: readonly FeedUpdate[];
  /** Events that come with no check-in, in their order. */
  readonly events: readonly FeedEvent[];
  /** Check-ins that are in no update, because there were too many at once. */
  readonly missed: number;
}

export type FeedListener = (batch: FeedBatch) => void;

/** Why events between a cursor and an answer may be missing, and up to when; ms since the epoch, UTC. */
export interface FeedGap {
  readonly reason: 'overflow' | 'not_retained' | 'history_unavailable';
  readonly until: number;
}

/** What came after a cursor. */
export interface FeedPage {
  readonly events: readonly FeedEvent[];
  /** To be asked with next time. */
  readonly cursor: number;
  /** There is more to be had at once, with `cursor`. */
  readonly hasMore: boolean;
  readonly gap: FeedGap | undefined;
  /** The cursor was given before this server started: some events may come again, and drift is not recalled. */
  readonly restarted: boolean;
}

interface Options {
  readonly database: Database;
  readonly clock: Clock;
  /** The heads of all agents. */
  readonly agents: () => LiveTable<AgentHead>;
  /** No resolution about the agent is being carried out (W3-9.20). */
  readonly isStable: (agentId: string) => boolean;
  /** Events that are kept. */
  readonly capacity?: number;
}

const CAPACITY = 2000;
/** Check-ins that are read at most to recall what followed from them. */
const MAX_CHECK_INS = 20_000;
/** Cursors are microseconds, so that those of a later life are higher. */
const PER_MS = 1000;
/** From the decision on a change until it is published, at most: so far back a cursor of an earlier life may be too late. */
const OVERLAP_MS = 60_000;
/** Clocks of servers differ. */
const AHEAD_MS = 60_000;
const FLUSH_MS = 100;
/** Agents in one batch. */
const MAX_UPDATES = 500;

const ownOf = ({ change }: AgentCommit): OwnCheckIn => ({
  confidence: change.prediction === undefined ? null : { ...change.prediction, value: change.prediction.confidence },
  coherence: change.state?.coherence ?? null,
  reason: change.state?.json['reason'] ?? null,
  telemetry: change.state?.json['eisv_telemetry'] ?? null,
});

type Waiting = { -readonly [K in keyof FeedUpdate]: FeedUpdate[K] };

/**
 * What happens to agents, for those who watch: the event detector, the events it found (BW-serve.11), and the check-ins as they are published.
 *
 * It hears of every published head and keeps up with no caller: what it finds goes into a ring in memory, and what
 * somebody watches is told a moment later, newest first to go when there is too much. Without a listener a check-in costs
 * a few comparisons.
 */
export class Feed {
  readonly #options: Options;
  readonly #ring: Ring<FeedEvent>;
  readonly #capacity: number;
  readonly #counts = new Map<FeedEventType, number>(FEED_EVENTS.map((type) => [type, 0]));
  readonly #listeners = new Set<FeedListener>();
  /** Agents that are silent, and since when. */
  readonly #silent = new Map<string, number>();
  /** This life began; what happened before is recalled from the trail. */
  #openedAt: number;
  #last: number;
  #recalling: Promise<boolean> | undefined;
  /** From when on the recalled events are whole. */
  #recalledFrom = 0;
  #waiting = new Map<string, Waiting>();
  #alone: FeedEvent[] = [];
  #missed = 0;
  #timer: Timer | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#capacity = options.capacity ?? CAPACITY;
    this.#ring = new Ring(this.#capacity);
    this.#openedAt = options.clock.now();
    this.#last = this.#liveFrom;
  }

  /** Says that every agent is loaded: from now on each change is heard of. */
  open(): void {
    this.#openedAt = this.#options.clock.now();
    this.#last = Math.max(this.#last, this.#liveFrom);
  }

  /** How often each type of event was seen, since the start. */
  get counts(): ReadonlyMap<FeedEventType, number> {
    return this.#counts;
  }

  /** Hears of a published head. Never waits. */
  readonly observe: Published = (after, before, commit) => {
    const now = this.#options.clock.now();
    const checkIns = after.updateCount - (before?.updateCount ?? 0);
    const happened = detect(before, after, commit?.change.events);
    const woken = this.#silent.size > 0 && checkIns > 0 ? this.#wake(after.agentId, now) : [];
    if (happened.length === 0 && woken.length === 0 && this.#listeners.size === 0) return;
    const place = (type: FeedEventType) => {
      if (commit !== undefined) return placeInChain(commit.audit, type);
      return before === undefined ? 1 : after.auditCount;
    };
    const events = [...woken, ...happened].map((one) => this.#keep(one, after, now, place(one.type)));
    if (this.#listeners.size > 0) this.#tell(after, commit, checkIns, events, now);
  };

  /** Finds agents that have fallen silent. Run every minute or so. */
  watchSilence(): void {
    const now = this.#options.clock.now();
    for (const [agentId, head] of this.#options.agents().entries()) {
      const since = silentSince(head, now);
      if (since === undefined) this.#silent.delete(agentId);
      else if (!this.#silent.has(agentId)) {
        this.#silent.set(agentId, since);
        // One that was silent when this life began is recalled, not found out.
        if (since >= this.#openedAt) this.#alone.push(this.#keep(silence(head), head, now, head.auditCount));
      }
    }
    if (this.#listeners.size === 0) this.#alone = [];
    else if (this.#alone.length > 0) this.#schedule();
  }

  /**
   * The events after a cursor, oldest first; without one the newest. Refuses with BAD_REQUEST a cursor that lies in the future.
   */
  async page(query: FeedQuery): Promise<Result<FeedPage>> {
    const now = this.#options.clock.now();
    if (query.since !== undefined && query.since > (now + AHEAD_MS) * PER_MS) {
      return refuse('BAD_REQUEST', '"since" lies in the future; it is no cursor of this server.', {
        details: { field: 'since', newest: this.#last },
        recovery: { action: 'Ask without since, and go on with the cursor of the answer.' },
      });
    }
    const recalled = this.#isEarlier(query.since) ? await this.#recalled() : true;
    return ok(this.#select(query, recalled, now));
  }

  /** Hears of all that happens from now on, in batches; gives the way to stop. A listener must not throw or wait. */
  subscribe(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Tells no more. */
  stop(): void {
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  /** First cursor of this life; below it stand those of earlier ones. */
  get #first(): number {
    return this.#openedAt * PER_MS;
  }

  /** Recalled events have the cursors between. */
  get #liveFrom(): number {
    return this.#first + this.#capacity;
  }

  #isEarlier(since: number | undefined): boolean {
    return since === undefined || since < this.#first;
  }

  #keep(happening: Happening, head: AgentHead, now: number, chainIndex: number): FeedEvent {
    this.#last = Math.max(this.#last + 1, now * PER_MS);
    const event = { ...happening, cursor: this.#last, at: now, agentId: head.agentId, head, chainIndex };
    this.#ring.push(event);
    this.#counts.set(event.type, (this.#counts.get(event.type) ?? 0) + 1);
    return event;
  }

  #wake(agentId: string, now: number): Happening[] {
    const since = this.#silent.get(agentId);
    if (since === undefined) return [];
    this.#silent.delete(agentId);
    return [silenceEnded(since, now)];
  }

  #tell(head: AgentHead, commit: AgentCommit | undefined, checkIns: number, events: FeedEvent[], now: number): void {
    const waiting = this.#waiting.get(head.agentId);
    const room = waiting !== undefined || this.#waiting.size < MAX_UPDATES;
    const withIt = checkIns > 0 && room ? events.filter(({ type }) => COMES_WITH_CHECK_IN.has(type)) : [];
    for (const event of events) if (!withIt.includes(event)) this.#alone.push(event);
    if (checkIns > 0 && room) {
      this.#waiting.set(head.agentId, {
        at: now,
        head,
        isStable: this.#options.isStable(head.agentId),
        own: commit && ownOf(commit),
        checkIns: checkIns + (waiting?.checkIns ?? 0),
        events: waiting === undefined ? withIt : [...waiting.events, ...withIt],
      });
    } else this.#missed += checkIns;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer ??= this.#options.clock.after(FLUSH_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    const batch = { updates: [...this.#waiting.values()], events: this.#alone, missed: this.#missed };
    this.#waiting = new Map();
    this.#alone = [];
    this.#missed = 0;
    if (batch.updates.length + batch.events.length + batch.missed === 0) return;
    for (const listener of this.#listeners) listener(batch);
  }

  #select(query: FeedQuery, recalled: boolean, now: number): FeedPage {
    const { since, limit } = query;
    // A cursor is as young as its answer: in a quiet time it would grow so old that nobody could vouch for what came since.
    this.#last = Math.max(this.#last, now * PER_MS);
    const kept = this.#ring.all();
    const restarted = since !== undefined && since < this.#first;
    const from = restarted ? since / PER_MS - OVERLAP_MS : 0;
    const found = kept.filter(
      (event) =>
        (since === undefined || event.cursor > since) &&
        (event.cursor >= this.#liveFrom || event.at >= from) &&
        isWanted(query, event),
    );
    const events = since === undefined ? found.slice(-limit) : found.slice(0, limit);
    const hasMore = since !== undefined && found.length > limit;
    return {
      events,
      cursor: hasMore ? (events.at(-1)?.cursor ?? this.#last) : Math.max(this.#last, since ?? 0),
      hasMore,
      gap: since === undefined ? undefined : this.#gapAfter(since, recalled),
      restarted,
    };
  }

  #gapAfter(since: number, recalled: boolean): FeedGap | undefined {
    const { lost } = this.#ring;
    if (lost !== undefined && (since < this.#first ? lost.at * PER_MS >= since : lost.cursor > since)) {
      return { reason: 'overflow', until: lost.at };
    }
    if (since >= this.#first) return undefined;
    if (!recalled) return { reason: 'history_unavailable', until: this.#openedAt };
    return since < this.#recalledFrom * PER_MS ? { reason: 'not_retained', until: this.#recalledFrom } : undefined;
  }

  /** Recalls what happened before this life, once; false when PostgreSQL does not tell. */
  #recalled(): Promise<boolean> {
    this.#recalling ??= this.#recall().then(
      () => true,
      () => {
        this.#recalling = undefined;
        return false;
      },
    );
    return this.#recalling;
  }

  async #recall(): Promise<void> {
    const { database, clock, agents } = this.#options;
    const from = clock.now() - DAY_MS;
    const to = this.#openedAt;
    const [told, checkIns] = await Promise.all([
      database.query<TrailRow>(sql.selectTold(from, to, this.#capacity)),
      database.query<TrailRow>(sql.selectCheckIns(from, to, MAX_CHECK_INS)),
    ]);
    const oldest = (rows: readonly TrailRow[], most: number) => (rows.length < most ? from : (rows.at(-1)?.ts ?? from));
    this.#recalledFrom = Math.max(oldest(told, this.#capacity), oldest(checkIns, MAX_CHECK_INS));
    const happened = [...recall([...told, ...checkIns]), ...silences(agents(), from, to)].sort((a, b) => a.at - b.at);
    if (happened.length > this.#capacity) {
      this.#recalledFrom = Math.max(this.#recalledFrom, happened.at(-this.#capacity)?.at ?? 0);
    }
    this.#ring.recall(
      happened.slice(-this.#capacity).map((one, i) => {
        const reading = agents().read(one.agentId);
        return { ...one, cursor: this.#first + i, head: reading.ok ? reading.value : undefined };
      }),
    );
  }
}

/** The agents that fell silent between two instants and have been since. */
const silences = (agents: LiveTable<AgentHead>, from: number, to: number): Recalled[] => {
  const found: Recalled[] = [];
  for (const [agentId, head] of agents.entries()) {
    const at = silentSince(head, to);
    if (at !== undefined && at >= from) found.push({ ...silence(head), at, agentId, chainIndex: head.auditCount });
  }
  return found;
};
