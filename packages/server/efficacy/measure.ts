import { claimsDemandPause, freshClaims, observeClaim } from '../src/outcomes/rules/claims.ts';
import type { Random } from '../src/runtime/index.ts';
import { steady, type Shape, type Stream } from './agents.ts';
import { mean, perAlarm, share, type Measured } from './figure.ts';

/** After how many results of the stream the product's detector asks for a pause; undefined: not within `most`. */
export const pausedAfter = (next: Stream, most: number, start = freshClaims): number | undefined => {
  let state = start;
  for (let i = 1; i <= most; i += 1) {
    state = observeClaim(state, next());
    if (claimsDemandPause(state)) return i;
  }
  return undefined;
};

/** Mean results to a pause, each of which opens a new account, as a resumed agent gets one. */
export const resultsToPause = (shape: Shape, random: Random, results: number): Measured => {
  let alarms = 0;
  let seen = 0;
  while (seen < results) {
    const end = pausedAfter(shape(random), results - seen);
    seen += end ?? results - seen;
    if (end !== undefined) alarms += 1;
  }
  return perAlarm(seen, alarms);
};

/** The share of agents paused within so many results. */
export const pausedWithin = (shape: Shape, random: Random, agents: number, results: number): Measured => {
  let paused = 0;
  for (let i = 0; i < agents; i += 1) if (pausedAfter(shape(random), results) !== undefined) paused += 1;
  return share(paused, agents);
};

/** Results of calibrated work after which an agent's habit changes: what a good past may hide. */
const GOOD = 100;

/** An account that has seen good results; one that was paused by chance is not counted as a delay. */
const afterGood = (shape: Shape, random: Random) => {
  for (;;) {
    const good = shape(random);
    let state = freshClaims;
    let paused = false;
    for (let i = 0; i < GOOD && !paused; i += 1) {
      state = observeClaim(state, good());
      paused = claimsDemandPause(state);
    }
    if (!paused) return state;
  }
};

/** Mean results from a change to the pause, after 100 results of `before`. Whoever is not paused counts as `most`. */
export const delayOf = (shape: Shape, before: Shape, random: Random, agents: number, most = 20_000): Measured => {
  const delays: number[] = [];
  let never = 0;
  for (let i = 0; i < agents; i += 1) {
    const end = pausedAfter(shape(random), most, afterGood(before, random));
    if (end === undefined) never += 1;
    delays.push(end ?? most);
  }
  return { ...mean(delays), ...(never > 0 && { note: `${never} of ${agents} not within ${most}` }) };
};

/** The share paused by so many failures in a row, after 100 calibrated results at `claim`. */
export const pausedByRun = (claim: number, run: number, random: Random, agents: number): Measured => {
  let paused = 0;
  for (let i = 0; i < agents; i += 1) {
    if (pausedAfter(() => ({ claim, result: 0 }), run, afterGood(steady(claim, claim), random)) !== undefined)
      paused += 1;
  }
  return share(paused, agents);
};
