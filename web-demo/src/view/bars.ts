// A small picture of how a column's values are spread.
//
// Not for reading them (the worker does, from the Parquet). The one decision to know: drawn when it comes into sight,
// because each picture reads a whole column; what it says is also there as text, for screen readers and as a tip.

import { h } from '../dom';
import type { Picture } from '../protocol';
import { count, number } from '../words';

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 168;
const HEIGHT = 34;

/** The place of a picture, which is asked for once it is in sight. */
export function picture(column: string, ask: () => Promise<Picture | null>): HTMLElement {
  const place = h('div', { class: 'bars soft' }, '…');
  const draw = async (): Promise<void> => {
    try {
      const known = await ask();
      place.replaceChildren(...(known ? drawn(column, known) : []));
    } catch (error) {
      place.textContent = (error as Error).message;
    }
  };
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    observer.disconnect();
    void draw();
  });
  observer.observe(place);
  return place;
}

function drawn(column: string, { bars, of, rows, nulls, distinct }: Picture): (Node | string)[] {
  if (bars.length === 0) return [nulls > 0 ? 'only nulls' : 'no values'];
  const most = Math.max(...bars.map((bar) => bar.rows));
  const name = (bar: Picture['bars'][number]): string =>
    `${bar.from === '' ? 'empty' : bar.from}${bar.to === null ? '' : ` to ${bar.to}`}${of === 'lengths' ? ' bytes' : ''}: ${count(bar.rows, 'row', 'rows')}`;
  const common = bars.reduce((a, b) => (b.rows > a.rows ? b : a));
  const what = {
    steps: `from ${bars[0]?.from} to ${bars.at(-1)?.to ?? bars.at(-1)?.from}`,
    values: `${count(distinct ?? 0, 'different value', 'different values')}`,
    lengths: `${distinct === null ? 'more than 1,000' : number(distinct)} different texts, by their length`,
  }[of];
  const chart = svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: 'img' });
  chart.setAttribute('aria-label', `${column}: ${what}; most rows: ${name(common)}`);
  const step = WIDTH / bars.length;
  bars.forEach((bar, index) => {
    // A bar that has a row is seen, however few they are.
    const height = bar.rows === 0 ? 0 : Math.max(2, (bar.rows / most) * HEIGHT);
    const gap = Math.min(2, step / 4);
    const shape = svg('rect', { x: index * step, y: HEIGHT - height, width: Math.min(step - gap, 28), height, rx: 1 });
    const hit = svg('rect', { x: index * step, y: 0, width: step, height: HEIGHT, class: 'hit' });
    const tip = svg('title', {});
    tip.textContent = name(bar);
    hit.append(tip);
    chart.append(shape, hit);
  });
  const shown = of === 'values' && distinct !== null && distinct > bars.length ? `${number(bars.length)} commonest of ${number(distinct)}` : `${number(distinct ?? 0)} different`;
  const first = of === 'values' ? shown : of === 'lengths' ? (distinct === null ? 'lengths' : 'all different: lengths') : '';
  const cut = rows >= 500_000 ? ` · first ${number(rows)} rows` : '';
  return [chart, h('span', { class: 'soft' }, `${first}${cut}`)];
}

function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
