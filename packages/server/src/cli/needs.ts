import type { Need, NeedAct } from '@breakwater/contract/overview';

const commandOf = (act: NeedAct, { agent, review_id: reviewId, saga_id: sagaId }: Need): string | undefined => {
  const of = (words: string, id: string | null | undefined, rest = ''): string | undefined =>
    id === null || id === undefined ? undefined : `breakwater ${words} ${id}${rest}`;
  switch (act) {
    case 'resume':
      return of('agents resume', agent?.agent_id, ' --reason <why>');
    case 'archive':
      return of('agents archive', agent?.agent_id, ' --reason <why>');
    case 'assign_reviewer':
      return of('reviews assign', reviewId, ' --reason <why>');
    case 'confirm_review':
      return of('reviews confirm', reviewId, ' --reason <why>');
    case 'reject_review':
      return of('reviews confirm', reviewId, ' --reject --reason <why>');
    case 'retry_saga':
      return of('saga retry', sagaId);
    case 'revert_saga':
      return of('saga revert', sagaId, ' --reason <why>');
  }
};

/** The commands that answer a need, the likeliest first. */
export const needCommands = (need: Need): string[] =>
  need.acts.map((act) => commandOf(act, need)).filter((command) => command !== undefined);
