// Rejected records: each with its reason, its line, and its text as it came, which can be mended in place.
//
// Not for judging what was mended (`mend/`). The one decision to know: a record is drawn anew by itself, so that the
// editors of others keep their place.

import { grid, h } from '../dom';
import type { Mending } from '../mend/mending';
import { spot } from '../mend/spot';
import type { Checked, Quarantined, Reason } from '../protocol';
import { save } from '../save';
import { count, number } from '../words';
import { stem } from '../worker/names';

/** Records listed before the list is cut. */
const LISTED = 200;
/** Lines that an editor has at most; it scrolls then. */
const EDITOR_LINES = 14;

/** The rejected records of the file `name`, whose table is `table`. */
export function rejects(mending: Mending, name: string, table: string): HTMLElement {
  const { lines, total, atLeast, reasons } = mending.rejected;
  if (total === 0) return h('p', { class: 'note' }, 'No record was rejected.');
  const bar = h('div', { class: 'row' });
  const hint = h('p', { class: 'soft', role: 'status' });
  const update = (): void => {
    bar.replaceChildren(...downloads(mending, name));
    hint.replaceChildren(...(mending.fixed.size > 0 ? next(mending, table) : []));
  };
  update();
  const cut = total - Math.min(lines.length, LISTED);
  return h(
    'div',
    {},
    h('h3', {}, 'Reasons'),
    reasonsOf(reasons),
    h('div', { class: 'row spread rejects-head' }, h('h3', {}, 'Records'), bar),
    hint,
    h('ol', { class: 'rejects' }, ...lines.slice(0, LISTED).map((line) => item(mending, line, update))),
    cut > 0 && h('p', { class: 'soft' }, `… and ${count(cut, 'more record', 'more records')}`),
    (atLeast || lines.length < total) &&
      h('p', { class: 'soft' }, `More records were rejected than the page keeps: of those after record ${number(lines.at(-1)?.record ?? 0)} there is no text here, and none in what is downloaded.`),
  );
}

function reasonsOf(reasons: Reason[]): HTMLElement {
  return grid(
    'Reasons',
    ['>records', 'where', 'reason', 'message'],
    reasons.map(({ records, path, code, message }) => [number(records), h('code', {}, path ?? ''), h('code', {}, code), message]),
  );
}

function downloads(mending: Mending, name: string): HTMLElement[] {
  const { size: fixed } = mending.fixed;
  const left = mending.remaining();
  const saveFixed = async (): Promise<void> => {
    const { blob, extension } = await mending.file();
    save(blob, `${stem(name)}-fixed.${extension}`);
  };
  const remaining = h(
    'button',
    { type: 'button', onclick: () => save(ndjson(left), 'quarantine.ndjson') },
    fixed > 0 ? `Download what remains (${number(left.length)})` : 'Download as NDJSON',
  );
  if (fixed === 0) return [remaining];
  const mended = h('button', { type: 'button', class: 'main', onclick: () => void saveFixed() }, `Download fixed records (${number(fixed)})`);
  return left.length > 0 ? [mended, remaining] : [mended];
}

/** What to do with the fixed records. */
function next(mending: Mending, table: string): (Node | string)[] {
  const records = [...mending.fixed.keys()].sort((a, b) => a - b);
  const ids = records.slice(0, 5).map((record) => `…-${record}`).join(' ') + (records.length > 5 ? ' …' : '');
  return [
    `${count(records.length, 'record is', 'records are')} fixed. Load the download as a file of its own; or, where the whole file was loaded: `,
    h('code', {}, `lakegate quarantine resubmit ${table} ${ids} --from FILE`),
    '.',
  ];
}

/** The quarantine as a lake holds it: one line a record. */
function ndjson(lines: Quarantined[]): Blob {
  return new Blob(lines.map((line) => `${JSON.stringify(line)}\n`), { type: 'application/x-ndjson' });
}

/** A record in one of its states: as it came, in its editor, or fixed. */
function item(mending: Mending, line: Quarantined, update: () => void): HTMLElement {
  const { record } = line;
  const element = h('li', { 'aria-label': `Record ${number(record)}` });
  const draw = (focus?: string): void => {
    const fixed = mending.fixed.get(record);
    const draft = mending.drafts.get(record);
    element.classList.toggle('fixed', fixed !== undefined && draft === undefined);
    element.replaceChildren(...heading(line));
    if (draft !== undefined) element.append(editor(mending, line, draft, (focused) => (update(), draw(focused))));
    else if (fixed) element.append(...accepted(fixed));
    else element.append(asItCame(mending, line));
    if (draft === undefined) element.append(beginning(mending, line, (focused) => draw(focused)));
    if (focus) element.querySelector<HTMLElement>(focus)?.focus();
  };
  draw();
  return element;
}

function heading(line: Quarantined): HTMLElement[] {
  const place = [
    `record ${number(line.record)}`,
    line.line === null ? '' : `line ${number(line.line)}`,
    line.offset === null ? '' : `byte ${number(line.offset)}`,
  ];
  return [
    h('p', { class: 'why' }, h('strong', {}, line.message), ' ', h('code', {}, line.path ?? '')),
    h('p', { class: 'soft' }, [...place, line.code].filter((part) => part !== '').join(' · ')),
  ];
}

