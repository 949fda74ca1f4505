// Compare: one file made twice, by two transforms or under two specs, side by side.
//
// Not for finding the differences (`worker/compare.ts`) nor for listing them (`difference.ts`). The one decision to
// know: both sides are runs like any other, beside the file's own; only what differs is kept of them.

import { h } from '../dom';
import type { Entry, Files } from '../entry';
import { Refused } from '../lake';
import type { Answer, Job, Preview, Request } from '../protocol';
import type { Choice } from '../transforms';
import { headline, percent, placeOf, size } from '../words';
import { banner } from './summary';
import { difference } from './difference';
import { options } from './transforms';

type SpecKind = 'entry' | 'proposed' | 'release' | 'other';

/** What runs on one side: an id of the worker's, and what was made. */
interface Made {
  id: number;
  preview: Preview;
  /** True where the file's own preview serves. */
  own: boolean;
}

/** Why a side could not be made. */
class SideFailed extends Error {
  constructor(
    message: string,
    readonly place = '',
    readonly hint = '',
  ) {
    super(message);
  }
}

const views = new WeakMap<Entry, Comparing>();

/** The tab for a file; what was chosen and found stays while the page is open. */
export function compare(entry: Entry, files: Files): HTMLElement {
  const view = views.get(entry) ?? new Comparing(entry, files);
  views.set(entry, view);
  view.draw();
  return view.element;
}

class Comparing {
  readonly element: HTMLElement;
  private readonly sides: [Form, Form];
  private readonly go = h('button', { type: 'button', class: 'main', onclick: () => void this.run() }, 'Compare');
  private readonly stop = h('button', { type: 'button', onclick: () => this.cancel() }, 'Cancel');
  private readonly said = h('span', { class: 'soft', role: 'status' });
  private readonly found = h('div', { class: 'found' });
  private running: number[] = [];
  private cancelled = false;

  constructor(
    private readonly entry: Entry,
    private readonly files: Files,
  ) {
    this.sides = [new Form('A', entry, files), new Form('B', entry, files)];
    this.stop.hidden = true;
    this.element = h(
      'div',
      { class: 'compare' },
      h('p', { class: 'soft' }, 'Both sides make this file anew; nothing is written. Shown is what would come out otherwise.'),
      h('div', { class: 'sides' }, this.sides[0].element, this.sides[1].element),
      h('div', { class: 'row' }, this.go, this.stop, this.said),
      this.found,
    );
  }

  draw(): void {
    this.sides.forEach((side) => side.draw());
  }

  private cancel(): void {
    this.cancelled = true;
    for (const id of this.running) this.files.cancelRun(id);
  }

  private async run(): Promise<void> {
    this.cancelled = false;
    this.go.disabled = true;
    this.stop.hidden = false;
    this.found.replaceChildren();
    const made: Made[] = [];
    try {
      for (const side of this.sides) made.push(await this.make(side));
      const [a, b] = made as [Made, Made];
      const answer = await this.ask((id) => ({ type: 'compare', id, a: a.id, b: b.id }), 'comparing', percent);
      if (answer.type !== 'compared') throw this.failed(answer, '');
      const names = this.sides.map((side) => side.title()) as [string, string];
      this.found.replaceChildren(difference(answer.comparison, [a.preview, b.preview], names));
      this.said.textContent = '';
    } catch (thrown) {
      this.said.textContent = '';
      this.found.replaceChildren(problem(thrown));
    } finally {
      for (const { id, own } of made) if (!own) this.files.forget(id);
      this.go.disabled = false;
      this.stop.hidden = true;
    }
  }

  private async make(side: Form): Promise<Made> {
    const { entry, files } = this;
    const choice = side.choice();
    this.said.textContent = `${side.name}: preparing`;
    await choice.load();
    const spec = side.spec();
    const { result, state } = entry;
    if (result && state === 'done' && entry.transform === choice.key && spec === entry.spec) return { id: result.id, preview: result.preview, own: true };
    const { file, name } = entry;
    const job: Omit<Job, 'id'> = { file, name, spec, contracts: files.contracts, final: false, transform: choice.job };
    let id = 0;
    const answer = await this.ask(
      (chosen) => ({ type: 'run', job: { ...job, id: (id = chosen) } }),
      side.name,
      (read, total, pass) => `pass ${pass}: ${size(read)} of ${size(total)}`,
    );
    if (answer.type !== 'done') throw this.failed(answer, side.name);
    return { id, preview: answer.preview, own: false };
  }

  /** Asks the worker beside the file's own runs; resolves with the last answer. */
  private ask(request: (id: number) => Request, what: string, progress: (read: number, total: number, pass: number) => string): Promise<Answer> {
    if (this.cancelled) throw new SideFailed('cancelled');
    return new Promise((resolve) => {
      const id = this.files.aside(request, (answer) => {
        if (answer.type === 'progress') this.said.textContent = `${what}: ${progress(answer.read, answer.total, answer.pass)}`;
        else {
          this.running = this.running.filter((one) => one !== id);
          resolve(answer);
        }
      });
      this.running.push(id);
    });
  }

