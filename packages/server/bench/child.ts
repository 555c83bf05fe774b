import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Runs a program of this folder in a process of its own: its task in, its one line of JSON out. */
export const inChild = async <Result>(program: string, task: unknown): Promise<Result> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL(program, import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(task));
  let answer = '';
  for await (const chunk of child.stdout) answer += String(chunk);
  if (answer === '') throw new Error(`${program} gave no answer`);
  return JSON.parse(answer) as Result;
};
