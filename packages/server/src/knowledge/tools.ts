import { knowledge as knowledgeSpec } from '@breakwater/contract';
import { defineTool, type Tool } from '../runtime/index.ts';
import { named } from './call.ts';
import { readActions } from './read-actions.ts';
import { writeActions, type WriteParts } from './write-actions.ts';

/** The tool of knowledge; each of its actions stands in `read-actions.ts` or `write-actions.ts`. */
export const knowledgeTools = <M>(parts: WriteParts<M>): Tool[] => {
  const actions = { ...readActions(parts.reader, parts.journal), ...writeActions(parts) };
  return [
    defineTool(
      knowledgeSpec,
      (call) => {
        const action = call.args.action ?? 'search';
        return actions[action]({ ...call, args: named(call.args, action) });
      },
      { checksAtCommit: true },
    ),
  ];
};
