import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A block of code in a document. */
export interface Block {
  /** The document and the block's first line, by which the lists of tests name it. */
  readonly name: string;
  readonly file: string;
  readonly language: string;
  readonly code: string;
}

/** Every block of code of the documents that people read: README.md, docs, and the README of each package. */
export const blocksOfDocuments = (): Block[] =>
  ['README.md', ...globSync('{docs,packages/*,deploy/*}/*.md', { cwd: ROOT }).sort()]
    .filter((file) => !file.includes('node_modules'))
    .flatMap((file) =>
      [...readFileSync(`${ROOT}${file}`, 'utf8').matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)].map(
        ([, language = '', code = '']) => ({ name: `${file}: ${code.trim().split('\n', 1)[0]}`, file, language, code }),
      ),
    );
