import { tableLines } from './table.ts';
import { tame } from './terminal.ts';

/** A bin of a reliability curve, as `calibrationReply` tells it. */
interface Bin {
  readonly lower: number;
  readonly upper: number;
  readonly n: number;
  readonly mean_confidence: number | null;
  readonly accuracy: number | null;
}

/** The part of `GET /api/calibration` that a person reads in a terminal. */
export interface CalibrationAnswer {
  readonly calibration_status: string;
  readonly policy?: string;
  readonly issues: readonly { readonly message: string }[];
  readonly advisories: readonly { readonly message: string }[];
  readonly total_samples: number;
  readonly accuracy: number | null;
  readonly mean_gap: number | null;
  readonly worst_bin_gap: number | null;
  readonly skill: { readonly brier: number | null; readonly skill: number | null };
  readonly curves: {
    readonly tactical: { readonly n: number; readonly question: string; readonly bins: readonly Bin[] };
  };
}

const shareText = (share: number | null): string => (share === null ? '-' : `${(share * 100).toFixed(1)} %`);

/** What a server says about calibration, in lines for a terminal: the state, what is wrong, and the curve of results. */
export const calibrationLines = (answer: CalibrationAnswer, columns: number | undefined): string[] => {
  const { tactical } = answer.curves;
  const bins = tactical.bins.filter(({ n }) => n > 0);
  return [
    `Status: ${answer.calibration_status.replaceAll('_', ' ')}; ${answer.total_samples} claims were held against results.`,
    `Came true: ${shareText(answer.accuracy)}; claims less results: ${shareText(answer.mean_gap)} on average, ` +
      `${shareText(answer.worst_bin_gap)} in the worst bin.`,
    `Brier score ${answer.skill.brier?.toFixed(3) ?? '-'}, skill ${answer.skill.skill?.toFixed(2) ?? '-'} of 1.`,
    ...answer.issues.map(({ message }) => `Issue: ${tame(message)}`),
    ...answer.advisories.map(({ message }) => `Note: ${tame(message)}`),
    '',
    `${tactical.question} (${tactical.n} results)`,
    ...(bins.length === 0
      ? ['no data']
      : tableLines(
          ['CLAIMED', 'RESULTS', 'ON AVERAGE', 'CAME TRUE'],
          bins.map(({ lower, upper, n, mean_confidence: mean, accuracy }) => [
            `${lower.toFixed(1)} to ${upper.toFixed(1)}`,
            String(n),
            shareText(mean),
            shareText(accuracy),
          ]),
          columns,
        )),
  ];
};
