// The part files: partitions, sizes, row groups, and what each column holds.

import { grid, h } from '../dom';
import type { Picture, Preview, Table } from '../protocol';
import { count, number, percent, short, size } from '../words';
import { picture } from './bars';

/** Part files listed before the list is cut. */
const LISTED = 500;

/** How the values of a column are spread over all part files. */
export type Spread = (column: number) => Promise<Picture | null>;

export function files(table: Table, preview: Preview, spread: Spread): HTMLElement {
  const bytes = table.parts.reduce((sum, part) => sum + part.bytes, 0);
  const share = preview.inputBytes > 0 ? ` (${percent(bytes, preview.inputBytes)} of the raw file's ${size(preview.inputBytes)})` : '';
  const parts = table.parts.slice(0, LISTED).map((part) => [
    h('code', {}, part.partition || '(none)'),
    number(part.rows),
    size(part.bytes),
    number(part.footer.groups.length),
    h('code', { title: part.digest }, short(part.digest)),
  ]);
  const cut = table.parts.length - parts.length;
  return h(
    'div',
    {},
    h('p', {}, `${count(table.parts.length, 'part file', 'part files')}, ${size(bytes)}${share}`),
    grid(`Part files of ${table.name}`, ['partition', '>rows', '>size', '>row groups', 'digest'], parts),
    cut > 0 ? h('p', { class: 'soft' }, `… and ${number(cut)} more`) : null,
    ...table.parts.slice(0, 1).map(() => statistics(table, spread)),
  );
}

/** Columns of one part file, which can be chosen where there are several. */
function statistics(table: Table, spread: Spread): HTMLElement {
  // The same in all part files: asked for once.
  const pictures = table.parts[0]?.footer.columns.map(({ name }, index) => picture(name, () => spread(index))) ?? [];
  const choice = h(
    'select',
    { 'aria-label': 'Part file' },
    ...table.parts.slice(0, LISTED).map((part, index) => h('option', { value: index }, part.partition || `part ${number(index + 1)}`)),
  );
  const place = h('div');
  const show = (): void => {
    const part = table.parts[Number(choice.value)];
    if (!part) return;
    const { columns, groups } = part.footer;
    place.replaceChildren(
      grid(
        'Columns',
        ['column', '>stored', '>raw', '>nulls', 'smallest', 'largest', table.parts.length > 1 ? 'values of all part files' : 'values', 'encodings', 'compression'],
        columns.map((column, index) => [
          h('code', {}, column.name),
          size(column.stored),
          size(column.raw),
          column.nulls === null ? '?' : number(column.nulls),
          clipped(column.min),
          clipped(column.max),
          pictures[index] ?? null,
          column.encodings.join(', '),
          column.compression.join(', '),
        ]),
      ),
      h('h4', {}, 'Row groups'),
      grid(
        'Row groups',
        ['>#', '>rows', '>stored', '>raw'],
        groups.map((group, index) => [number(index), number(group.rows), size(group.stored), size(group.raw)]),
      ),
    );
  };
  choice.addEventListener('change', show);
  show();
  return h('section', {}, h('h3', {}, 'What the columns hold'), table.parts.length > 1 ? choice : null, place);
}

function clipped(text: string | null): HTMLElement {
  if (text === null) return h('span', { class: 'null' }, 'none');
  return h('span', { title: text }, text.length > 32 ? `${text.slice(0, 31)}…` : text);
}
