/** Floor 5: the one chain of every call, the tool registry, deadlines, limits and the envelope. */
export { Dispatcher, type DispatcherOptions, type DispatchReply, type Measure } from './dispatcher.ts';
export type { DispatchRequest } from './frame.ts';
export { Limits, principalOf, type Meter } from './limits.ts';
export { problemWith } from './rules/answer.ts';
export { isText, lookAt } from './rules/input.ts';
export { shapeOf } from './rules/shape.ts';
export { refuseArguments } from './validation.ts';
export type { RateLimits } from './rate-limiter.ts';
export type { ListingMode } from './registry.ts';
export { answerSchema, wireSchema } from './wire-schema.ts';
