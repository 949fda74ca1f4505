// The spec: proposed or pasted, edited in place; the preview follows a moment after the last key.
//
// The decisions to know: a run begins when nothing was typed for a moment, and the text area keeps its caret; a text that
// replaces another one whole goes in as if it were typed, so that undoing works across it.

import { h } from '../dom';
import type { Entry, Told } from '../entry';
import { code } from './code';
import { starts } from './starts';

/** How long nothing is typed before the preview runs again. */
const QUIET_MILLISECONDS = 500;

export interface Editor {
  element: HTMLElement;
  /** Shows what became of the spec. */
  update: () => void;
}

/** `told` is not edited; `run` makes the preview of a text, `touched` hears that one is being typed. */
export function spec(entry: Entry, told: Told, run: (spec: string) => void, touched: () => void): Editor {
  const { element, text, number, write } = code('Spec (transform.toml)', 'spec-said');
  const said = h('p', { class: 'soft', id: 'spec-said', role: 'status' });
  const begin = h('select', { 'aria-label': 'Begin from an example' });
  const reset = h('button', { type: 'button' }, 'Back to the proposal');
  const copy = h('button', { type: 'button', onclick: () => own() }, 'Try a copy of it');
  const { spec: given, whose } = told;
  let timer = 0;
  /** The proposal is asked for: it takes the text's place once it is there. */
  let returning = false;
  const own = (): void => {
    entry.edited = true;
    update();
    text.focus();
  };
  const offer = (): void => {
    const found = starts(entry.result?.preview.tables[0]);
    const groups = [...new Set(found.map(({ group }) => group))].map((group) =>
      h('optgroup', { label: group }, ...found.flatMap((start, index) => (start.group === group ? [h('option', { value: index }, start.title)] : []))),
    );
    begin.replaceChildren(h('option', { value: '' }, 'Begin from an example …'), ...groups);
    begin.onchange = () => {
      const start = found[Number(begin.value)];
      if (begin.value === '' || !start) return;
      write(start.apply(text.value));
      now();
    };
  };
  const now = (): void => {
    clearTimeout(timer);
    entry.draft = null;
    run(text.value);
  };
  const proposal = (): string => entry.result?.preview.spec ?? '';
  const update = (): void => {
    const wanted = entry.draft ?? (entry.spec || proposal());
    if (returning) {
      if (entry.state === 'running') return void (said.textContent = 'Running …');
      returning = false;
      write(wanted);
      entry.draft = null;
      clearTimeout(timer);
    } else if (text.value !== wanted && document.activeElement !== text) text.value = wanted;
    const wrong = entry.problem?.fault === 'spec' ? entry.problem : null;
    text.setAttribute('aria-invalid', String(wrong !== null));
    const isGiven = given !== '' && entry.spec === given && !entry.edited;
    text.readOnly = isGiven;
    copy.hidden = !isGiven;
    begin.hidden = isGiven;
    reset.hidden = isGiven || (entry.spec === '' && entry.draft === null);
    reset.textContent = given === '' ? 'Back to the proposal' : `Back to ${whose}`;
    const line = wrong ? (wrong.place.line ?? lineOf(wrong.message, text.value)) : 0;
    if (wrong) said.textContent = `${line > 0 ? `line ${line}: ` : ''}${wrong.message}${wrong.hint ? ` (${wrong.hint})` : ''}`;
    else if (entry.state === 'running') said.textContent = 'Running …';
    else if (entry.spec === '' && !entry.result) said.textContent = 'The file could not be read, so nothing is proposed: begin from an example, or write what it needs.';
    else if (isGiven) said.textContent = `${told.said} A copy of it can be tried here.`;
    else if (entry.spec === '') said.textContent = 'Proposed from the file. Edit it, and the preview follows.';
    else said.textContent = 'The preview follows this spec.';
    said.classList.toggle('wrong', wrong !== null);
    number(line);
    show(line);
    if (document.activeElement !== begin) offer();
  };
  /** Scrolls to a line, unless somebody types. */
  const show = (line: number): void => {
    if (line === 0 || document.activeElement === text) return;
    const height = text.scrollHeight / Math.max(1, text.value.split('\n').length);
    const top = (line - 1) * height;
    if (top < text.scrollTop || top > text.scrollTop + text.clientHeight - height) text.scrollTop = Math.max(0, top - text.clientHeight / 3);
  };
  text.addEventListener('input', () => {
    const begins = entry.draft === null;
    entry.draft = text.value;
    if (begins) touched();
    number(0);
    clearTimeout(timer);
    timer = window.setTimeout(() => {
      // The proposal as it was is no spec of a person's.
      if (text.value === proposal() && entry.spec === '') {
        entry.draft = null;
        touched();
      } else now();
    }, QUIET_MILLISECONDS);
  });
  reset.addEventListener('click', () => {
    clearTimeout(timer);
    entry.draft = null;
    returning = true;
    // Whoever edits keeps the editor, and with it what can be undone.
    text.focus();
    run(given);
  });
  update();
  return {
    element: h('div', { class: 'fill' }, h('div', { class: 'row editor-head' }, begin, reset, copy), said, element),
    update,
  };
}

/** The line of the SQL that a message ends with, `… of "price * x"`; 0 where it is not to be found. */
function lineOf(message: string, spec: string): number {
  const sql = / of "(.*)"$/s.exec(message)?.[1] ?? '';
  const quoted = JSON.stringify(sql).slice(1, -1);
  return sql === '' ? 0 : spec.split('\n').findIndex((line) => line.includes(sql) || line.includes(quoted)) + 1;
}
