// The rows of a table, as many as there are: only those in sight are elements.
//
// Not for reading them (the worker does, from the Parquet). The one decision to know: rows are asked in blocks and a
// few blocks are kept, so that a table of any length costs the memory of a few screens.

import { h } from '../dom';
import type { Rows, Table } from '../protocol';
import { count, number, visible } from '../words';

const ROW_PIXELS = 30;
/** Rows of one request: some screens, a fraction of a data page. */
const BLOCK = 200;
const BLOCKS_KEPT = 12;
/** Browsers draw nothing below some 30 million pixels: longer tables scroll in proportion. */
const MOST_PIXELS = 12_000_000;
const NUMERIC = /^(bigint|double|decimal|hugeint|integer|smallint|tinyint)/;

/** A table, or what looks like one. */
type Shown = Pick<Table, 'name' | 'columns' | 'rows' | 'parts'>;
type Read = (offset: number, count: number) => Promise<Rows>;

/** The table, with a head that tells each column's type and where it came from. */
export function rows(table: Shown, read: Read): HTMLElement {
  if (table.rows === 0) return h('p', { class: 'note' }, `The table ${table.name} has no rows.`);
  return new Scroller(table, read).element;
}

class Scroller {
  readonly element: HTMLElement;
  private readonly body = h('tbody');
  private readonly above = h('div', { class: 'spacer' });
  private readonly below = h('div', { class: 'spacer' });
  private readonly scroller: HTMLElement;
  private readonly head: HTMLElement;
  private readonly blocks = new Map<number, Rows | null>();
  private readonly pixels: number;
  private readonly traced: boolean;
  private drawn = '';

  constructor(
    private readonly table: Shown,
    private readonly read: Read,
  ) {
    this.pixels = Math.min(table.rows * ROW_PIXELS, MOST_PIXELS);
    const numeric = table.columns.map(({ athena }) => NUMERIC.test(athena));
    this.traced = table.parts.some(({ trace }) => trace);
    const record = this.traced && h('th', { scope: 'col', class: 'number', title: 'Number of the record in the file that the row came from' }, 'record');
    this.head = h('thead', {}, h('tr', {}, h('th', { scope: 'col', class: 'number' }, '#'), record, ...table.columns.map((column, index) =>
      h(
        'th',
        { scope: 'col', class: numeric[index] ? 'number' : undefined, title: `${column.parquet}, from ${column.from || 'the path'}` },
        h('span', { class: 'name' }, column.name),
        h('span', { class: 'type' }, column.athena),
        h('span', { class: 'from' }, column.from),
      ),
    )));
    const element = h(
      'table',
      { class: 'rows', 'aria-rowcount': table.rows + 1 },
      h('caption', { class: 'unseen' }, `Rows of ${table.name}`),
      this.head,
      this.body,
    );
    this.scroller = h(
      'div',
      { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': `Rows of ${table.name}` },
      this.above,
      element,
      this.below,
    );
    this.scroller.addEventListener('scroll', () => this.draw(), { passive: true });
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.element = h('div', { class: 'fill' }, this.scroller, h('p', { class: 'soft foot' }, `${count(table.rows, 'row', 'rows')} of ${table.name}, ${count(table.columns.length, 'column', 'columns')}`));
    this.draw();
  }

  /** First row in sight: by pixels, or in proportion where the table is longer than a browser can draw. */
  private first(inSight: number): number {
    const top = this.scroller.scrollTop;
    if (this.pixels < MOST_PIXELS) return Math.floor(top / ROW_PIXELS);
    const most = Math.max(1, this.pixels - this.scroller.clientHeight);
    return Math.floor(Math.min(1, top / most) * Math.max(0, this.table.rows - inSight + 1));
  }

  private draw(): void {
    const inSight = Math.ceil(Math.max(this.scroller.clientHeight, 300) / ROW_PIXELS) + 1;
    const first = Math.max(0, Math.min(this.first(inSight) - 5, this.table.rows - inSight));
    const last = Math.min(this.table.rows, first + inSight + 10);
    let known = '';
    for (let block = Math.floor(first / BLOCK); block <= Math.floor((last - 1) / BLOCK); block++) {
      known += this.blocks.get(block) ? '1' : '0';
      if (!this.blocks.has(block)) void this.fetch(block);
    }
    const key = `${first}-${last}-${known}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const height = (last - first) * ROW_PIXELS;
    const above = this.pixels < MOST_PIXELS ? first * ROW_PIXELS : Math.min(this.scroller.scrollTop, this.pixels - height);
    this.above.style.height = `${above}px`;
    this.below.style.height = `${Math.max(0, this.pixels - above - height)}px`;
    this.body.replaceChildren(...Array.from({ length: last - first }, (_, index) => this.row(first + index)));
  }

  private row(index: number): HTMLElement {
    const block = this.blocks.get(Math.floor(index / BLOCK));
    const record = block?.records?.[index % BLOCK];
    const at = index % BLOCK;
    return h(
      'tr',
      { 'aria-rowindex': index + 2 },
      h('td', { class: 'number index' }, number(index + 1)),
      this.traced && h('td', { class: 'number index' }, record === undefined ? '' : number(record)),
      ...this.table.columns.map(({ athena, from }, column) => {
        if (!block) return h('td', { class: 'waiting' }, '…');
        const value = block.columns[column]?.[at] ?? null;
        const numeric = NUMERIC.test(athena) ? 'number' : '';
        if (value === null) return h('td', { class: `null ${numeric}` }, 'null');
        const title = value.length > 40 ? `${value.slice(0, 2000)}\n\nfrom ${from}` : undefined;
        return h('td', { class: numeric, title }, value === '' ? h('span', { class: 'blank' }, 'empty') : visible(value.slice(0, 300)));
      }),
    );
  }

  private async fetch(block: number): Promise<void> {
    this.blocks.set(block, null);
    try {
      const offset = block * BLOCK;
      this.blocks.set(block, await this.read(offset, Math.min(BLOCK, this.table.rows - offset)));
      for (const oldest of this.blocks.keys()) {
        if (this.blocks.size <= BLOCKS_KEPT) break;
        this.blocks.delete(oldest);
      }
      this.draw();
    } catch (error) {
      this.element.replaceChildren(h('p', { class: 'problem' }, (error as Error).message));
    }
  }
}