/** Why a rejected record is not shown. */
const MASKED = 'Nothing of it is kept, because columns are masked: mend it in its file.';

function asItCame(mending: Mending, line: Quarantined): HTMLElement {
  const text = h('pre', { tabindex: 0 });
  if (line.masked) return h('p', { class: 'soft' }, MASKED);
  void marked(mending, line).then((nodes) => text.replaceChildren(...nodes, ...(line.truncated ? [' … (cut)'] : [])));
  return text;
}

/** The raw text with the spot marked, as far as it is known. */
async function marked(mending: Mending, line: Quarantined): Promise<(Node | string)[]> {
  const shape = await mending.shape.catch(() => null);
  const at = spot(line, shape?.csv ?? null);
  const { raw } = line;
  return at ? [raw.slice(0, at.start), h('mark', {}, raw.slice(at.start, at.end) || ' '), raw.slice(at.end)] : [raw];
}

/** The button that opens the editor, or why there is none. */
function beginning(mending: Mending, line: Quarantined, draw: (focus: string) => void): HTMLElement {
  const { record, raw, truncated, masked } = line;
  const place = h('p', { class: 'row act' });
  if (masked) return place;
  if (truncated) {
    place.append(h('span', { class: 'soft' }, 'The text is too long to be kept whole: it cannot be edited here.'));
    return place;
  }
  const fixed = mending.fixed.get(record);
  const label = fixed ? 'Edit again' : 'Edit';
  const begin = (): void => {
    mending.drafts.set(record, fixed?.text ?? raw);
    draw('textarea');
  };
  place.append(h('button', { type: 'button', 'aria-label': `${label} record ${number(record)}`, onclick: begin }, label));
  void mending.shape.catch((error: Error) => place.replaceChildren(h('span', { class: 'soft' }, `It cannot be edited here: ${error.message}.`)));
  return place;
}

function editor(mending: Mending, { record, raw }: Quarantined, draft: string, draw: (focus: string) => void): HTMLElement {
  const rows = Math.min(EDITOR_LINES, Math.max(2, draft.split('\n').length + Math.floor(draft.length / 120)));
  const text = h('textarea', { rows, spellcheck: 'false', autocapitalize: 'off', 'aria-label': `Text of record ${number(record)}`, 'aria-describedby': `said-${record}` });
  text.value = draft;
  text.addEventListener('input', () => mending.drafts.set(record, text.value));
  const said = h('div', { class: 'said', id: `said-${record}`, role: 'status' });
  const button = h('button', { type: 'button', class: 'main', title: 'Ctrl+Enter', onclick: () => void check() }, 'Check again');
  const check = async (): Promise<void> => {
    button.disabled = true;
    said.replaceChildren('Checking …');
    const verdict = await mending.check(record, text.value);
    button.disabled = false;
    if (verdict.accepted) return draw('.act button');
    said.replaceChildren(...(await refused(mending, verdict.message, verdict.line)));
  };
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    void check();
  });
  const back = (): void => {
    mending.drafts.delete(record);
    mending.verdicts.delete(record);
    draw('.act button');
  };
  const original = (): void => {
    text.value = raw;
    mending.drafts.set(record, raw);
    text.focus();
  };
  const verdict = mending.verdicts.get(record);
  if (verdict && !verdict.accepted) void refused(mending, verdict.message, verdict.line).then((nodes) => said.replaceChildren(...nodes));
  return h(
    'div',
    { class: 'mend' },
    text,
    h(
      'p',
      { class: 'row' },
      button,
      h('button', { type: 'button', onclick: back }, 'Close'),
      h('button', { type: 'button', class: 'quiet', onclick: original }, 'Original text'),
    ),
    said,
  );
}

/** Why a mended text is still refused. */
async function refused(mending: Mending, message: string, line: Quarantined | null): Promise<HTMLElement[]> {
  return [
    h('p', {}, h('strong', { class: 'wrong' }, `Still rejected: ${message}`), ' ', h('code', {}, line?.path ?? '')),
    ...(line ? [h('pre', { tabindex: 0 }, ...(await marked(mending, line)))] : []),
  ];
}

/** The mended text and the rows that it makes. */
function accepted({ text, tables }: { text: string; tables: Checked['tables'] }): HTMLElement[] {
  const made = tables.reduce((sum, { all }) => sum + all, 0);
  return [
    h('p', { class: 'good verdict' }, h('strong', {}, made === 0 ? 'Accepted: it makes no row, a filter drops them.' : `Accepted: it makes ${count(made, 'row', 'rows')}.`)),
    h('pre', { tabindex: 0 }, text),
    ...tables.filter(({ all }) => all > 0).map(({ name, columns, rows, all }) => {
      const shown = rows[0]?.length ?? 0;
      const cells = Array.from({ length: shown }, (_, row) => rows.map((column) => cell(column[row] ?? null)));
      return h('div', { class: 'made' }, grid(`Rows of ${name} made of it`, columns, cells), all > shown ? h('p', { class: 'soft' }, `… and ${number(all - shown)} more`) : null);
    }),
  ];
}

function cell(value: string | null): HTMLElement | string {
  if (value === null) return h('span', { class: 'null' }, 'null');
  return value === '' ? h('span', { class: 'blank' }, 'empty') : value.slice(0, 300);
}
