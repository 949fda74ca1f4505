// The transforms that a person can choose from: the shipped one, dropped ones, releases.
//
// Not for running them (`workers.ts`) nor for showing the choice (`view/transforms.ts`). Decisions to know: a dropped
// component is run only after its person said so, a release only if its bytes have the digests that the server, which
// checks signatures, named; releases are asked for only where the page's head says that `lakegate serve` serves it.

import { lake, Refused, type Registry } from './lake';
import type { Component, Problem } from './protocol';
import { invalid } from './worker/component';
import type { Workers } from './workers';
import type { Vetted, Vetting } from './worker/vet';

export interface Choice {
  /** The empty text for the shipped one, else what tells it from the others. */
  key: string;
  kind: 'shipped' | 'dropped' | 'release';
  name: string;
  /** Of the component; the empty text while it is not known. */
  digest: string;
  /** What jobs carry, see `Job.transform`. */
  job: string;
  /** The spec that it brings along, or the empty text. */
  spec: string;
  component: Component | null;
  /** What the channel uses it as, and the number of the channel's document, as they were when the page last asked. */
  uses: string[];
  document: number | null;
  /** Why it cannot be chosen. */
  refused: string;
  /** Makes it ready to run. */
  load: () => Promise<void>;
}

export class Transforms {
  readonly choices: Choice[] = [
    { key: '', kind: 'shipped', name: 'the shipped component', digest: '', job: '', spec: '', component: null, uses: [], document: null, refused: '', load: async () => {} },
  ];
  chosen: Choice = this.shipped;
  /** The one that is being made ready. */
  loading: Choice | null = null;

  constructor(
    private readonly workers: Workers,
    private readonly changed: () => void,
  ) {}

  get shipped(): Choice {
    return this.choices[0] as Choice;
  }

  get(key: string): Choice {
    return this.choices.find((choice) => choice.key === key) ?? this.shipped;
  }

  /** The shipped component said what it is. */
  known(component: Component): void {
    Object.assign(this.shipped, { component, digest: component.digest });
    this.changed();
  }

  /** Makes a choice ready and chooses it; throws `Refused` and leaves the choice as it was. */
  async choose(choice: Choice): Promise<void> {
    this.loading = choice;
    this.changed();
    try {
      await choice.load();
      this.chosen = choice;
    } finally {
      if (this.loading === choice) this.loading = null;
      this.changed();
    }
  }

  /** Looks a dropped component over; the choice that it may become. Throws `Refused`. */
  async dropped(file: File): Promise<Choice> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { digest } = await vet({ name: file.name, bytes, want: 'check', expected: '' });
    const load = once(async () => this.start(choice, bytes));
    const choice: Choice = { key: `${file.name} ${digest}`, kind: 'dropped', name: file.name, digest, job: digest, spec: '', component: null, uses: [], document: null, refused: '', load };
    return this.choices.find(({ key }) => key === choice.key) ?? choice;
  }

  add(choice: Choice): void {
    if (!this.choices.includes(choice)) this.choices.push(choice);
  }

  /**
   * Asks the server that serves the page for its releases, also once more: what is known keeps what was loaded of it. The one
   * that the server itself runs, if it does.
   */
  async listReleases(): Promise<Choice | null> {
    const about = await lake.about();
    if (!about.releases) return null;
    const { releases, channels, refused } = await lake.releases();
    const listed = releases.map((release) => this.ofRelease(release, channels.find(({ name }) => name === release.name)));
    const others = this.choices.filter((choice) => choice.kind !== 'release' || (choice === this.chosen && !listed.includes(choice)));
    const wrong = refused.map(ofRefused).filter(({ key }) => key !== this.chosen.key);
    this.choices.splice(0, this.choices.length, ...others, ...listed, ...wrong);
    this.changed();
    const { release } = about;
    return this.choices.find(({ key }) => release !== null && key === `${release.name}@${release.version}`) ?? null;
  }

  private ofRelease({ name, version, component, spec }: Registry['releases'][number], channel: Registry['channels'][number] | undefined): Choice {
    const key = `${name}@${version}`;
    const uses = (['stable', 'canary', 'shadow'] as const).filter((pointer) => channel?.[pointer] === version);
    const load = once(() => this.loadRelease(choice, name, version, spec));
    const known = this.choices.find((one) => one.key === key && one.digest === component && one.refused === '');
    const choice: Choice = known ?? { key, kind: 'release', name: key, digest: component, job: component, spec: '', component: null, uses, document: null, refused: '', load };
    return Object.assign(choice, { name: [key, ...uses].join(' · '), uses, document: channel?.sequence ?? null });
  }

  private async loadRelease(choice: Choice, name: string, version: string, specDigest: string): Promise<void> {
    const spec = await lake.releaseBytes(name, version, 'spec');
    await vet({ name: `the spec of ${choice.key}`, bytes: spec, want: 'digest', expected: specDigest });
    choice.spec = new TextDecoder().decode(spec);
    if (choice.digest === this.shipped.digest) {
      // The same bytes: the page has them, and what calls them, already.
      choice.component = this.shipped.component;
      choice.job = '';
      return;
    }
    await this.start(choice, await lake.releaseBytes(name, version, 'component'));
  }

  /** Transpiles a component, which must have the choice's digest, and starts its worker. */
  private async start(choice: Choice, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const name = choice.kind === 'dropped' ? choice.name : `the component of ${choice.key}`;
    const { digest, glue, modules } = await vet({ name, bytes, want: 'transpile', expected: choice.digest });
    try {
      choice.component = await this.workers.own({ given: { bytes, digest, modules }, glue });
    } catch (problem) {
      throw new Refused(invalid(name, (problem as Problem).message));
    }
  }
}

function ofRefused({ name, version, problem }: Registry['refused'][number]): Choice {
  const id = version === null ? `channel ${name}` : `${name}@${version}`;
  return { key: id, kind: 'release', name: id, digest: '', job: '', spec: '', component: null, uses: [], document: null, refused: problem.message, load: async () => {} };
}

/** Runs once; again only after it failed. */
function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  return () => {
    running ??= run().catch((error: unknown) => {
      running = null;
      throw error;
    });
    return running;
  };
}

/** Asks a worker that ends with its answer. */
function vet(asked: Vetting): Promise<Extract<Vetted, { type: 'vetted' }>> {
  const worker = new Worker(new URL('./worker/vet.ts', import.meta.url), { type: 'module' });
  const answer = new Promise<Extract<Vetted, { type: 'vetted' }>>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<Vetted>) => (data.type === 'vetted' ? resolve(data) : reject(new Refused(data.problem)));
    worker.onerror = ({ message }) => reject(new Error(message || 'the transpiler could not start'));
  });
  worker.postMessage(asked);
  return answer.finally(() => worker.terminate());
}
