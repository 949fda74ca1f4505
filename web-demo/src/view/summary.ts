// What came of a file: counts, problems and warnings, in the command line's words.

import { h } from '../dom';
import type { Entry, Files, Result } from '../entry';
import { makeFix, undoFix } from '../fixing';
import type { Fix, Preview } from '../protocol';
import { excerpt } from './excerpt';
import { count, duration, exploded, headline, NOT_COMPARABLE, number, placeOf, size } from '../words';

/** A list that a number of the headline opens. */
export type Opens = (list: 'Rejects' | 'Rows' | 'Files', part?: string) => void;

/** What came of the file, in the command line's words. `editing`: a mistake of the spec is said where it is edited. */
export function summary(entry: Entry, files: Files, editing: boolean, opens: Opens): HTMLElement {
  const { result, state, problem } = entry;
  const box = h('section', { id: 'summary', 'aria-label': 'What came of the file' });
  if (state === 'running') {
    box.append(
      h(
        'div',
        { class: 'row' },
        h('progress', { id: 'progress', max: 1, value: 0, 'aria-label': `Reading ${entry.name}` }),
        h('span', { id: 'progress-text', class: 'soft' }, 'starting'),
        h('button', { type: 'button', onclick: () => files.cancel(entry) }, 'Cancel'),
      ),
    );
  }
  const again = h('button', { type: 'button', onclick: () => files.start(entry) }, 'Run again');
  if (state === 'cancelled') box.append(banner('cancelled', '', '', again));
  if (problem && !(editing && problem.fault === 'spec')) {
    const passing = problem.fault === 'transform' || problem.fault === 'environment';
    box.append(banner(headline(problem), placeOf(problem, entry.name), problem.hint ?? '', ...(passing ? [again] : [])));
    const shown = excerpt(entry, files);
    if (shown) box.append(shown);
  }
  box.append(...fixedBy(entry, files), ...drifted(entry, files));
  if (problem && result && !(editing && problem.fault === 'spec')) box.append(h('p', { class: 'soft' }, 'Below is the last preview that was made.'));
  if (result) {
    const { preview } = result;
    box.append(sentence(preview, opens), ...perElement(preview), ...byRelease(result, files), ...comparable(preview), ...warnings(preview, entry, files));
  }
  return box;
}

function sentence({ report, tables, passes, milliseconds, inputBytes }: Preview, opens: Opens): HTMLElement {
  const filtered = report.tables.reduce((sum, table) => sum + table.filtered, 0);
  const rows = report.tables.reduce((sum, table) => sum + table.rows_out, 0);
  const parts = tables.flatMap((table) => table.parts);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  const format = ['', 'none'].includes(report.compression) ? report.format : `${report.format} in ${report.compression}`;
  const opening = (list: 'Rejects' | 'Rows' | 'Files', tone: string, text: string, part?: string): HTMLElement =>
    h('button', { type: 'button', class: `inline ${tone}`, title: `Show ${part ?? list}`, onclick: () => opens(list, part) }, text);
  return h(
    'p',
    { class: 'sentence' },
    `${count(report.records, 'record', 'records')} → `,
    h('strong', {}, opening('Rejects', report.rejected > 0 ? 'warn' : 'good', `${number(report.rejected)} rejected`)),
    report.rescued ? h('span', { class: 'warn' }, ` → ${number(report.rescued)} rescued`) : '',
    ' → ',
    filtered > 0 ? opening('Rejects', 'warn', `${number(filtered)} filtered`, 'filtered') : '0 filtered',
    ' → ',
    opening('Rows', '', `${count(rows, 'row', 'rows')}${report.tables.length > 1 ? ` in ${number(report.tables.length)} tables` : ''}`),
    ' → ',
    opening('Files', '', `${count(parts.length, 'file', 'files')}, ${size(bytes)}`),
    h('span', { class: 'soft' }, ` · ${format}, ${size(inputBytes)}, ${count(passes, 'pass', 'passes')}, ${duration(milliseconds)}`),
  );
}

/** Each table that has a row per element: that a record became several rows is always said. */
function perElement({ report, tables }: Preview): HTMLElement[] {
  return tables.flatMap(({ name, contract }) => {
    const made = report.tables.find(({ table }) => table === name);
    if (!contract.rows || !made || report.accepted === 0) return [];
    return [h('p', { class: 'flow' }, h('strong', {}, name), `: ${exploded(report.accepted, made.rows_made, made.rows_out, contract.rows)}`)];
  });
}

/** Which release made the preview, in the words in which the lake names it; nothing where none did. */
export function byRelease({ madeBy, under }: Result, { transforms }: Files): HTMLElement[] {
  const { kind, key, spec, uses, document } = transforms.get(madeBy);
  if (kind !== 'release') return [];
  const role = document === null ? '' : uses.length > 0 ? `, ${uses.join(' and ')} in channel document ${document}` : `, not in use in channel document ${document}`;
  const own = spec === under.spec ? '' : ' with a spec of your own';
  return [h('p', { class: 'soft by' }, `Made by ${own === '' ? '' : 'the component of '}`, h('strong', {}, key), `${own}${role}.`)];
}

/** The fix that the spec at hand is made by, and the way back. */
function fixedBy(entry: Entry, files: Files): HTMLElement[] {
  const { fixed, spec, draft } = entry;
  if (!fixed || fixed.after !== spec || draft !== null) return [];
  const undo = h('button', { type: 'button', class: 'inline', onclick: () => undoFix(files, entry) }, 'Undo');
  return [h('p', { class: 'fixed-by' }, 'The spec says ', h('code', {}, fixed.by.label), ' now. ', undo)];
}

/** Buttons that make fixes. */
function fixing(fixes: Fix[], said: string, entry: Entry, files: Files): HTMLElement[] {
  return fixes.map((fix) => h('button', { type: 'button', class: 'fix', title: 'Write this into the spec and run again', onclick: () => void makeFix(files, entry, fix, said) }, fix.label));
}

/** Columns whose type the file has left, each with the command that changes it; where no table holds the type, with the fix. */
function drifted(entry: Entry, files: Files): HTMLElement[] {
  const parts = (said: string): (HTMLElement | string)[] => said.split('`').map((part, index) => (index % 2 === 0 ? part : h('code', {}, part)));
  return entry.drift.map(({ said, fix }) => h('p', { class: 'warn drift' }, ...parts(said), ...(entry.contracts.length === 0 ? [' ', ...fixing([fix], said, entry, files)] : [])));
}

function comparable({ report }: Preview): HTMLElement[] {
  if (report.comparable) return [];
  return [h('p', { class: 'warn' }, NOT_COMPARABLE)];
}

function warnings({ report }: Preview, entry: Entry, files: Files): HTMLElement[] {
  if (report.warnings.length === 0) return [];
  const items = report.warnings.map(({ message, fixes }) => h('li', {}, message, ...(fixes.length > 0 ? [' ', ...fixing(fixes, message, entry, files)] : [])));
  return [h('details', { class: 'warnings', open: report.warnings.length <= 2 }, h('summary', {}, `Worth knowing (${number(items.length)})`), h('ul', {}, ...items))];
}

/** A problem, with what to do about it. */
export function banner(title: string, place: string, hint: string, ...more: HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'problem', role: 'alert' },
    h('p', {}, h('strong', {}, title)),
    place ? h('p', {}, h('code', {}, place)) : null,
    hint ? h('p', { class: 'soft' }, `hint: ${hint}`) : null,
    ...more,
  );
}
