// The rows of a table, as many as there are: only those in sight are elements, and of very many columns only those.
//
// Not for reading them (the worker does, from the Parquet) nor for placing them (`lines.ts`). The one decision to know: rows
// are asked in blocks and a few blocks are kept, so that a table of any length costs the memory of a few screens.

import { h } from '../dom';
import type { Rows, ShownColumn, Table } from '../protocol';
import { count, number, visible } from '../words';
import { Lines, ROW_PIXELS } from './lines';
import { longest, measured, type Measures } from './widths';

/** Rows drawn above and below those in sight. */
const ROWS_AROUND = 3;
/** Values of one request, which are some screens and a fraction of a data page; and its most and fewest rows. */
const BLOCK_VALUES = 12_000;
const [FEWEST_ROWS, MOST_ROWS] = [40, 200];
const BLOCKS_KEPT = 12;
/** Browsers draw nothing below some 30 million pixels: longer tables scroll in proportion. */
const MOST_PIXELS = 12_000_000;
/** So many columns are all drawn; of more only those in sight, and those so many pixels beside. */
const MOST_COLUMNS = 40;
const PIXELS_BESIDE = 60;
/** A value with more signs than this has pixels for each is cut. */
const SIGN_PIXELS = 6.5;
const NUMERIC = /^(bigint|double|decimal|hugeint|integer|smallint|tinyint)/;

/** A table, or what looks like one. */
type Shown = Pick<Table, 'name' | 'columns' | 'rows' | 'parts'>;
/** From a column to before another one. */
type Span = [number, number];
type Read = (offset: number, count: number) => Promise<Rows>;

/** A table that is drawn anew keeps its measures. */
const measures = new WeakMap<Shown, Measures>();

/** The table, with a head that tells each column's type and where it came from; `records`: the last number of a record. */
export function rows(table: Shown, read: Read, records = 0): HTMLElement {
  if (table.rows === 0) return h('p', { class: 'note' }, `The table ${table.name} has no rows.`);
  return new Scroller(table, read, records).element;
}

class Scroller {
  readonly element: HTMLElement;
  private readonly heads = h('tr', { role: 'row' });
  private readonly sheet: HTMLTableElement;
  private readonly scroller: HTMLElement;
  private readonly blocks = new Map<number, Rows>();
  private readonly lines = new Lines({
    make: (kind) => this.line(kind === 'full'),
    fill: (element, index, kind) => this.fill(element, index, kind === 'full'),
  });
  private readonly block: number;
  private readonly pixels: number;
  private readonly numeric: boolean[];
  /** Columns before those of the table: the row's number, the record's. */
  private readonly lead: { name: string; title?: string; longest: string }[];
  /** Of all columns, those before the table's first. */
  private widths: number[] = [];
  /** Pixels from the left to the end of each of the table's columns. */
  private edges: number[] = [];
  /** The table's columns that are drawn: from the first to before the second. */
  private drawn: Span = [0, 0];
  private headPixels = 0;
  private top = 0;
  private left = 0;
  private height = 0;
  private width = 0;
  private asking = false;

