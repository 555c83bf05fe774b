import type { MeasurementEventType } from '@breakwater/contract';
import { storable, type Json } from './failure-event.ts';

/** A measurement on its way to audit.coordination_measurements. */
export interface Measurement {
  /** Its place among those of this channel: the end of its event id. */
  readonly place: number;
  /** ms since the epoch, UTC. */
  readonly at: number;
  readonly type: MeasurementEventType;
  readonly agentId: string | null;
  /** As it was given: text is made of it when its batch is stored, since making it for each request would cost the request. */
  readonly payload: Json;
}

const PLACES = 2 ** 32;
const PLACE_DIGITS = 8;

/**
 * The id of a measurement: a row id of the channel's start, with the place for its last digits. An id of its own for each
 * would cost more than all the rest of the emission; beside the time, which is the other half of the key, this one is as good.
 */
export const eventId = (stem: string, { place }: Measurement): string =>
  stem.slice(0, -PLACE_DIGITS) + (place % PLACES).toString(16).padStart(PLACE_DIGITS, '0');

/** NUL, or half of a surrogate pair, as JSON.stringify writes them. */
const UNSTORABLE = /\\u(0000|d[89a-f])/i;

/** The payloads of a batch as one JSON array. Throws a TypeError on what JSON cannot say. */
export const payloadsText = (measurements: readonly Measurement[]): string => {
  const payloads = measurements.map(({ payload }) => payload);
  const text = JSON.stringify(payloads);
  return UNSTORABLE.test(text) ? JSON.stringify(payloads, storable) : text;
};
