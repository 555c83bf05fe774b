import { signal } from '@preact/signals';

const KEEP = 'breakwater.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

const stored = (): string | null => {
  try {
    return localStorage.getItem(KEEP);
  } catch {
    return null;
  }
};

/** `light` or `dark`, as the reader chose or else as the system has it. */
export const theme = signal<'light' | 'dark'>('light');

const apply = (): void => {
  const chosen = stored();
  theme.value = chosen === 'light' || chosen === 'dark' ? chosen : dark.matches ? 'dark' : 'light';
  document.documentElement.dataset['theme'] = theme.value;
};

export const startTheme = (): void => {
  apply();
  dark.addEventListener('change', apply);
};

/** Turns to the other one, and keeps that for this browser. */
export const toggleTheme = (): void => {
  try {
    localStorage.setItem(KEEP, theme.value === 'dark' ? 'light' : 'dark');
  } catch {
    // Without storage the choice cannot be kept; the system's stays.
  }
  apply();
};
