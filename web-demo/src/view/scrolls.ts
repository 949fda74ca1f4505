// Where a person was: the scroll positions of a tab, by file, and what has the keyboard, so that drawing anew moves nothing.

import type { Entry } from '../entry';

/** What of a tab can be scrolled, in the order it is drawn. */
const SCROLLED = '.scroller, .wide, textarea, pre';

type Positions = [number, number][];
const known = new WeakMap<Entry, Map<string, Positions>>();

/** Remembers where the parts of a tab stand, and how far the page is scrolled. */
export function leave(entry: Entry, tab: string, main: HTMLElement, panel: HTMLElement | null): void {
  const positions = [main, ...(panel?.querySelectorAll(SCROLLED) ?? [])].map(({ scrollTop, scrollLeft }): [number, number] => [scrollTop, scrollLeft]);
  const tabs = known.get(entry) ?? new Map<string, Positions>();
  known.set(entry, tabs.set(tab, positions));
}

/** Puts them there again. */
export function restore(entry: Entry, tab: string, main: HTMLElement, panel: HTMLElement | null): void {
  const positions = known.get(entry)?.get(tab) ?? [];
  [main, ...(panel?.querySelectorAll(SCROLLED) ?? [])].forEach((part, index) => {
    const [top, left] = positions[index] ?? [0, 0];
    if (part.scrollTop !== top) part.scrollTop = top;
    if (part.scrollLeft !== left) part.scrollLeft = left;
  });
}

/** What an element is to a person: the same one, drawn anew, has it too. */
function nameOf(element: Element): string {
  return [element.tagName, element.id || element.getAttribute('aria-label') || element.textContent?.slice(0, 60)].join(' ');
}

/** Draws, and gives the keyboard back to what had it, or else to what stands in its place: it never falls to the page's root. */
export function keepFocus(main: HTMLElement, draw: () => void): void {
  const had = document.activeElement;
  const name = had && main.contains(had) ? nameOf(had) : '';
  draw();
  if (name === '' || (document.activeElement !== document.body && document.activeElement !== null)) return;
  const same = [...main.querySelectorAll(name.split(' ')[0] ?? '')].find((element) => nameOf(element) === name);
  const next = same ?? main.querySelector('[role=tab][aria-selected=true], button');
  (next as HTMLElement | null)?.focus({ preventScroll: true });
}
