/**
 * The import floors of the house. A file imports from its own folder, from floors below, and from the public face
 * (`index.ts`) of any other folder; never upward, and never past another folder's face.
 */
export const FLOORS: readonly (readonly string[])[] = [
  ['runtime'],
  ['postgres'],
  ['agents', 'flags', 'baselines', 'channel'],
  [
    'identity',
    'lifecycle',
    'checkin',
    'dialectic',
    'leases',
    'knowledge',
    'outcomes',
    'calibration',
    'feed',
    'overview',
    'notices',
    'gates',
    'cutover',
  ],
  ['dispatch'],
  ['serve', 'cli'],
];
