// The line that asks whether files are kept in this browser, and says what is.

import { h } from '../dom';
import type { Keeper } from '../keeper';
import { count, size } from '../words';

/** The question, or what is kept and how to take the answer back. Null where this browser can keep nothing. */
export function keeping(keeper: Keeper): HTMLElement | null {
  if (!keeper.able) return null;
  const button = (label: string, consent: 'yes' | 'no', look = ''): HTMLElement =>
    h('button', { type: 'button', class: look, onclick: () => keeper.answer(consent) }, label);
  const line = (...parts: (string | HTMLElement)[]): HTMLElement => h('div', { class: 'row keeping soft', id: 'keeping' }, ...parts);
  switch (keeper.consent) {
    case '':
      return line('Keep files and specs in this browser, so that a reload does not lose them?', button('Keep', 'yes'), button('No', 'no'));
    case 'no':
      return h('div', { id: 'keeping' }, button('Keep in this browser', 'yes', 'quiet'));
    case 'yes':
      return line(...said(keeper), button('Stop keeping', 'no', 'quiet'));
  }
}

function said({ held, refused }: Keeper): HTMLElement[] {
  const what = held.files === 0 ? 'Files are kept in this browser, and nowhere else.' : `Kept in this browser: ${count(held.files, 'file', 'files')}, ${size(held.bytes)}.`;
  return [h('span', {}, what), ...[...refused].map(([{ name }, why]) => h('span', { class: 'warn' }, `${name} is not kept: ${why}.`))];
}
