// The spec: proposed or pasted, edited in place; the preview follows a moment after the last key.
//
// The one decision to know: a run begins when nothing was typed for a moment, and the text area keeps its caret.

import { h } from '../dom';
import type { Entry } from '../entry';
import { code } from './code';
import { starts } from './starts';

/** How long nothing is typed before the preview runs again. */
const QUIET_MILLISECONDS = 500;

export interface Editor {
  element: HTMLElement;
  /** Shows what became of the spec. */
  update: () => void;
}

export function spec(entry: Entry, run: (spec: string) => void): Editor {
  const { element, text, number } = code('Spec (transform.toml)', 'spec-said');
  const said = h('p', { class: 'soft', id: 'spec-said', role: 'status' });
  const begin = h('select', { 'aria-label': 'Begin from an example' });
  const reset = h('button', { type: 'button' }, 'Back to the proposal');
  let timer = 0;
  const offer = (): void => {
    const found = starts(entry.preview?.tables[0]);
    const groups = [...new Set(found.map(({ group }) => group))].map((group) =>
      h('optgroup', { label: group }, ...found.flatMap((start, index) => (start.group === group ? [h('option', { value: index }, start.title)] : []))),
    );
    begin.replaceChildren(h('option', { value: '' }, 'Begin from an example …'), ...groups);
    begin.onchange = () => {
      const start = found[Number(begin.value)];
      if (begin.value === '' || !start) return;
      clearTimeout(timer);
      entry.draft = null;
      text.value = start.apply(text.value);
      run(text.value);
    };
  };
  const update = (): void => {
    const wanted = entry.draft ?? (entry.spec || (entry.preview?.spec ?? ''));
    if (text.value !== wanted && document.activeElement !== text) text.value = wanted;
    const wrong = entry.problem?.fault === 'spec' ? entry.problem : null;
    text.setAttribute('aria-invalid', String(wrong !== null));
    reset.hidden = entry.spec === '' && entry.draft === null;
    if (wrong) said.textContent = `line ${wrong.place.line ?? 0}: ${wrong.message}${wrong.hint ? ` (${wrong.hint})` : ''}`;
    else if (entry.state === 'running') said.textContent = 'Running …';
    else if (entry.spec === '') said.textContent = 'Proposed from the file. Edit it, and the preview follows.';
    else said.textContent = 'The preview follows this spec.';
    said.classList.toggle('wrong', wrong !== null);
    number(wrong?.place.line ?? 0);
    if (document.activeElement !== begin) offer();
  };
  text.addEventListener('input', () => {
    entry.draft = text.value;
    number(0);
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      entry.draft = null;
      run(text.value);
    }, QUIET_MILLISECONDS);
  });
  reset.addEventListener('click', () => {
    clearTimeout(timer);
    entry.draft = null;
    text.value = '';
    run('');
  });
  update();
  return {
    element: h('div', { class: 'fill' }, h('div', { class: 'row spread' }, said, h('div', { class: 'row editor-head' }, begin, reset)), element),
    update,
  };
}
