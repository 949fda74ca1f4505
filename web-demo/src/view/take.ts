// Take away: the Parquet, the spec, the receipt.
//
// The one decision to know: the receipt is what `lakegate preview --json` calls `receipt`, key for key, so that two
// of them can be compared as text.

import { downloadZip } from 'client-zip';
import { grid, h } from '../dom';
import type { Entry, Files } from '../entry';
import type { Preview } from '../protocol';
import { save } from '../save';
import { NOT_COMPARABLE, short, size } from '../words';
import { byRelease } from './summary';
import { uploads, type Landed } from './upload';

export function take(entry: Entry, preview: Preview, files: Files, landed: Landed): HTMLElement {
  const spec = entry.spec || preview.spec || '';
  const parts = preview.tables.flatMap((table) => table.parts.map((part, index) => ({ table, part, name: `${table.name}/${part.partition}part-${index}.parquet` })));
  const receipt = `${JSON.stringify(preview.receipt, null, 2)}\n`;
  const all = async (): Promise<void> => {
    const inside = [
      ...parts.map(({ name, part }) => ({ name, input: part.blob })),
      { name: 'transform.toml', input: spec },
      { name: 'receipt.json', input: receipt },
    ];
    save(await downloadZip(inside).blob(), 'lakegate-preview.zip');
  };
  const button = (label: string, act: () => void, main = false): HTMLElement =>
    h('button', { type: 'button', class: main ? 'main' : '', onclick: act }, label);
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'row' },
      button('All as zip', () => void all(), true),
      button('Spec', () => save(new Blob([spec], { type: 'application/toml' }), 'transform.toml')),
      button('Receipt', () => save(new Blob([receipt], { type: 'application/json' }), 'receipt.json')),
    ),
    uploads(entry, preview, landed),
    parts.length > 0 && h('h3', {}, 'Part files'),
    parts.length > 0 &&
      grid(
        'Part files to download',
        ['part file', '>size', 'digest', ''],
        parts.slice(0, 200).map(({ name, part }) => [
          h('code', {}, name),
          size(part.bytes),
          h('code', { title: part.digest }, short(part.digest)),
          h('button', { type: 'button', 'aria-label': `Download ${name}`, onclick: () => save(part.blob, name.replaceAll('/', '-')) }, 'Download'),
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
    ...byRelease(entry, files),
    h('pre', { id: 'receipt', tabindex: 0, 'aria-label': 'Receipt' }, receipt),
  );
}
