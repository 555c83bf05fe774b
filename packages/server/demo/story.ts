/** One piece of work in the demonstration: what the agent says it did, and whether the tests that check it pass. */
export interface Piece {
  readonly work: string;
  readonly confidence: number;
  readonly complexity: number;
  readonly passes: boolean;
}

const WORK = [
  'Split the importer into a reader and a writer; both have tests.',
  'Moved the retry policy out of the client and named its limits.',
  'Replaced the date arithmetic with the calendar library.',
  'Added an index for the slow orders query and measured it.',
  'Made the upload resume after a dropped connection.',
  'Taught the parser to report the line of an error.',
  'Removed the second cache and the code that kept the two equal.',
  'Wrote the migration for the new address columns, up and down.',
  'Bounded the queue and made it say so when it is full.',
  'Fixed the rounding of totals with more than two taxes.',
  'Gave every background job a deadline and a name in the log.',
  'Let the settings page explain why a value is refused.',
  'Merged the two login forms and kept both addresses alive.',
  'Cut the start-up time by loading the fonts later.',
  'Made exports stream instead of building them in memory.',
  'Put the feature flags into one table with an owner each.',
];

/** An honest agent: three of four pieces pass, and it claims about that much. */
export const honestWork: readonly Piece[] = WORK.map((work, i) => ({
  work,
  confidence: 0.75,
  complexity: 0.35,
  passes: i % 4 !== 2,
}));

/** An agent whose work stops passing after five pieces while its claims stay at 0.9. */
export const driftingWork: readonly Piece[] = WORK.map((work, i) => ({
  work: `${work} All checks are green.`,
  confidence: 0.9,
  complexity: 0.35,
  passes: i < 5,
}));