  constructor(
    private readonly table: Shown,
    private readonly read: Read,
    records: number,
  ) {
    const { name, columns, parts } = table;
    this.pixels = Math.min(table.rows * ROW_PIXELS, MOST_PIXELS);
    this.block = Math.min(MOST_ROWS, Math.max(FEWEST_ROWS, Math.floor(BLOCK_VALUES / columns.length)));
    this.numeric = columns.map(({ athena }) => NUMERIC.test(athena));
    this.lead = [{ name: '#', longest: number(table.rows) }];
    if (parts.some(({ trace }) => trace)) this.lead.push({ name: 'record', title: 'Number of the record in the file that the row came from', longest: number(records) });
    this.sheet = h(
      'table',
      { class: 'rows', role: 'table', 'aria-rowcount': table.rows + 1, 'aria-colcount': columns.length > MOST_COLUMNS ? this.lead.length + columns.length : undefined },
      h('caption', { class: 'unseen' }, `Rows of ${name}`),
      h('thead', { role: 'rowgroup' }, this.heads),
      this.lines.body,
    );
    this.lines.body.style.height = `${this.pixels}px`;
    this.scroller = h('div', { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': `Rows of ${name}` }, this.sheet);
    this.scroller.addEventListener('scroll', () => this.scrolled(), { passive: true });
    new ResizeObserver(() => this.resized()).observe(this.scroller);
    this.element = h('div', { class: 'fill' }, this.scroller, h('p', { class: 'soft foot' }, `${count(table.rows, 'row', 'rows')} of ${name}, ${count(columns.length, 'column', 'columns')}`));
    this.measure();
    this.draw();
  }

  /** Where it stands is asked for here alone, before anything is drawn: asked later, it would be laid out twice in a frame. */
  private scrolled(): void {
    [this.top, this.left] = [this.scroller.scrollTop, this.scroller.scrollLeft];
    this.draw();
  }

  private resized(): void {
    this.height = this.scroller.clientHeight;
    this.width = this.scroller.clientWidth;
    if (!measures.has(this.table)) this.measure();
    this.draw();
  }

  /** Measures the columns: for good once the first rows are there. */
  private measure(): void {
    const { table, lead, scroller } = this;
    const first = this.blocks.get(0);
    const known = measures.get(table);
    if (known) [this.widths, this.headPixels] = known;
    else if (scroller.isConnected) {
      const texts = table.columns.map((_, column) => longest(table, column, first?.columns[column] ?? []));
      const heads = [...this.leading('th'), ...table.columns.map((_, column) => this.headOf(column))];
      const found = measured(scroller, heads, [...lead.map((one) => [one.longest]), ...texts]);
      [this.widths, this.headPixels] = found;
      if (first) measures.set(table, found);
    }
    this.heads.style.height = `${this.headPixels}px`;
    let at = 0;
    this.edges = this.widths.map((wide) => (at += wide)).slice(lead.length);
    this.sheet.style.setProperty('--wide', `${at}px`);
    this.drawn = [0, 0];
    this.heads.replaceChildren(...this.leading('th'));
    this.lines.clear();
  }

  /** Cells of the columns before the table's first. */
  private leading(tag: 'td' | 'th'): HTMLTableCellElement[] {
    const isHead = tag === 'th';
    let at = 0;
    return this.lead.map(({ name, title }, index) => {
      const cell = h(tag, isHead ? { role: 'columnheader', scope: 'col', class: 'number', title } : { role: 'cell', class: 'number index' }, isHead ? name : '');
      const wide = this.widths[index] ?? 0;
      cell.style.left = `${at}px`;
      cell.style.width = `${wide}px`;
      at += wide;
      return cell;
    });
  }

  /** First row in sight: by pixels, or in proportion where the table is longer than a browser can draw. */
  private first(inSight: number): number {
    const { top } = this;
    if (this.pixels < MOST_PIXELS) return Math.floor(top / ROW_PIXELS);
    const most = Math.max(1, this.pixels - this.height);
    return Math.floor(Math.min(1, top / most) * Math.max(0, this.table.rows - inSight + 1));
  }

  private draw(): void {
    const inSight = Math.ceil(Math.max(this.height, 300) / ROW_PIXELS) + 1;
    const first = Math.max(0, Math.min(this.first(inSight) - ROWS_AROUND, this.table.rows - inSight));
    const last = Math.min(this.table.rows, first + inSight + 2 * ROWS_AROUND);
    const above = this.pixels < MOST_PIXELS ? first * ROW_PIXELS : Math.min(this.top, this.pixels - (last - first) * ROW_PIXELS);
    this.drawColumns();
    const more = this.lines.show(first, last, above, (index) => this.blocks.has(Math.floor(index / this.block)));
    if (more) requestAnimationFrame(() => this.draw());
    this.ask(first, last);
  }

  /** Draws other columns where those in sight are not all there. */
  private drawColumns(): void {
    const { edges, drawn, left } = this;
    const { length } = this.table.columns;
    const within = (margin: number): Span => {
      if (length <= MOST_COLUMNS || this.width === 0) return [0, Math.min(length, MOST_COLUMNS)];
      const end = edges.findIndex((edge) => edge >= left + this.width + margin);
      return [edges.findIndex((edge) => edge > left - margin), end < 0 ? length : end + 1];
    };
    const [from, to] = within(0);
    if (drawn[1] > 0 && drawn[0] <= from && drawn[1] >= to) return;
    this.drawn = within(PIXELS_BESIDE);
    this.shift(this.heads, drawn, (column) => this.headOf(column));
    this.lines.refit((row, index) => {
      const at = index === null ? -1 : index;
      this.shift(row, drawn, (column, used) => this.cellOf(used, column, at));
    });
  }

  /** Gives a row that has cells for the columns of a span those of the span that is drawn now; the others of it are used again. */
  private shift(row: HTMLTableRowElement, [a, b]: Span, cellOf: (column: number, used: HTMLTableCellElement | undefined) => HTMLTableCellElement): void {
    const [from, to] = this.drawn;
    const { length } = this.lead;
    const kept: Span = Math.max(a, from) < Math.min(b, to) ? [Math.max(a, from), Math.min(b, to)] : [from, from];
    const all = [...row.cells].slice(length);
    const used = all.filter((_, at) => a + at < kept[0] || a + at >= kept[1]);
    used.forEach((cell) => cell.remove());
    const next = row.cells[length] ?? null;
    for (let column = from; column < kept[0]; column++) row.insertBefore(cellOf(column, used.pop()), next);
    for (let column = kept[1]; column < to; column++) row.append(cellOf(column, used.pop()));
  }

  private headOf(column: number): HTMLTableCellElement {
    const { name, athena, parquet, from } = this.table.columns[column] as ShownColumn;
    const attributes = { role: 'columnheader', scope: 'col', class: this.numeric[column] ? 'number' : undefined, title: `${parquet}, from ${from || 'the path'}` };
    return this.placed(h('th', attributes, h('span', { class: 'name' }, name), h('span', { class: 'type' }, athena), h('span', { class: 'from' }, from)), column);
  }

  /** A cell of a column, in a row that is told or in none. */
  private cellOf(used: HTMLTableCellElement | undefined, column: number, index: number): HTMLTableCellElement {
    const cell = this.placed(used ?? h('td', { role: 'cell' }, ''), column);
    if (index >= 0) this.fillCell(cell, column, this.valueOf(index, column));
    return cell;
  }

  /** Puts a cell below its column; where not all columns are elements, it tells which one that is. */
  private placed(cell: HTMLTableCellElement, column: number): HTMLTableCellElement {
    const place = this.lead.length + column + 1;
    const wide = this.widths[place - 1] ?? 0;
    cell.style.left = `${(this.edges[column] ?? 0) - wide}px`;
    // A text that is the last takes what is left; a number keeps to its head.
    const isLast = column === this.table.columns.length - 1 && !this.numeric[column];
    cell.style.width = isLast ? 'auto' : `${wide}px`;
    cell.style.right = isLast ? '0' : '';
    if (this.table.columns.length > MOST_COLUMNS) cell.setAttribute('aria-colindex', String(place));
    return cell;
  }

  /** A row without values: of one that waits for them, only its number and a sign for the rest. */
  private line(full: boolean): HTMLTableRowElement {
    const row = h('tr', { role: 'row' }, ...this.leading('td'));
    if (full) this.shift(row, [0, 0], (column) => this.cellOf(undefined, column, -1));
    else row.append(this.placed(h('td', { role: 'cell', class: 'waiting' }, '…'), this.drawn[0]));
    return row;
  }

  private fill(row: HTMLTableRowElement, index: number, full: boolean): void {
    row.setAttribute('aria-rowindex', String(index + 2));
    const cells = row.children as HTMLCollectionOf<HTMLTableCellElement>;
    write(cells[0], number(index + 1), 'number index');
    if (!full) return;
    const record = this.blocks.get(Math.floor(index / this.block))?.records?.[index % this.block];
    if (this.lead.length > 1) write(cells[1], record === undefined ? '' : number(record), 'number index');
    const [from, to] = this.drawn;
    for (let column = from; column < to; column++) this.fillCell(cells[this.lead.length + column - from], column, this.valueOf(index, column));
  }

  private valueOf(index: number, column: number): string | null {
    return this.blocks.get(Math.floor(index / this.block))?.columns[column]?.[index % this.block] ?? null;
  }

  private fillCell(cell: HTMLTableCellElement | undefined, column: number, value: string | null): void {
    const look = this.numeric[column] ? 'number' : '';
    if (value === null) return write(cell, 'null', `null ${look}`);
    if (value === '') return write(cell, 'empty', `blank ${look}`);
    const cut = value.length * SIGN_PIXELS > (this.widths[this.lead.length + column] ?? 0) - 24;
    write(cell, visible(value.slice(0, 300)), look, cut ? `${value.slice(0, 2000)}\n\nfrom ${this.table.columns[column]?.from}` : '');
  }

  /** Asks for the first rows that are missing in sight: one block at a time, so that none is read that scrolled by meanwhile. */
  private ask(first: number, last: number): void {
    // The first block of all comes first: the widths follow it.
    const wanted = this.blocks.size === 0 ? [0] : [];
    for (let block = Math.floor(first / this.block); block <= Math.floor((last - 1) / this.block); block++) {
      wanted.push(block);
      const known = this.blocks.get(block);
      // What is in sight is the last to go.
      if (known && this.blocks.delete(block)) this.blocks.set(block, known);
    }
    const missing = wanted.find((block) => !this.blocks.has(block));
    if (missing !== undefined && !this.asking) void this.fetch(missing);
  }

  private async fetch(block: number): Promise<void> {
    this.asking = true;
    try {
      const offset = block * this.block;
      this.blocks.set(block, await this.read(offset, Math.min(this.block, this.table.rows - offset)));
      for (const oldest of this.blocks.keys()) {
        if (this.blocks.size <= BLOCKS_KEPT) break;
        this.blocks.delete(oldest);
      }
      this.asking = false;
      if (block === 0 && !measures.has(this.table)) this.measure();
      this.draw();
    } catch (error) {
      this.element.replaceChildren(h('p', { class: 'problem' }, (error as Error).message));
    }
  }
}

/** Sets what of a cell is another text, look or tip. */
function write(cell: HTMLTableCellElement | undefined, text: string, look: string, tip = ''): void {
  if (!cell) return;
  if (cell.className !== look) cell.className = look;
  const node = cell.firstChild as Text | null;
  if (!node) cell.append(text);
  else if (node.data !== text) node.data = text;
  if (tip !== '') cell.title = tip;
  else if (cell.hasAttribute('title')) cell.removeAttribute('title');
}
