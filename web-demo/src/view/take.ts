// Take away: the Parquet, the spec, the receipt.
//
// The decisions to know: all that is taken away or sent from here is of one result, whose spec makes it again, so that none
// of it contradicts the rest; the receipt is what `lakegate preview --json` calls `receipt`, key for key, so that two of
// them can be compared as text.

import { downloadZip } from 'client-zip';
import { grid, h } from '../dom';
import { unsettled, type Entry, type Files, type Result } from '../entry';
import { save } from '../save';
import { NOT_COMPARABLE, short, size } from '../words';
import { byRelease } from './summary';
import { uploads, type Landed } from './upload';

export function take(entry: Entry, result: Result, files: Files, landed: Landed): HTMLElement {
  const held = unsettled(entry);
  const inside = h('div', { class: 'taken' });
  const fill = (): void => {
    if (entry.bare || result.under.spec !== '' || !result.preview.spec) return void inside.replaceChildren(...parts(entry, result, files, landed, held));
    const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Making it under the proposed spec' });
    const text = h('span', { class: 'soft' }, 'Making it under the proposed spec …');
    inside.replaceChildren(h('p', { class: 'row', role: 'status' }, bar, text));
    const progress = ({ read, total }: Entry['progress']): void => {
      bar.value = total > 0 ? read / total : 0;
      text.textContent = `Making it under the proposed spec: ${size(read)} of ${size(total)}`;
    };
    void files.pinned(entry, result, progress).then(
      (pinned) => !entry.bare && inside.replaceChildren(...parts(entry, pinned, files, landed, held || unsettled(entry))),
      (error: Error) => inside.replaceChildren(h('p', { class: 'wrong' }, `The proposed spec does not make it: ${error.message}`)),
    );
  };
  fill();
  const choice = result.under.spec === '' && result.preview.spec ? [underWhat(entry, fill)] : [];
  return h('div', {}, held !== '' && h('p', { class: 'warn', id: 'held', role: 'status' }, held), ...choice, inside);
}

/** Where only the file says a spec: whether that is part of what is taken away. */
function underWhat(entry: Entry, fill: () => void): HTMLElement {
  const option = (bare: boolean, label: string): HTMLElement => {
    const input = h('input', { type: 'radio', name: 'under', checked: entry.bare === bare });
    input.addEventListener('change', () => {
      entry.bare = bare;
      fill();
    });
    return h('label', {}, input, label);
  };
  return h(
    'fieldset',
    { class: 'row under' },
    h('legend', { class: 'unseen' }, 'Made under'),
    option(false, 'Under the proposed spec, which comes along'),
    option(true, 'Without a spec, as lakegate run FILE does it'),
  );
}

/** All of one result. `held`: why nothing is taken now. */
function parts(entry: Entry, result: Result, files: Files, landed: Landed, held: string): HTMLElement[] {
  const { preview } = result;
  const { spec } = result.under;
  const made = preview.tables.flatMap((table) => table.parts.map((part, index) => ({ table, part, name: `${table.name}/${part.partition}part-${index}.parquet` })));
  const receipt = `${JSON.stringify(preview.receipt, null, 2)}\n`;
  const all = async (): Promise<void> => {
    const inside = [
      ...made.map(({ name, part }) => ({ name, input: part.blob })),
      ...(spec === '' ? [] : [{ name: 'transform.toml', input: spec }]),
      { name: 'receipt.json', input: receipt },
    ];
    save(await downloadZip(inside).blob(), 'lakegate-preview.zip');
  };
  const off = { disabled: held !== '', title: held || undefined };
  const button = (label: string, act: () => void, main = false): HTMLElement =>
    h('button', { type: 'button', class: main ? 'main' : '', onclick: act, ...off }, label);
  const elements = [
    h(
      'div',
      { class: 'row' },
      button('All as zip', () => void all(), true),
      spec !== '' && button('Spec', () => save(new Blob([spec], { type: 'application/toml' }), 'transform.toml')),
      button('Receipt', () => save(new Blob([receipt], { type: 'application/json' }), 'receipt.json')),
    ),
    uploads(entry, result, files, landed, held),
    made.length > 0 && h('h3', {}, 'Part files'),
    made.length > 0 &&
      grid(
        'Part files to download',
        ['part file', '>size', 'digest', ''],
        made.slice(0, 200).map(({ name, part }) => [
          h('code', {}, name),
          size(part.bytes),
          h('code', { title: part.digest }, short(part.digest)),
          h('button', { type: 'button', 'aria-label': `Download ${name}`, onclick: () => save(part.blob, name.replaceAll('/', '-')), ...off }, 'Download'),
        ]),
      ),
    h('h3', {}, 'Receipt'),
    h(
      'p',
      { class: 'soft' },
      ...(preview.receipt.comparable
        ? ['The same input, spec and component make these very bytes on every host: compare with ', h('code', {}, 'lakegate preview --json'), '.']
        : [NOT_COMPARABLE]),
    ),
    ...byRelease(result, files),
    h('pre', { id: 'receipt', tabindex: 0, 'aria-label': 'Receipt' }, receipt),
  ];
  return elements.filter((element) => element !== false);
}
