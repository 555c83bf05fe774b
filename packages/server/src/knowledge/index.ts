/** Knowledge: findings that agents leave for each other, how they are found again, and how they age. */
export { createKnowledge, type Knowledge } from './knowledge.ts';
export { lifecycleJob } from './tending.ts';
export { knowledgeTools } from './tools.ts';
