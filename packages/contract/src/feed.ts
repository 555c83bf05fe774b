/**
 * Types of events in the live feed (`WS /ws/eisv`) and in `GET /api/events`. A name is never changed nor used for something
 * else; what each says stands in docs/operations.md.
 */
export const FEED_EVENTS = [
  'verdict_change',
  'risk_threshold',
  'drift',
  'void_alert',
  'silence',
  'silence_ended',
  'lifecycle_created',
  'lifecycle_paused',
  'lifecycle_resumed',
  'lifecycle_archived',
  'lifecycle_reactivated',
  'lifecycle_deleted',
  'lifecycle_loop_detected',
] as const;
export type FeedEventType = (typeof FEED_EVENTS)[number];

/** How much an event asks of whoever watches. */
export type FeedSeverity = 'info' | 'warning' | 'critical';
