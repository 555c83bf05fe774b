import { describe, expect, it } from 'vitest';
import { BLANK_TOPIC, textFeatures } from './text-features.ts';

describe('text features', () => {
  it('counts code points, also at the edge of a broken pair', () => {
    expect(textFeatures('🚀🚀').chars).toBe(2);
    expect(textFeatures('\ud83d🚀\ude80').chars).toBe(3);
  });

  it('starts a line only after a line feed', () => {
    expect(textFeatures('a\r- b\u2028- c\n- d').listItems).toBe(1);
  });

  it('takes digits of any script, bullets, and white space that spans lines', () => {
    expect(textFeatures('٣. x\n\n  • y\n1) no\n-no\n12.no').listItems).toBe(2);
    expect(textFeatures('-\n- a').listItems).toBe(2);
  });

  it('knows the white space of the reference', () => {
    expect(textFeatures('-\u001ca').listItems).toBe(1);
    expect(textFeatures('-\ufeffa').listItems).toBe(0);
    expect(textFeatures('a\u0085b').topicHash).toBe(textFeatures(' A  B\n').topicHash);
    expect(textFeatures('a\ufeffb').topicHash).not.toBe(textFeatures('a b').topicHash);
    expect(textFeatures(' \n\t').topicHash).toBe(BLANK_TOPIC);
  });

  it('reads the worst text of 50,000 characters in linear time', () => {
    // A quadratic reading of these takes seconds; the bound is far above what a linear one takes on a slow machine.
    const cost = (text: string) => {
      const started = performance.now();
      for (let i = 0; i < 5; i += 1) textFeatures(text);
      return performance.now() - started;
    };
    for (const shape of ['\n', ' \n', '1', '- \n', '```', '\n\n ']) {
      const whole = shape.repeat(50_000 / shape.length);
      cost(whole);
      expect(cost(whole)).toBeLessThan(500);
    }
  });
});
