import { randomBytes } from 'node:crypto';
import { access, constants, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { readCredentials, writeCredentials, type CredentialStore } from './credentials.ts';
import { CredentialsError } from './errors.ts';

const OWNER_ONLY = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Makes a rename durable, where the system lets a folder be opened for that. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  await handle.sync().catch(() => undefined);
  await handle.close();
};

/**
 * An anchor in a file (Node only). Each save writes a file of its own beside it, with mode 0600, to the disk, and renames
 * it into place: readers see the old anchor or the new one, whole, however many write at once (BW-sdk.03).
 */
export const fileCredentials = (path: string): CredentialStore => {
  const file = resolve(path);
  const folder = dirname(file);
  const failed = (what: string, error: unknown) =>
    new CredentialsError(`The anchor ${file} cannot be ${what} (${String(codeOf(error) ?? error)}).`, { cause: error });

  return {
    async load() {
      let text: string;
      try {
        text = await readFile(file, 'utf8');
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') throw failed('read', error);
        try {
          // Found out before an agent is made that could not be anchored.
          await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
          await access(folder, constants.W_OK);
        } catch (problem) {
          throw failed('written', problem);
        }
        return undefined;
      }
      return readCredentials(text, file);
    },
    async save(anchor) {
      const draft = join(folder, `.${basename(file)}.${process.pid}.${randomBytes(6).toString('hex')}.tmp`);
      try {
        await mkdir(folder, { recursive: true, mode: OWNER_ONLY_FOLDER });
        const handle = await open(draft, 'wx', OWNER_ONLY);
        try {
          await handle.writeFile(writeCredentials(anchor));
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(draft, file);
        await syncFolder(folder);
      } catch (error) {
        await rm(draft, { force: true });
        throw failed('written', error);
      }
    },
  };
};

/** The usual place of an anchor: `~/.breakwater/anchors/<name>.json`. Throws for a name that would not stay there. */
export const namedCredentials = (name: string): CredentialStore => {
  if (!NAME.test(name)) {
    throw new CredentialsError(`"${name}" cannot name an anchor: letters, digits, ".", "_" and "-", at most 100.`);
  }
  return fileCredentials(join(homedir(), '.breakwater', 'anchors', `${name}.json`));
};
