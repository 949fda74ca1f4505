// The rows that are elements, each at its place among all rows.
//
// Not for what stands in them (`rows.ts`). The one decision to know: while it is scrolled, an element is neither made
// nor taken away nor moved among the others, only filled anew and put elsewhere; at rest the elements stand in the order of
// the rows, as those who hear the page, or copy from it, need them.

import { h } from '../dom';

export const ROW_PIXELS = 30;
/** Rows whose values came while they were in sight are filled so many at a time: nobody sees it, and no frame waits for all. */
const FILLED_AT_ONCE = 8;
/** How long nothing is scrolled before the elements are put in order. */
const REST_MILLISECONDS = 150;

/** A row whose values are there, or one that has only its number. */
type Kind = 'full' | 'waiting';

interface Line {
  element: HTMLTableRowElement;
  kind: Kind;
}

/** What rows are made and filled by. */
export interface Making {
  make: (kind: Kind) => HTMLTableRowElement;
  fill: (element: HTMLTableRowElement, index: number, kind: Kind) => void;
}

export class Lines {
  readonly body = h('tbody', { role: 'rowgroup' });
  private readonly placed = new Map<number, Line>();
  private readonly spare: Record<Kind, HTMLTableRowElement[]> = { full: [], waiting: [] };
  private timer = 0;

  constructor(private readonly making: Making) {}

  /** Shows the rows from the first to before the last, so many pixels below the top; true where some of them are to be filled yet. */
  show(first: number, last: number, above: number, isKnown: (index: number) => boolean): boolean {
    let late = 0;
    const wanted = new Map(Array.from({ length: last - first }, (_, at): [number, Kind] => [first + at, isKnown(first + at) ? 'full' : 'waiting']));
    for (const [index, { element, kind }] of this.placed) {
      const came = kind === 'waiting' && wanted.get(index) === 'full';
      if (!wanted.has(index) || (came && ++late <= FILLED_AT_ONCE)) {
        this.placed.delete(index);
        this.spare[kind].push(element);
      }
    }
    for (const [index, kind] of wanted) {
      let line = this.placed.get(index);
      if (!line) {
        line = { element: this.spare[kind].shift() ?? this.made(kind), kind };
        this.making.fill(line.element, index, kind);
        this.placed.set(index, line);
      }
      put(line.element, above + (index - first) * ROW_PIXELS);
    }
    for (const element of [...this.spare.full, ...this.spare.waiting]) put(element, -ROW_PIXELS);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.settle(), REST_MILLISECONDS);
    return late > FILLED_AT_ONCE;
  }

  /** Gives each full row other columns: with the number of the row that it is, or null while it is none. */
  refit(fit: (element: HTMLTableRowElement, index: number | null) => void): void {
    for (const element of this.spare.full) fit(element, null);
    for (const [index, { element, kind }] of this.placed) if (kind === 'full') fit(element, index);
  }

  /** Forgets all rows. */
  clear(): void {
    this.body.replaceChildren();
    this.placed.clear();
    this.spare.full = [];
    this.spare.waiting = [];
  }

  private made(kind: Kind): HTMLTableRowElement {
    const element = this.making.make(kind);
    this.body.append(element);
    return element;
  }

  /** Puts the elements in order, and takes away those that nobody needs. */
  private settle(): void {
    for (const spare of Object.values(this.spare)) spare.splice(0).forEach((element) => element.remove());
    let at = this.body.firstElementChild;
    for (const [, { element }] of [...this.placed].sort(([a], [b]) => a - b)) {
      if (element === at) at = element.nextElementSibling;
      else this.body.insertBefore(element, at);
    }
  }
}

function put(element: HTMLElement, top: number): void {
  const place = `${top}px`;
  if (element.style.top !== place) element.style.top = place;
}
