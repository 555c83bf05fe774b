import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder below the system's temporary one; as root, one that PostgreSQL's user may pass through. */
export const temporaryFolder = (name: string): string => {
  const folder = mkdtempSync(join(tmpdir(), `breakwater-${name}-`));
  chmodSync(folder, 0o755);
  return folder;
};
