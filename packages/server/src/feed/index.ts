/** Floor 4: what happens to agents, for those who watch: the event detector, its events, and counts of check-ins. */
export type { FeedEvent, FeedUpdate } from './rules/event.ts';
export { isAgent, isWanted, type FeedFilter, type FeedQuery } from './rules/query.ts';
export { eventFor, updateFor } from './rules/wire.ts';
export { Feed, type FeedBatch, type FeedPage } from './service.ts';
export { createFleetTally, type FleetTally } from './tally.ts';
