import { signal } from '@preact/signals';
import { addressOf, navigate } from './router.ts';

/** Pages by the letter that follows `g`. */
export const PAGES = [
  { key: 'n', path: '/', name: 'Overview' },
  { key: 'a', path: '/agents', name: 'Agents' },
  { key: 'r', path: '/reviews', name: 'Reviews' },
  { key: 'k', path: '/knowledge', name: 'Knowledge' },
  { key: 'c', path: '/calibration', name: 'Calibration' },
  { key: 'h', path: '/channel', name: 'Server health' },
  { key: 'f', path: '/flags', name: 'Settings' },
  { key: 's', path: '/system', name: 'System' },
] as const;

const SEQUENCE_MS = 1_000;

/** Whether the list of shortcuts is shown. */
export const shortcutsShown = signal(false);

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

/** The first link or act of the row before or after; undefined: the place is in no table, or at its end. */
const neighbour = (target: EventTarget | null, key: string): HTMLElement | undefined => {
  const row = target instanceof Element ? target.closest('tbody tr') : null;
  const next = key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling;
  return next?.querySelector<HTMLElement>('a, button') ?? undefined;
};

/** `g` and a letter go to a page, `/` to the search of the page, arrows from row to row; `?` shows what there is. */
export const startKeys = (): void => {
  let goAt = -SEQUENCE_MS;
  addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]') !== null) return;
    if (performance.now() - goAt < SEQUENCE_MS) {
      goAt = -SEQUENCE_MS;
      const page = PAGES.find(({ key }) => key === event.key);
      if (page !== undefined) {
        event.preventDefault();
        navigate(addressOf(page.path));
        return;
      }
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const next = neighbour(event.target, event.key);
      if (next === undefined) return;
      event.preventDefault();
      next.focus();
    } else if (event.key === 'g') goAt = performance.now();
    else if (event.key === '/') {
      const search = document.querySelector<HTMLInputElement>('input[type="search"]');
      if (search === null) return;
      event.preventDefault();
      search.focus();
    } else if (event.key === '?') {
      event.preventDefault();
      shortcutsShown.value = true;
    }
  });
};
