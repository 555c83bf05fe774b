import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OutputError } from '../output.ts';

/** Where records go, text by text. */
export interface Sink {
  /** Resolves when there is room for more. Rejects with {@link ReaderGone} when nobody reads any more. */
  write(text: string): Promise<void>;
  /** Everything was written: now it counts. */
  finish(): Promise<void>;
  /** Leaves nothing behind. */
  discard(): Promise<void>;
}

/** Whoever read standard output has gone, as `head` does when it has enough. */
export class ReaderGone extends Error {}

/**
 * A file that is there whole or not at all: written beside its place under another name, and renamed when it is durable.
 * Only its owner may read it; it may hold what agents keep to themselves.
 */
export const fileSink = async (path: string): Promise<Sink> => {
  const beside = join(dirname(path), `.${basename(path)}.${process.pid}.partial`);
  const file = await open(beside, 'w', 0o600);
  return {
    write: (text) => file.appendFile(text),
    async finish() {
      await file.sync();
      await file.close();
      await rename(beside, path);
    },
    async discard() {
      await file.close().catch(() => undefined);
      await rm(beside, { force: true });
    },
  };
};

/** A stream, such as standard output, which is never ended. */
export const streamSink = (stream: NodeJS.WritableStream): Sink => ({
  write: (text) =>
    new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else reject((error as NodeJS.ErrnoException).code === 'EPIPE' ? new ReaderGone() : new OutputError(error));
      });
    }),
  finish: () => Promise.resolve(),
  discard: () => Promise.resolve(),
});
