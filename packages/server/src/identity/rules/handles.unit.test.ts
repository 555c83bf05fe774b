import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { autoLabel, clientHintOf, familyOf, publicHandle, rebadgedHandle } from './handles.ts';

const NOW = Date.UTC(2026, 10, 23, 23, 59);
const handle = (modelType?: string, clientHint?: string) => publicHandle({ modelType, clientHint }, NOW);

describe('a handle', () => {
  it('is the model and the day, after a program of another vendor', () => {
    expect(handle('claude-opus-4.5')).toBe('Claude_Opus_4_5_20261123');
    expect(handle('claude-opus-4.5', 'claude_code')).toBe('Claude_Opus_4_5_20261123');
    expect(handle('claude-opus-4.5', 'cursor')).toBe('Cursor_Claude_Opus_4_5_20261123');
    expect(handle('gpt-5', 'chatgpt')).toBe('Gpt_5_20261123');
    expect(handle('mistral', 'cursor')).toBe('Mistral_20261123');
    expect(handle(undefined, 'Cursor')).toBe('cursor_20261123');
  });

  it('case 45: is anonymous for a caller that says nothing, and never begins with a reserved word', () => {
    expect(handle()).toBe('anon_20261123');
    expect(handle('system-x')).toBe('Model_System_X_20261123');
    expect(handle(undefined, 'operator')).toBe('anon_20261123');
    const reserved = /^(mcp|system|admin|operator|root|governance|breakwater|unitares)(_|$)/i;
    const words = fc.constantFrom(
      'mcp',
      'system',
      'admin',
      'Operator',
      'root',
      'unitares',
      '-',
      '_',
      ' ',
      'claude',
      'x',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(words).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, text, (model, hint) => {
        expect(handle(model, hint)).not.toMatch(reserved);
      }),
      { numRuns: 2_000 },
    );
  });

  it('changes when the agent runs on another vendor, and only then', () => {
    const kind = (modelType?: string) => ({ modelType, clientHint: undefined });
    expect(rebadgedHandle('Claude_Opus_20260101', kind('gpt-5'), NOW)).toBe('Gpt_5_20261123');
    expect(rebadgedHandle('Claude_Opus_20260101', kind('claude-haiku'), NOW)).toBeUndefined();
    expect(rebadgedHandle('anon_20260101', kind('gpt-5'), NOW)).toBeUndefined();
    expect(rebadgedHandle('Claude_Opus_20260101', kind(), NOW)).toBeUndefined();
  });
});

describe('programs and models', () => {
  it('are known by their user agents, the more exact first', () => {
    expect(clientHintOf('Cursor/1.0 (claude)')).toBe('cursor');
    expect(clientHintOf('claude-code/2')).toBe('claude_code');
    expect(clientHintOf('Claude Desktop')).toBe('claude_desktop');
    expect(clientHintOf('openai-python/1')).toBe('chatgpt');
    expect(clientHintOf('curl/8')).toBeUndefined();
    expect(clientHintOf(undefined)).toBeUndefined();
  });

  it('belong to families; the model that is named goes before the user agent', () => {
    expect(familyOf({ modelType: 'claude-3-opus' })).toBe('claude');
    expect(familyOf({ modelType: 'codex-mini' })).toBe('gpt');
    expect(familyOf({ modelType: 'composer-1' })).toBe('composer');
    expect(familyOf({ modelType: 'Mistral Large' })).toBe('mistral-large');
    expect(familyOf({ modelType: 'gemini', userAgent: 'openai' })).toBe('gemini');
    expect(familyOf({ userAgent: 'anthropic-sdk' })).toBe('claude');
    expect(familyOf({ modelType: ' ', userAgent: 'curl' })).toBeUndefined();
  });

  it('make a name for an agent that gave none', () => {
    expect(autoLabel({ modelType: 'claude-opus-4', clientHint: 'claude_code' })).toBe('claude_code-opus');
    expect(autoLabel({ modelType: 'GPT 5', clientHint: undefined })).toBe('gpt-5');
    expect(autoLabel({ modelType: undefined, clientHint: 'unknown' })).toBeUndefined();
  });
});
