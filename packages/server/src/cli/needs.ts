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
      return of('saga retry', sagaId, ' --reason <why>');
    case 'revert_saga':
      return of('saga revert', sagaId, ' --reason <why>');
  }
};

/**
 * The commands that answer a need, the likeliest first. Of a paused agent that is the one that shows it: to make it active
 * again is a decision, and what an operator stopped on purpose is not to be undone by copying a line.
 */
export const needCommands = (need: Need): string[] => {
  const commands = need.acts.map((act) => commandOf(act, need)).filter((command) => command !== undefined);
  const first =
    need.acts[0] === 'resume' && need.agent != null ? [`breakwater agents show ${need.agent.agent_id}`] : [];
  return [...first, ...commands];
};
