/** The check-in: scoring, the decision, and what it makes durable. */
export { memoryCodec } from './memory.ts';
export { DEFAULT_LOOP_LIMITS, type LoopLimits } from './rules/loop.ts';
export { CheckIns } from './service.ts';
export { checkInTools } from './tools.ts';
