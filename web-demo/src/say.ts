// Something said in passing, aloud and in sight.

import { byId } from './dom';

let silence = 0;

/** Stays for as long as it takes to read. */
export function say(text: string): void {
  const place = byId('announce');
  place.textContent = text;
  clearTimeout(silence);
  silence = window.setTimeout(() => (place.textContent = ''), 4_000 + 60 * text.length);
}
