import { ALIASES, ERRORS } from '@breakwater/contract';
import { expect, it } from 'vitest';
import { adviceFor } from './advice.ts';

const TOOLS = new Set([...ALIASES.flatMap(({ name, tool }) => [name, tool]), 'describe_tool', 'list_tools']);
const namesTools = (text: string): boolean =>
  /\b\w+\(\w+=/.test(text) || (text.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? []).some((word) => TOOLS.has(word));

it.each(Object.keys(ERRORS))('%s is explained to a person by commands, not by tools', (code) => {
  for (const said of [undefined, 'Call identity(name=x), then dialectic(action=get).', 'Send client_session_id.']) {
    const advice = adviceFor(code, said);
    expect(namesTools(advice), advice).toBe(false);
    expect(advice).not.toContain('client_session_id');
  }
});

it('what a refusal says in plain words, or as a command, is kept', () => {
  expect(adviceFor('FORBIDDEN', 'Wait until its end.')).toBe('Wait until its end.');
  expect(adviceFor('PARAMETER_ERROR', 'See "breakwater saga list --all".')).toBe('See "breakwater saga list --all".');
  expect(adviceFor('PARAMETER_ERROR', 'Name it as systemd does.')).toBe('Name it as systemd does.');
  expect(adviceFor('SAGA_IN_FLIGHT', 'Wait, or take it back with --force.')).toContain('--force');
  expect(adviceFor('SOMETHING_NEW', undefined)).toMatch(/breakwater doctor/);
});
