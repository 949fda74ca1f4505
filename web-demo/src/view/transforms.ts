// Which transform makes the preview: a choice in the page's head, a question before a dropped one runs.
//
// Not for loading them (`transforms.ts`). The one decision to know: the choice is the page's, so that two files are
// never shown as made by two transforms without it being said; the head always names the one that runs.

import { byId, h } from '../dom';
import type { Files } from '../entry';
import { isServed, Refused } from '../lake';
import type { Problem } from '../protocol';
import type { Choice } from '../transforms';
import { short, size } from '../words';

export class Chooser {
  private readonly select = h('select', { 'aria-label': 'Transform' });
  private readonly notice = h('div', { id: 'notice' });

  constructor(
    private readonly files: Files,
    private readonly announce: (text: string) => void,
  ) {
    byId('component').after(this.select);
    byId('main').before(this.notice);
    this.select.addEventListener('change', () => void this.choose(files.transforms.get(this.select.value)));
    if (isServed()) void this.list();
    this.draw();
  }

  /** Shows what there is to choose, and what is chosen. */
  draw(): void {
    const { transforms } = this.files;
    const { choices, chosen, loading } = transforms;
    const place = byId('component');
    const { component, kind } = chosen;
    if (loading) place.textContent = `preparing ${loading.name} …`;
    else if (component) {
      place.textContent = `${component.name} ${component.version} · ${short(component.digest)}`;
      const which = { shipped: 'The shipped component', dropped: `Your component ${chosen.name}`, release: `The release ${chosen.key}` }[kind];
      place.title = `${which}, ${size(component.bytes)}, sha256 ${component.digest}`;
    }
    this.select.hidden = choices.length < 2;
    this.select.disabled = loading !== null;
    this.select.replaceChildren(...options(choices, (loading ?? chosen).key));
  }

  /** Takes the components out of what was dropped, asks whether each may run, and answers with the rest. */
  async takeIn(list: File[]): Promise<File[]> {
    const components = list.filter(({ name }) => name.toLowerCase().endsWith('.wasm'));
    for (const file of components) await this.offer(file);
    return list.filter((file) => !components.includes(file));
  }

  /** Lists the releases; a page of a server that runs one previews with that one. */
  private async list(): Promise<void> {
    try {
      const running = await this.files.transforms.listReleases();
      if (running && this.files.transforms.chosen.kind === 'shipped') await this.choose(running);
    } catch (thrown) {
      this.refuse(thrown, 'the releases');
    }
  }

  /** The channel moved: says anew which release is used as what. The choice stays, since it is the person's. */
  async refresh(): Promise<void> {
    try {
      await this.files.transforms.listReleases();
    } catch (thrown) {
      this.refuse(thrown, 'the releases');
    }
  }

  private async offer(file: File): Promise<void> {
    this.notice.replaceChildren();
    try {
      const choice = await this.files.transforms.dropped(file);
      const known = this.files.transforms.choices.includes(choice);
      if (!known && !(await this.ask(choice, file.size))) return;
      this.files.transforms.add(choice);
      await this.choose(choice);
    } catch (thrown) {
      this.refuse(thrown, file.name);
    }
  }

  private async choose(choice: Choice): Promise<void> {
    this.notice.replaceChildren();
    try {
      await this.files.transforms.choose(choice);
      this.announce(`${choice.name} makes the preview now`);
      if (this.files.current) this.files.start(this.files.current);
    } catch (thrown) {
      this.refuse(thrown, choice.name);
    }
  }

  /** A plain sentence and a click: nobody vouches for this code but the person who dropped it. */
  private ask({ name, digest }: Choice, bytes: number): Promise<boolean> {
    const dialog = h(
      'dialog',
      { 'aria-label': `Run ${name}?` },
      h(
        'form',
        { method: 'dialog' },
        h('h3', {}, `Run ${name}?`),
        h('p', {}, 'This component is code that you bring: nobody signed it. It imports nothing, runs in a worker of this page, and sees the files that you preview with it.'),
        h('p', { class: 'soft' }, `${size(bytes)}, sha256 `, h('code', {}, digest)),
        h('p', { class: 'row' }, h('button', { type: 'submit', value: 'ok', class: 'main' }, 'Run it'), h('button', { type: 'submit', value: 'no', autofocus: true }, 'Cancel')),
      ),
    );
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener('close', () => {
        dialog.remove();
        resolve(dialog.returnValue === 'ok');
      });
    });
  }

  private refuse(thrown: unknown, name: string): void {
    const problem: Pick<Problem, 'message' | 'hint' | 'fault'> =
      thrown instanceof Refused ? thrown.problem : { fault: 'environment', message: `${name}: ${(thrown as Error).message}` };
    const close = h('button', { type: 'button', onclick: () => this.notice.replaceChildren() }, 'Dismiss');
    this.notice.replaceChildren(
      h(
        'div',
        { class: 'problem', role: 'alert' },
        h('p', {}, h('strong', {}, `${problem.fault === 'transform' ? 'error in the transform' : 'error'}: ${problem.message}`)),
        problem.hint ? h('p', { class: 'soft' }, `hint: ${problem.hint}`) : null,
        close,
      ),
    );
    this.draw();
  }
}

/** The choices as options, by where they come from. */
export function options(choices: Choice[], chosen: string): HTMLElement[] {
  const groups = [
    ['shipped', 'Shipped'],
    ['dropped', 'Dropped'],
    ['release', 'Releases'],
  ] as const;
  return groups
    .map(([kind, label]) => [label, choices.filter((choice) => choice.kind === kind)] as const)
    .filter(([, list]) => list.length > 0)
    .map(([label, list]) => h('optgroup', { label }, ...list.map((choice) => option(choice, chosen))));
}

function option({ key, name, component, kind, refused }: Choice, chosen: string): HTMLElement {
  const text = kind === 'shipped' && component ? `${component.name} ${component.version}` : name;
  const refusal = refused === '' ? '' : ` (refused: ${refused})`;
  return h('option', { value: key, selected: key === chosen, disabled: refused !== '' }, `${text}${refusal}`);
}
