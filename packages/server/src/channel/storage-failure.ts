import { FAILURE_EVENTS, type FailureEventType } from '@breakwater/contract';
import { classifyError, PoolExhaustedError } from '../postgres/index.ts';
import type { Json } from './failure-event.ts';

const MAX_WORDS = 500;

/** What a failed question to PostgreSQL is reported as: nobody could reach it, no connection was free, or it failed. */
export const storageFailure = (error: unknown): { readonly type: FailureEventType; readonly payload: Json } => {
  if (error instanceof PoolExhaustedError) {
    const { timeoutMs, pool } = error;
    const payload = { timeout_s: timeoutMs / 1000, pool_size: pool.size, pool_idle: pool.idle, waiting: pool.waiting };
    return { type: FAILURE_EVENTS.poolExhausted, payload };
  }
  const payload = { error: String(error).slice(0, MAX_WORDS) };
  const type = classifyError(error) === 'connection' ? FAILURE_EVENTS.connectError : FAILURE_EVENTS.storageUnavailable;
  return { type, payload };
};
