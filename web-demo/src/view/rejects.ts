// Rejected records: each with its reason, its line, and its text as it came.

import { grid, h } from '../dom';
import type { Quarantined } from '../protocol';
import { save } from '../save';
import { count, number } from '../words';

/** Records listed before the list is cut. */
const LISTED = 200;

export function rejects(quarantine: Quarantined[], rejected: number): HTMLElement {
  if (rejected === 0) return h('p', { class: 'note' }, 'No record was rejected.');
  const reasons = new Map<string, { records: number; message: string; where: string }>();
  for (const { code, message, path } of quarantine) {
    const reason = reasons.get(`${code} ${path}`) ?? { records: 0, message, where: path ?? '' };
    reasons.set(`${code} ${path}`, { ...reason, records: reason.records + 1 });
  }
  const cut = rejected - Math.min(quarantine.length, LISTED);
  return h(
    'div',
    {},
    h('h3', {}, 'Reasons'),
    grid(
      'Reasons',
      ['>records', 'where', 'reason', 'message'],
      [...reasons].map(([key, { records, message, where }]) => [number(records), h('code', {}, where), h('code', {}, key.split(' ')[0] ?? ''), message]),
    ),
    h(
      'div',
      { class: 'row spread rejects-head' },
      h('h3', {}, 'Records'),
      h('button', { type: 'button', onclick: () => save(lines(quarantine), 'quarantine.ndjson') }, 'Download as NDJSON'),
    ),
    h('ol', { class: 'rejects' }, ...quarantine.slice(0, LISTED).map(record)),
    cut > 0 ? h('p', { class: 'soft' }, `… and ${count(cut, 'more record', 'more records')}`) : null,
  );
}

/** The quarantine as a lake holds it: one line a record. */
function lines(quarantine: Quarantined[]): Blob {
  return new Blob(quarantine.map((line) => `${JSON.stringify(line)}\n`), { type: 'application/x-ndjson' });
}

function record(line: Quarantined): HTMLElement {
  const place = [
    `record ${number(line.record)}`,
    line.line === null ? '' : `line ${number(line.line)}`,
    line.offset === null ? '' : `byte ${number(line.offset)}`,
  ];
  return h(
    'li',
    {},
    h('p', {}, h('strong', {}, line.message), ' ', h('code', {}, line.path ?? '')),
    h('p', { class: 'soft' }, [...place, line.code].filter((part) => part !== '').join(' · ')),
    h('pre', { tabindex: 0 }, ...marked(line), line.truncated ? ' … (cut)' : null),
  );
}

/** The raw text with the spot marked: the column that the message names, or the path's last key where it is there once. */
function marked({ raw, path, message }: Quarantined): (Node | string)[] {
  const column = Number(/at column (\d+)$/.exec(message)?.[1] ?? 0);
  if (column > 0) {
    const characters = [...raw];
    const spot = characters[column - 1] ?? ' ';
    return [characters.slice(0, column - 1).join(''), h('mark', {}, spot), characters.slice(column).join('')];
  }
  const key = path?.split('/').at(-1);
  const quoted = `"${key}"`;
  const at = key ? raw.indexOf(quoted) : -1;
  if (at < 0 || raw.indexOf(quoted, at + 1) >= 0) return [raw];
  const value = /^\s*:\s*("(?:[^"\\]|\\.)*"|[^,{}[\]]*)/.exec(raw.slice(at + quoted.length))?.[0] ?? '';
  const end = at + quoted.length + value.length;
  return [raw.slice(0, at), h('mark', {}, raw.slice(at, end)), raw.slice(end)];
}
