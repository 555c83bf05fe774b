import { knowledge as knowledgeSpec } from '@breakwater/contract/tools';
import { defineActions, type Tool } from '../runtime/index.ts';
import { readActions } from './read-actions.ts';
import { writeActions, type WriteParts } from './write-actions.ts';

/** The tool of knowledge; each of its actions stands in `read-actions.ts` or `write-actions.ts`. */
export const knowledgeTools = (parts: WriteParts): Tool[] => [
  defineActions(
    knowledgeSpec,
    { ...readActions(parts.reader, parts.journal), ...writeActions(parts) },
    { checksAtCommit: true },
  ),
];
