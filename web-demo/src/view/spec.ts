// The spec: proposed or pasted, edited in place; the preview follows a moment after the last key.
//
// The one decision to know: a plain text area with line numbers, not an editor component: the page's first load
// stays small, and keyboard and screen reader work as they do everywhere.

import { h } from '../dom';
import type { Entry } from '../entry';
import { starts } from './starts';

/** How long nothing is typed before the preview runs again. */
const QUIET_MILLISECONDS = 500;

export interface Editor {
  element: HTMLElement;
  /** Shows what became of the spec. */
  update: () => void;
}

export function spec(entry: Entry, run: (spec: string) => void): Editor {
  const text = h('textarea', { class: 'code', spellcheck: 'false', wrap: 'off', autocapitalize: 'off', 'aria-label': 'Spec (transform.toml)' });
  const lines = h('pre', { class: 'lines', 'aria-hidden': 'true' });
  const said = h('p', { class: 'soft', id: 'spec-said', role: 'status' });
  const begin = h('select', { 'aria-label': 'Begin from an example' });
  const reset = h('button', { type: 'button' }, 'Back to the proposal');
  text.setAttribute('aria-describedby', 'spec-said');
  let timer = 0;
  let faulty = 0;
  const number = (): void => {
    const total = text.value.split('\n').length;
    lines.replaceChildren(
      ...Array.from({ length: total }, (_, index) =>
        h('span', { class: index + 1 === faulty ? 'faulty' : undefined }, `${index + 1}\n`),
      ),
    );
    lines.scrollTop = text.scrollTop;
  };
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
    faulty = wrong?.place.line ?? 0;
    text.setAttribute('aria-invalid', String(wrong !== null));
    reset.hidden = entry.spec === '' && entry.draft === null;
    if (wrong) said.textContent = `line ${faulty}: ${wrong.message}${wrong.hint ? ` (${wrong.hint})` : ''}`;
    else if (entry.state === 'running') said.textContent = 'Running …';
    else if (entry.spec === '') said.textContent = 'Proposed from the file. Edit it, and the preview follows.';
    else said.textContent = 'The preview follows this spec.';
    said.classList.toggle('wrong', wrong !== null);
    number();
    if (document.activeElement !== begin) offer();
  };
  text.addEventListener('input', () => {
    entry.draft = text.value;
    faulty = 0;
    number();
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      entry.draft = null;
      run(text.value);
    }, QUIET_MILLISECONDS);
  });
  text.addEventListener('scroll', () => (lines.scrollTop = text.scrollTop), { passive: true });
  reset.addEventListener('click', () => {
    clearTimeout(timer);
    entry.draft = null;
    text.value = '';
    run('');
  });
  update();
  return {
    element: h('div', { class: 'fill' }, h('div', { class: 'row spread' }, said, h('div', { class: 'row editor-head' }, begin, reset)), h('div', { class: 'editor' }, lines, text)),
    update,
  };
}