  private failed(answer: Answer, side: string): SideFailed {
    if (answer.type !== 'failed') return new SideFailed('cancelled');
    const { problem: found } = answer;
    return new SideFailed(`${side ? `${side}: ` : ''}${headline(found)}`, placeOf(found, this.entry.name), found.hint ?? '');
  }
}

/** What one side is made by. */
class Form {
  readonly element: HTMLElement;
  private readonly transform: HTMLSelectElement;
  private readonly kind: HTMLSelectElement;
  private readonly text: HTMLTextAreaElement;
  private readonly other: HTMLElement;
  private key = '';

  constructor(
    readonly name: 'A' | 'B',
    private readonly entry: Entry,
    private readonly files: Files,
  ) {
    this.transform = h('select', { 'aria-label': `Transform of ${name}` });
    this.kind = h('select', { 'aria-label': `Spec of ${name}` });
    this.text = h('textarea', { rows: 8, spellcheck: 'false', wrap: 'off', 'aria-label': `Spec text of ${name}` });
    const pick = h('input', { type: 'file', class: 'unseen', tabindex: -1, 'aria-label': `Spec file of ${name}` });
    const read = async (file: File | undefined): Promise<void> => {
      if (file) this.text.value = await file.text();
      pick.value = '';
    };
    pick.addEventListener('change', () => void read(pick.files?.[0]));
    this.other = h('div', { class: 'other' }, this.text, h('div', { class: 'row' }, pick, h('button', { type: 'button', onclick: () => pick.click() }, 'Open a spec'), h('span', { class: 'soft' }, 'or drop one here')));
    this.element = h(
      'fieldset',
      {},
      h('legend', {}, name),
      h('label', {}, h('span', {}, 'Transform'), this.transform),
      h('label', {}, h('span', {}, 'Spec'), this.kind),
      this.other,
    );
    this.transform.addEventListener('change', () => {
      this.key = this.transform.value;
      this.draw(this.choice().kind === 'release' ? 'release' : undefined);
    });
    this.kind.addEventListener('change', () => this.draw());
    this.element.addEventListener('drop', (event) => {
      const file = [...(event.dataTransfer?.files ?? [])].find(({ name: file }) => file.toLowerCase().endsWith('.toml'));
      if (!file) return;
      event.preventDefault();
      event.stopPropagation();
      document.body.classList.remove('over');
      this.draw('other');
      void read(file);
    });
    this.start();
  }

  /** A is what the page shows; B another transform if there is one, else a spec to edit. */
  private start(): void {
    const { chosen, choices } = this.files.transforms;
    const another = choices.find((choice) => choice !== chosen && choice.refused === '');
    this.key = (this.name === 'B' && another ? another : chosen).key;
    this.text.value = this.entry.spec || (this.entry.result?.preview.spec ?? '');
    this.draw(this.name === 'A' ? 'entry' : this.choice().kind === 'release' ? 'release' : another ? 'entry' : 'other');
  }

  draw(kind = this.kind.value as SpecKind): void {
    const choice = this.choice();
    this.transform.replaceChildren(...options(this.files.transforms.choices, choice.key));
    const specs: [SpecKind, string][] = [
      ['entry', this.entry.spec === '' ? 'as shown: proposed from the file' : 'as shown: that of the tab Spec'],
      ...(this.entry.spec === '' ? [] : [['proposed', 'proposed from the file'] as [SpecKind, string]]),
      ...(choice.kind === 'release' ? [['release', `that of ${choice.key}`] as [SpecKind, string]] : []),
      ['other', 'another, edited here'],
    ];
    const now = specs.some(([one]) => one === kind) ? kind : 'entry';
    this.kind.replaceChildren(...specs.map(([value, label]) => h('option', { value, selected: value === now }, label)));
    this.other.hidden = now !== 'other';
  }

  choice(): Choice {
    return this.files.transforms.get(this.key);
  }

  /** The text that the side runs under; the empty text: propose one. */
  spec(): string {
    const texts = { entry: this.entry.spec, proposed: '', release: this.choice().spec, other: this.text.value };
    return texts[this.kind.value as SpecKind];
  }

  title(): string {
    return `${this.transform.selectedOptions[0]?.textContent ?? ''}, spec ${this.kind.selectedOptions[0]?.textContent ?? ''}`;
  }
}

function problem(thrown: unknown): HTMLElement {
  const { message, place, hint } =
    thrown instanceof SideFailed
      ? thrown
      : thrown instanceof Refused
        ? { message: `error in the transform: ${thrown.problem.message}`, place: '', hint: thrown.problem.hint ?? '' }
        : { message: (thrown as Error).message, place: '', hint: '' };
  return banner(message, place, hint);
}
