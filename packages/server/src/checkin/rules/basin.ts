import type { Basin } from '@breakwater/contract';
import type { Eisv } from './behaviour.ts';

/** Which basin a state lies in (spec checkin 2.11): high is healthy, low is not, boundary is neither. */
export const basinOf = ({ E, I, S, V }: Eisv, coherence: number, risk: number): Basin => {
  const v = Math.abs(V);
  if (I < 0.5 || coherence < 0.4 || v > 0.3 || risk >= 0.7) return 'low';
  if (E >= 0.6 && I >= 0.7 && S <= 0.25 && v <= 0.15 && coherence >= 0.45 && risk <= 0.45) return 'high';
  return 'boundary';
};
