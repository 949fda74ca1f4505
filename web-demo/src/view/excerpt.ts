// The raw text of a file where it fails, with the place marked.
//
// Not for rejected records (`rejects`). The one decision to know: only bytes that are there as they are shown, so nothing
// of a compressed file.

import { h } from '../dom';
import type { Entry, Files } from '../entry';
import type { Detected, Problem } from '../protocol';
import { number } from '../words';
import { compressionOf } from '../worker/magic';

/** Bytes that are shown before and behind the place, or from the file's beginning. */
const AROUND = 240;

/** What stands where the file fails; its beginning where no place is known. Nothing of a compressed file. */
export function excerpt(entry: Entry, files: Files): HTMLElement | null {
  const { file, problem } = entry;
  if (!problem || !['input', 'limit'].includes(problem.fault) || file.size === 0) return null;
  const { offset } = problem.place;
  const element = h('figure', { class: 'excerpt' });
  const how = h('p', { class: 'soft' });
  element.append(how);
  void detectedOnce(entry, problem, files).then((found) => found && how.append('Read as ', h('strong', {}, readAs(found)), '.'), () => undefined);
  void read(file, offset ?? 0).then((parts) => {
    if (!parts) return;
    const [before, at, after] = parts;
    const caption = offset === undefined ? 'The file begins so:' : `At byte ${number(offset)}:`;
    element.append(
      h('figcaption', { class: 'soft' }, caption),
      h('pre', { tabindex: 0, 'aria-label': caption }, before, offset === undefined ? at : h('mark', {}, at === '' || at === '\n' ? `␤${at}` : at), after),
    );
  });
  return element;
}

/** How files that failed were read: asked once for each failure, however often the page is drawn. */
const known = new WeakMap<Problem, Promise<Detected | null>>();

function detectedOnce(entry: Entry, problem: Problem, files: Files): Promise<Detected | null> {
  const found = known.get(problem) ?? files.detected(entry);
  known.set(problem, found);
  return found;
}

/** `csv, delimiter ";", in gzip`. */
function readAs({ format, compression, delimiter }: Detected): string {
  const by = delimiter === undefined ? '' : `, delimiter ${JSON.stringify(delimiter)}`;
  const packed = ['', 'none'].includes(compression) ? '' : compression;
  return format === '' ? packed : `${format}${by}${packed === '' ? '' : `, in ${packed}`}`;
}

async function read(file: Blob, at: number): Promise<[string, string, string] | null> {
  if (compressionOf(new Uint8Array(await file.slice(0, 4).arrayBuffer())) !== '') return null;
  const from = Math.max(0, at - AROUND);
  const [before, behind] = await Promise.all([file.slice(from, at).text(), file.slice(at, at + AROUND).text()]);
  const [mark = ''] = behind;
  // Whole lines, as long as there are any.
  const head = from > 0 ? before.slice(before.indexOf('\n') + 1) : before;
  const tail = behind.slice(mark.length);
  const end = tail.lastIndexOf('\n');
  return [head, mark, at + AROUND < file.size && end > 0 ? tail.slice(0, end) : tail];
}
