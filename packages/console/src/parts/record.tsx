import type { CoverageView, VitalsView } from '@breakwater/contract/overview';
import { counted, number, percent, points } from '../format.ts';
import { Facts } from './basics.tsx';

/** How many claims a result settled, and how many expired or are open. */
export const coverageText = ({ made, settled, expired, open }: CoverageView): string =>
  made === 0
    ? 'no claims yet'
    : `${settled.toLocaleString('en')} of ${counted(made, 'claim')} settled, ${expired} expired, ${open} open`;

/** An agent's claims and results, and how much of its work is seen at all. */
export const RecordFacts = ({ vitals }: { vitals: VitalsView }) => {
  const { graded, pass_rate, mean_claim, mean_gap, claims, coverage } = vitals;
  return (
    <Facts
      facts={[
        ['claimed on average', percent(mean_claim)],
        ['actual pass rate', percent(pass_rate)],
        ['mean gap, in points', points(mean_gap)],
        ['graded results', graded.toLocaleString('en')],
        ['coverage', `${percent(coverage.share)} (${coverageText(coverage)})`],
        ['unobserved claims', coverage.unobserved.toLocaleString('en')],
        ['check-ins without confidence', coverage.unclaimed.toLocaleString('en')],
        ['results not graded', coverage.ungraded.toLocaleString('en')],
        ['over-claiming evidence', graded === 0 ? 'unmeasured' : number(claims, 1)],
        ['evidence of silence', number(coverage.silence, 1)],
      ]}
    />
  );
};
