import type { Row } from '../figure.ts';
import { alarmRows } from './alarms.ts';
import { delayRows } from './delays.ts';
import { gamingRows } from './gaming.ts';
import { lateRows } from './late.ts';
import { outageRows } from './outages.ts';
import { silenceRows } from './silence.ts';
import { statusRows } from './statuses.ts';

/** All that is simulated, in the order of the table. */
export const ROWS: readonly Row[] = [
  ...alarmRows,
  ...delayRows,
  ...lateRows,
  ...outageRows,
  ...silenceRows,
  ...gamingRows,
  ...statusRows,
];

/** The rows whose name begins with this; all for an empty one. */
export const rowsNamed = (start: string): readonly Row[] => ROWS.filter(({ name }) => name.startsWith(start));
