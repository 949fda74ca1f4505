// Where a person was: the scroll positions of a tab, by file, so that drawing it anew moves nothing.

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
