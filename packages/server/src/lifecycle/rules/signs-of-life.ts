/** A sign that an agent is at work: a process that says it runs it, or what it did itself. */
export type LiveSignal = 'live_binding' | 'live_presence';

/** What is known of an agent's recent life; ms since the epoch, null: nothing. */
interface Traces {
  /** Newest report of a process that runs it, among those that are not stale. */
  readonly lastSeenBindingMs: number | null;
  /** Newest check-in, or else its birth. */
  readonly lastActivityMs: number | null;
  readonly now: number;
}

/** A process counts as running this long after its last report. */
const BINDING_MS = 300_000;
/** An agent counts as present this long after its last activity. */
const PRESENCE_MS = 600_000;

const within = (at: number | null, span: number, now: number): boolean => at !== null && now - at <= span;

/** The signs of life that hold now; what lies in the future, by a clock that was set back, holds too. */
export const liveSignals = ({ lastSeenBindingMs, lastActivityMs, now }: Traces): readonly LiveSignal[] => [
  ...(within(lastSeenBindingMs, BINDING_MS, now) ? (['live_binding'] as const) : []),
  ...(within(lastActivityMs, PRESENCE_MS, now) ? (['live_presence'] as const) : []),
];

/** Whether any sign of life holds. */
export const isLive = (traces: Traces): boolean => liveSignals(traces).length > 0;
