// What the address says is shown: `#rows/orders.json`, a tab and a file.
//
// Not for going there (`main.ts`). The one decision to know: a file is named as its person named it; of several with one
// name, the later ones have their number behind it, `orders.json~2`.

import type { Entry } from './entry';

export const TABS = ['Rows', 'Schema', 'Files', 'Rejects', 'Spec', 'Query', 'Compare', 'Take away'] as const;
export type Tab = (typeof TABS)[number];

function word(tab: Tab): string {
  return tab.toLowerCase().replace(' ', '-');
}

/** A name of one word: `aria-labelledby` is a list of them. */
export function tabId(tab: Tab): string {
  return `tab-${word(tab)}`;
}

function fileIn(entries: Entry[], entry: Entry): string {
  const same = entries.filter(({ name }) => name === entry.name).indexOf(entry);
  // Half a pair of surrogates has no place in an address.
  return encodeURIComponent(entry.name.replace(/\p{Surrogate}/gu, '\ufffd')) + (same > 0 ? `~${same + 1}` : '');
}

/** The address of a tab of a file among all of them. */
export function addressOf(tab: Tab, current: Entry | null, entries: Entry[]): string {
  return current ? `#${word(tab)}/${fileIn(entries, current)}` : `#${word(tab)}`;
}

/** The tab that an address names; the first one where it names none. */
export function tabAt(address: string): Tab {
  return TABS.find((tab) => `#${word(tab)}` === address.split('/')[0]) ?? 'Rows';
}

/** The file that an address names, if it is there. */
export function fileAt(address: string, entries: Entry[]): Entry | undefined {
  return entries.find((entry) => address.split('/')[1] === fileIn(entries, entry));
}
