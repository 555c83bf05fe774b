import type { Regime } from '@breakwater/contract';

/** Where the state stands, and how many updates running it was calm enough to be called stable. */
interface RegimeReading {
  readonly regime: Regime;
  readonly calm: number;
}

const CALM_NEEDED = 3;

/** Names the movement of a state (spec checkin 2.10). `previous` is the state before this one, if there is one. */
export const readRegime = (
  calmBefore: number,
  { I, S, V }: { readonly I: number; readonly S: number; readonly V: number },
  previous: { readonly I: number; readonly S: number } | undefined,
): RegimeReading => {
  const calm = I >= 0.85 && S <= 0.1 ? calmBefore + 1 : 0;
  if (calm >= CALM_NEEDED) return { regime: 'STABLE', calm: CALM_NEEDED };
  if (previous === undefined) return { regime: 'EXPLORATION', calm };
  const dS = S - previous.S;
  const dI = I - previous.I;
  if (dS > 0.002 && Math.abs(V) > 0.05) return { regime: 'DIVERGENCE', calm };
  if (dS < -0.002 && dI > 0.002) return { regime: 'TRANSITION', calm };
  if (S < 0.25 && dS <= 0.002 && I > 0.7) return { regime: 'CONVERGENCE', calm };
  return { regime: 'EXPLORATION', calm };
};
