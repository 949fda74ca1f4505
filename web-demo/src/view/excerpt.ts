// The raw text of a file where it fails, with the place marked.
//
// Not for rejected records (`rejects`). The one decision to know: only bytes that are there as they are shown, so nothing
// of a compressed file.

import { h } from '../dom';
import type { Entry } from '../entry';
import { number } from '../words';

/** Bytes that are shown before and behind the place, or from the file's beginning. */
const AROUND = 240;

/** What stands where the file fails; its beginning where no place is known. Nothing of a compressed file. */
export function excerpt({ file, problem }: Entry): HTMLElement | null {
  if (!problem || !['input', 'limit'].includes(problem.fault) || file.size === 0) return null;
  const { offset } = problem.place;
  const element = h('figure', { class: 'excerpt' });
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

async function read(file: Blob, at: number): Promise<[string, string, string] | null> {
  const magic = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  if ((magic[0] === 0x1f && magic[1] === 0x8b) || (magic[0] === 0x28 && magic[1] === 0xb5 && magic[2] === 0x2f && magic[3] === 0xfd)) return null;
  const from = Math.max(0, at - AROUND);
  const [before, behind] = await Promise.all([file.slice(from, at).text(), file.slice(at, at + AROUND).text()]);
  const [mark = ''] = behind;
  // Whole lines, as long as there are any.
  const head = from > 0 ? before.slice(before.indexOf('\n') + 1) : before;
  const tail = behind.slice(mark.length);
  const end = tail.lastIndexOf('\n');
  return [head, mark, at + AROUND < file.size && end > 0 ? tail.slice(0, end) : tail];
}
