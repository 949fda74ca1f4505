// A text area for code, with line numbers, one of which can be marked.
//
// The one decision to know: a plain text area, not an editor component: the page's first load stays small, and keyboard
// and screen reader work as they do everywhere.

import { h } from '../dom';

export interface Code {
  element: HTMLElement;
  text: HTMLTextAreaElement;
  /** Numbers the lines anew; `faulty`: the line that is wrong, or 0. */
  number: (faulty: number) => void;
  /** Replaces the whole text, so that undoing brings the one before back. */
  write: (value: string) => void;
}

export function code(label: string, describedBy: string): Code {
  const text = h('textarea', { class: 'code', spellcheck: 'false', wrap: 'off', autocapitalize: 'off', 'aria-label': label, 'aria-describedby': describedBy });
  const lines = h('pre', { class: 'lines', 'aria-hidden': 'true' });
  const number = (faulty: number): void => {
    const total = text.value.split('\n').length;
    lines.replaceChildren(
      ...Array.from({ length: total }, (_, index) => h('span', { class: index + 1 === faulty ? 'faulty' : undefined }, `${index + 1}\n`)),
    );
    lines.scrollTop = text.scrollTop;
  };
  text.addEventListener('scroll', () => (lines.scrollTop = text.scrollTop), { passive: true });
  number(0);
  const write = (value: string): void => {
    text.focus();
    text.select();
    // The one way that the browser's own undo knows of.
    if (!document.execCommand('insertText', false, value)) text.value = value;
    text.setSelectionRange(0, 0);
  };
  return { element: h('div', { class: 'editor' }, lines, text), text, number, write };
}
