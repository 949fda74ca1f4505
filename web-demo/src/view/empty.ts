// What a person sees first: what this is, where to drop a file, examples to try.

import { h } from '../dom';
import { EXAMPLES, type Example } from '../examples';

export interface Intake {
  files: (files: FileList | File[]) => void;
  text: (text: string) => void;
  example: (example: Example) => void;
}

/** The empty page; `keeping`: what is said of keeping files, if anything. */
export function empty(intake: Intake, keeping: HTMLElement | null | false): HTMLElement {
  return h(
    'section',
    { class: 'empty' },
    h('h2', {}, 'See the Parquet before anything is uploaded'),
    h(
      'p',
      { class: 'lead' },
      'Drop raw JSON or CSV. The page shows the rows, types, part files and rejected records that the lake would get, ' +
        'made by the same component bytes as production.',
    ),
    drop(intake, true),
    h('h3', {}, 'Or try an example'),
    h('div', { class: 'examples' }, ...EXAMPLES.map((example) => exampleButton(example, intake))),
    h(
      'ol',
      { class: 'steps' },
      h('li', {}, h('strong', {}, 'Look'), ' at rows, types and rejected records.'),
      h('li', {}, h('strong', {}, 'Change'), ' the proposed spec; the preview follows as you type.'),
      h('li', {}, h('strong', {}, 'Take away'), ' the spec, the Parquet and a receipt that production must match.'),
    ),
    h('p', { class: 'soft' }, 'The file stays in this browser: no server sees it.'),
    keeping,
  );
}

function exampleButton(example: Example, intake: Intake): HTMLElement {
  return h(
    'button',
    { type: 'button', class: 'card', onclick: () => intake.example(example) },
    h('strong', {}, example.title),
    h('span', {}, example.teaches),
  );
}

/** Where files are dropped, picked or pasted. */
export function drop(intake: Intake, large: boolean): HTMLElement {
  const input = h('input', { type: 'file', multiple: true, class: 'unseen', id: 'pick', tabindex: -1, 'aria-label': 'Files to preview' });
  input.addEventListener('change', () => {
    if (input.files) intake.files(input.files);
    input.value = '';
  });
  const paste = h('textarea', {
    rows: 6,
    'aria-label': 'JSON or CSV to preview',
    placeholder: '{"order_id": 1, "total": 9.5}',
    spellcheck: 'false',
  });
  const dialog = h(
    'dialog',
    { 'aria-label': 'Paste JSON or CSV' },
    h(
      'form',
      { method: 'dialog' },
      h('h3', {}, 'Paste JSON or CSV'),
      paste,
      h(
        'p',
        { class: 'row' },
        h('button', { type: 'submit', value: 'ok', class: 'main' }, 'Preview'),
        h('button', { type: 'submit', value: 'no' }, 'Cancel'),
      ),
    ),
  );
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === 'ok' && paste.value.trim() !== '') intake.text(paste.value);
  });
  return h(
    'div',
    { class: large ? 'drop large' : 'drop' },
    large && h('p', {}, 'Drop JSON, NDJSON or CSV here, plain or as gzip, zstd, bzip2 or zip; with a transform.toml if there is one, or a transform of your own (.wasm)'),
    h(
      'div',
      { class: 'row' },
      input,
      h('button', { type: 'button', class: large ? 'main' : '', onclick: () => input.click() }, large ? 'Pick files' : 'Add files'),
      h('button', { type: 'button', onclick: () => dialog.showModal() }, 'Paste text'),
    ),
    dialog,
  );
}
