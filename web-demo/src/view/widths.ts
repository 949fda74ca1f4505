// How wide each column of a table of rows is, once and for all of its rows.
//
// Not for drawing them (`rows.ts`). The one decision to know: the browser itself lays out the head with the longest values
// that are known before scrolling (of the first rows, and the smallest and largest of each part file), and what comes
// out stays: a longer value below is cut, and there whole as a tip.

import { h } from '../dom';
import type { Cells, Table } from '../protocol';
import { visible } from '../words';

/** Rows that are looked at, and the longest values of them that are tried. */
const LOOKED_AT = 200;
const TRIED = 3;
/** Part files that are asked for their smallest and largest values. */
const PARTS = 500;

/** Texts that a column has room for. */
export function longest(table: Pick<Table, 'columns' | 'parts'>, column: number, cells: Cells): string[] {
  const name = table.columns[column]?.name;
  const texts = cells.slice(0, LOOKED_AT).map((cell) => cell ?? 'null');
  for (const { footer, partition } of table.parts.slice(0, PARTS)) {
    const known = footer.columns[column];
    if (known && known.name === name) texts.push(known.min ?? '', known.max ?? '');
    // A column of the path: its values are the names of folders.
    else texts.push(...partition.split('/').filter((step) => step.startsWith(`${name}=`)).map((step) => step.slice(`${name}=`.length)));
  }
  return [...new Set(texts)].sort((a, b) => b.length - a.length).slice(0, TRIED);
}

/** Widths of columns in pixels, and the height of their heads. */
export type Measures = [widths: number[], head: number];

/** Measures columns with these heads, which have room for these texts each. */
export function measured(place: HTMLElement, heads: HTMLElement[], texts: string[][]): Measures {
  const lines = Array.from({ length: TRIED }, (_, line) => h('tr', {}, ...texts.map((of) => h('td', {}, visible((of[line] ?? '').slice(0, 300))))));
  heads.forEach((head) => head.removeAttribute('style'));
  const row = h('tr', {}, ...heads);
  const ruler = h('table', { class: 'ruler', 'aria-hidden': 'true' }, h('thead', {}, row), h('tbody', {}, ...lines));
  place.append(ruler);
  const found: Measures = [heads.map((head) => Math.ceil(head.getBoundingClientRect().width)), row.getBoundingClientRect().height];
  ruler.remove();
  return found;
}
