import type { Edge, MarginWord } from '@breakwater/contract';

/** How far a state is from the edges that matter (spec checkin 2.11). */
export interface Margin {
  readonly word: MarginWord;
  /** The edge that is nearest, or crossed; null while the state settles. */
  readonly edge: Edge | null;
  /** Distance to that edge; negative once it is crossed. */
  readonly distance: number;
}

interface MarginInput {
  /** Final risk. */
  readonly risk: number;
  readonly V: number;
  readonly voidThreshold: number;
  readonly voidActive: boolean;
  /** Check-ins so far, this one included. */
  readonly checkIns: number;
}

export const RISK_EDGE = 0.7;
/** An edge is near within this share of its threshold. */
const BAND = 0.15 / RISK_EDGE;
const FAR_PAST = 0.1;
const SETTLING_CHECK_INS = 3;

export const marginOf = (input: MarginInput): Margin => {
  const risk = RISK_EDGE - input.risk;
  const toVoid = input.voidActive ? -1 : input.voidThreshold - Math.abs(input.V);
  const edge: Edge = toVoid < risk ? 'void' : 'risk';
  const distance = Math.min(risk, toVoid);
  if (distance < 0) return { word: distance <= -FAR_PAST ? 'critical' : 'warning', edge, distance };
  if (input.checkIns < SETTLING_CHECK_INS) return { word: 'settling', edge: null, distance };
  const band = BAND * (edge === 'risk' ? RISK_EDGE : input.voidThreshold);
  return { word: distance > band ? 'comfortable' : 'tight', edge, distance };
};
