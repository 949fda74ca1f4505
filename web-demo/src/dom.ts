// Elements, in one call each.
//
// Not a framework. The one decision to know: text is always set as text, so that no value of a file can become markup.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

/** An element; `onclick` and the like are listeners, `true` is an attribute without value. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return element;
}

/** The element with an id that the page's markup has. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element ${id}`);
  return element as T;
}

/** A table with a caption for screen readers; a head that starts with `>` is of numbers. */
export function grid(caption: string, heads: string[], rows: Child[][]): HTMLElement {
  const numeric = heads.map((head) => head.startsWith('>'));
  const cell = (tag: 'th' | 'td', index: number, child: Child) =>
    h(tag, { class: numeric[index] ? 'number' : undefined, scope: tag === 'th' ? 'col' : undefined }, child);
  const table = h(
    'table',
    { class: 'plain' },
    h('caption', { class: 'unseen' }, caption),
    // What has no name is no head.
    h('thead', {}, h('tr', {}, ...heads.map((head, index) => cell(head === '' ? 'td' : 'th', index, head.replace(/^>/, ''))))),
    h('tbody', {}, ...rows.map((row) => h('tr', {}, ...row.map((child, index) => cell('td', index, child))))),
  );
  return h('div', { class: 'wide', tabindex: 0, role: 'region', 'aria-label': caption }, table);
}
