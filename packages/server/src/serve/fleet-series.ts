import type { Registry } from 'prom-client';
import type { AgentHead } from '../agents/index.ts';
import type { FleetTally } from '../feed/index.ts';
import type { LiveTable } from '../runtime/index.ts';
import type { FeedClientCounts } from './feed-clients.ts';
import { askedGauge, counter, gauge } from './series.ts';
import type { SpanCounts } from './tracing.ts';

/** What reviews and resolutions are under way, over all nodes. */
export interface OpenWork {
  readonly reviews: number;
  /** Reviews among them that wait for a person. */
  readonly awaitingFacilitation: number;
  readonly sagas: number;
  /** Sagas among them that were given up. */
  readonly deadLetters: number;
}

/** What the fleet's series read when somebody asks for `/metrics`. Nothing here may throw; only `openWork` may wait. */
export interface FleetSeries {
  readonly agents: LiveTable<AgentHead>;
  readonly tally: FleetTally;
  readonly feedEvents: () => ReadonlyMap<string, number>;
  /** Undefined when it cannot be learned in time. */
  readonly openWork: () => Promise<OpenWork | undefined>;
  /** Undefined without traces. */
  readonly spans: SpanCounts | undefined;
}

const STATUSES = ['active', 'paused', 'archived', 'waiting_input', 'disabled', 'deleted'] as const;

const countStatuses = (agents: LiveTable<AgentHead>): Map<string, number> => {
  const counts = new Map<string, number>(STATUSES.map((status) => [status, 0]));
  for (const { status } of agents.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
  return counts;
};

/** Series of the fleet: agents, check-ins, pauses, outcomes, reviews, and the channels by which they are told (BW-serve.09). */
export const watchFleet = (registry: Registry, fleet: FleetSeries): void => {
  const { agents, tally, spans } = fleet;
  gauge(registry, 'breakwater_agents', 'Agents in memory, by status', ['status'], (set) => {
    for (const [status, count] of countStatuses(agents)) set({ status }, count);
  });
  const counted = [
    ['breakwater_checkins_total', 'Check-ins that this node committed, by verdict', 'verdict', tally.checkIns],
    ['breakwater_pauses_total', 'Pauses that check-ins put in force here', 'sub_action', tally.pauses],
    ['breakwater_outcomes_total', 'Outcomes recorded here, by how they are known', 'grade', tally.outcomes],
  ] as const;
  for (const [name, help, label, counts] of counted) {
    counter({ registry, name, help, labels: [label] }, (set) => {
      for (const [value, count] of Object.entries(counts))
        set({ [label]: value } as Record<typeof label, string>, count);
    });
  }
  counter(
    { registry, name: 'breakwater_feed_events_total', help: 'Events that this node detected', labels: ['type'] },
    (set) => {
      for (const [type, count] of fleet.feedEvents()) set({ type }, count);
    },
  );
  askedGauge(
    {
      registry,
      name: 'breakwater_open_work',
      help: 'Reviews and resolutions under way, over all nodes; absent while PostgreSQL does not tell',
      labels: ['kind'],
    },
    async () => {
      const work = await fleet.openWork();
      return (
        work &&
        ((set) => {
          set({ kind: 'review' }, work.reviews);
          set({ kind: 'review_awaiting_facilitation' }, work.awaitingFacilitation);
          set({ kind: 'saga' }, work.sagas);
          set({ kind: 'saga_dead_letter' }, work.deadLetters);
        })
      );
    },
  );
  const traces = { registry, name: 'breakwater_trace_spans_total', help: 'Spans, by what became of them' };
  counter({ ...traces, labels: ['outcome'] }, (set) => {
    for (const outcome of ['exported', 'dropped', 'failed'] as const) set({ outcome }, spans?.[outcome] ?? 0);
  });
};

/** Series of those who watch the live feed. */
export const watchFeedClients = (registry: Registry, read: () => FeedClientCounts): void => {
  gauge(registry, 'breakwater_feed_clients', 'Clients of the live feed', [], (set) => set({}, read().clients));
  counter(
    { registry, name: 'breakwater_feed_ended_total', help: 'Clients that were let go, by why', labels: ['reason'] },
    (set) => {
      for (const [reason, count] of Object.entries(read().ended)) set({ reason }, count);
    },
  );
};
