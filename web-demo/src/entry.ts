// One file of the page, and what became of it; the page's side of the worker.
//
// Not for showing it (`view/`). The one decision to know: every run has an id of its own, so that an answer to an
// earlier spec is told from the answer to this one; the last good preview stays until the next one is there.

import { isServed } from './lake';
import type { Answer, Checked, Component, Detected, Drift, Fix, Job, Picture, Preview, Problem, Quarantined, Reason, Request, Rows, TableContract } from './protocol';
import { Transforms } from './transforms';
import { Workers } from './workers';

/** A spec and the component that follows it: the empty text is the shipped one. */
export interface Under {
  spec: string;
  transform: string;
}

/**
 * What one run made, with all that it was made from. Nothing of it changes: whoever shows, saves or sends it has it whole.
 */
export interface Result {
  /** The run. */
  readonly id: number;
  readonly under: Under;
  /** Those of the tables that it was held to. */
  readonly contracts: TableContract[];
  /** Key of the transform. */
  readonly madeBy: string;
  readonly preview: Preview;
}

export interface Entry {
  file: Blob;
  name: string;
  /** The spec to follow; the empty text: propose one. */
  spec: string;
  /** The text in the editor, while it is not the spec. */
  draft: string | null;
  /** A person wrote the spec here: it is nowhere else. */
  edited: boolean;
  /** Key of the transform that the last run was of, and the spec that it brought along. */
  transform: string;
  brought: string;
  run: number;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  progress: { pass: number; read: number; total: number };
  /** Of the last run that made something. */
  result: Result | null;
  problem: Problem | null;
  /** What a failed run had rejected. */
  rejected: Quarantined[];
  rejectedCut: boolean;
  /** The contracts that these were rejected under. */
  rejectedUnder: TableContract[];
  /** What the last run was made by, and the contracts that it was held to. */
  under: Under;
  contracts: TableContract[];
  /** Whether what is taken away is made without a spec, where only the file says one. */
  bare: boolean;
  /** Why the last run rejected records, whether it failed or not. */
  reasons: Reason[];
  drift: Drift[];
  /** The fix that made the spec, and the spec before. */
  fixed: { by: Fix; before: string; after: string; edited: boolean } | null;
  /** What the file asks for by itself, once it was asked. */
  own: Promise<TableContract[]> | null;
}

/**
 * What happened: everything (a file came or went, a run ended), a file that is not shown, a person's own work on a file, progress
 * only, or the component is there.
 */
export type Change = 'all' | 'other' | 'work' | 'progress' | 'component';

/** A run beside an entry's own. */
export interface Beside {
  /** Who hears how far it is, from now on. */
  hear: (by: (progress: Entry['progress']) => void) => void;
  /** Rejects when it is cancelled. */
  readonly ended: Promise<Extract<Answer, { type: 'done' | 'failed' }>>;
}

/** What a result's proposal makes. */
interface Pin {
  beside: Beside;
  made: Promise<Result>;
}

/** A spec that is not edited. */
export interface Told {
  spec: string;
  whose: string;
  /** What is said of it. */
  said: string;
}

export class Files {
  readonly entries: Entry[] = [];
  current: Entry | null = null;
  component: Component | null = null;
  broken: Problem | null = null;
  /** The spec that the server behind the page loads every file under; empty where it has none. */
  given = '';
  /** Contracts of the lake that the files are meant for. */
  contracts: TableContract[] = [];
  private runs = 0;
  private requests = 0;
  private readonly waiting = new Map<number, { done: (value: unknown) => void; fail: (error: Error) => void }>();
  private readonly sides = new Map<number, (answer: Answer) => void>();
  private readonly besides = new Map<number, Entry>();
  private readonly pins = new WeakMap<Result, Pin>();
  private readonly workers = new Workers(
    (answer) => this.take(answer),
    (message) => {
      this.broken = { fault: 'environment', code: 'page', message: message || 'the worker could not start', place: {} };
      this.changed('all');
    },
  );
  readonly transforms = new Transforms(this.workers, () => this.changed('component'));

  constructor(private readonly changed: (change: Change) => void) {}

  /** The spec that nobody here wrote and that files follow: that of the chosen release, or the server's. */
  get told(): Told {
    const { chosen } = this.transforms;
    if (chosen.kind === 'release') return { spec: chosen.spec, whose: `the spec of ${chosen.key}`, said: `The spec of ${chosen.key}, as it was released.` };
    return { spec: this.given, whose: 'the server’s spec', said: 'The server’s spec: every file that is loaded follows it.' };
  }

  add(file: Blob, name: string, spec = ''): Entry {
    const entry: Entry = {
      file,
      name,
      spec,
      draft: null,
      edited: false,
      transform: '',
      // The lake's own spec is not the person's: it goes when a release is chosen.
      brought: spec === this.transforms.shipped.spec ? spec : '',
      run: 0,
      state: 'running',
      progress: { pass: 1, read: 0, total: file.size },
      result: null,
      problem: null,
      rejected: [],
      rejectedCut: false,
      rejectedUnder: [],
      under: { spec, transform: '' },
      contracts: [],
      // A lake knows its tables: a spec that this file proposes would hold it to more than it asks for.
      bare: isServed(),
      reasons: [],
      drift: [],
      fixed: null,
      own: null,
    };
    this.entries.push(entry);
    this.current = entry;
    this.start(entry);
    return entry;
  }

  /** Hears that a person wrote something for a file. */
  wrote(): void {
    this.changed('work');
  }

  /** Runs an entry, again if need be, with the spec it has now. */
  start(entry: Entry): void {
    if (entry.state === 'running' && entry.run > 0) this.send({ type: 'cancel', id: entry.run });
    this.endBesides(entry);
    entry.run = ++this.runs;
    entry.own = null;
    entry.state = 'running';
    entry.progress = { pass: 1, read: 0, total: entry.file.size };
    const { chosen } = this.transforms;
    if (entry.transform !== chosen.key) {
      // A release's spec comes and goes with it, unless there is one that the person gave or edited.
      if (entry.spec === '' || entry.spec === entry.brought) {
        entry.spec = entry.brought = chosen.spec;
        entry.edited = false;
      }
      entry.transform = chosen.key;
    }
    const { file, name, spec } = entry;
    entry.under = { spec, transform: chosen.job };
    entry.contracts = this.contracts;
    this.send({ type: 'run', job: { id: entry.run, file, name, spec, contracts: entry.contracts, final: false, transform: chosen.job } });
    this.changed('all');
  }

  cancel(entry: Entry): void {
    this.cancelRun(entry.run);
  }

  cancelRun(id: number): void {
    this.send({ type: 'cancel', id });
  }

  remove(entry: Entry): void {
    this.cancel(entry);
    this.endBesides(entry);
    if (entry.result) this.send({ type: 'forget', id: entry.result.id });
    this.entries.splice(this.entries.indexOf(entry), 1);
    if (this.current === entry) this.current = this.entries.at(-1) ?? null;
    this.changed('all');
  }

  show(entry: Entry): void {
    this.current = entry;
    if (entry.transform === this.transforms.chosen.key) this.changed('all');
    else this.start(entry);
  }

  /** Asks for something beside the entries' own runs; every answer to it goes to `take`. */
  aside(ask: (id: number) => Request, take: (answer: Answer) => void): number {
    const id = ++this.runs;
    this.sides.set(id, take);
    this.send(ask(id));
    return id;
  }

  /** Ends what `aside` began. */
  forget(id: number): void {
    this.sides.delete(id);
    this.send({ type: 'forget', id });
  }

  /** Rows of a table of the preview that an entry shows. */
  rows(id: number, table: string, offset: number, count: number): Promise<Rows> {
    return this.ask((request) => ({ type: 'rows', id, request, table, offset, count }));
  }

  /** How the values of a column are spread. */
  picture(id: number, table: string, column: number): Promise<Picture | null> {
    return this.ask((request) => ({ type: 'histogram', id, request, table, column }));
  }

  /** Keeps to other contracts from here on, and runs everything again. */
  keepTo(contracts: TableContract[]): void {
    this.contracts = contracts;
    this.entries.forEach((entry) => this.start(entry));
    this.changed('all');
  }

  /** What an entry's file asks for by itself. */
  own(entry: Entry): Promise<TableContract[]> {
    const { file, name, spec } = entry;
    const transform = this.transforms.get(entry.transform).job;
    entry.own ??= this.ask((request) => ({ type: 'learn', request, job: { id: entry.run, file, name, spec, contracts: [], final: false, transform } }));
    return entry.own;
  }

  /**
   * What a result's own proposal makes of the file, as a spec that is told: the result itself where a spec was told. Made once, and
   * under the same contracts.
   */
  pinned(entry: Entry, result: Result, said: (progress: Entry['progress']) => void = () => {}): Promise<Result> {
    const { spec } = result.preview;
    if (result.under.spec !== '' || !spec) return Promise.resolve(result);
    const known = this.pins.get(result);
    if (known) {
      known.beside.hear(said);
      return known.made;
    }
    const under = { ...result.under, spec };
    const beside = this.beside(entry, { spec, contracts: result.contracts, final: false, transform: under.transform });
    const made = beside.ended.then((answer) => {
      if (answer.type === 'failed') throw new Error(answer.problem.message);
      return { ...result, id: answer.id, under, preview: answer.preview };
    });
    // Whoever asks again gets another try.
    made.catch(() => this.pins.delete(result));
    beside.hear(said);
    this.pins.set(result, { beside, made });
    return made;
  }

  /** A run of an entry's file beside its own; the next run of the entry ends it, and so does removing it. */
  beside(entry: Entry, asked: Pick<Job, 'spec' | 'contracts' | 'final' | 'transform'>): Beside {
    const { file, name } = entry;
    let heard: (progress: Entry['progress']) => void = () => {};
    const ended: Beside['ended'] = new Promise((done, fail) => {
      const id = this.aside(
        (chosen) => ({ type: 'run', job: { id: chosen, file, name, ...asked } }),
        (answer) => {
          if (answer.type === 'progress') return heard({ pass: answer.pass, read: answer.read, total: answer.total });
          this.besides.delete(id);
          this.forget(id);
          if (answer.type === 'done' || answer.type === 'failed') done(answer);
          else fail(new Error('cancelled'));
        },
      );
      this.besides.set(id, entry);
    });
    return { ended, hear: (by) => (heard = by) };
  }

  private endBesides(entry: Entry): void {
    for (const [id, owner] of this.besides) if (owner === entry) this.cancelRun(id);
  }

  /** What would become of a few records of an entry's file under a spec, a component and contracts. */
  check(file: Blob, name: string, { spec, transform }: Under, contracts: TableContract[]): Promise<Checked> {
    return this.ask((request) => ({ type: 'check', request, job: { id: 0, file, name, spec, contracts, final: true, transform } }));
  }

  /** How an entry's file is read, as far as its beginning tells. */
  detected({ file, name, under: { spec, transform } }: Entry): Promise<Detected | null> {
    return this.ask((request) => ({ type: 'detect', request, job: { id: 0, file, name, spec, contracts: [], final: false, transform } }));
  }

  /** A spec with the edits of a fix in it; rejects in one sentence. */
  edited(spec: string, { edits }: Fix): Promise<string> {
    return this.ask((request) => ({ type: 'edit', request, spec, edits }));
  }

  /** A spec whose filters reject. */
  unfiltered(spec: string, columns: Record<string, string[]>): Promise<string> {
    return this.ask((request) => ({ type: 'unfilter', request, spec, columns }));
  }

  private ask<T>(question: (request: number) => Request): Promise<T> {
    const request = ++this.requests;
    return new Promise((done, fail) => {
      this.waiting.set(request, { done: (value) => done(value as T), fail });
      this.send(question(request));
    });
  }

  private send(request: Request): void {
    this.workers.send(request);
  }

  private take(answer: Answer): void {
    switch (answer.type) {
      case 'ready':
        this.component = answer.component;
        return this.transforms.known(answer.component);
      case 'broken':
        this.broken = answer.problem;
        return this.changed('all');
      case 'answered':
        this.waiting.get(answer.request)?.done(answer.value);
        this.waiting.delete(answer.request);
        return;
      case 'refused':
        this.waiting.get(answer.request)?.fail(new Error(answer.message));
        this.waiting.delete(answer.request);
        return;
    }
    const side = this.sides.get(answer.id);
    if (side) return side(answer);
    if (answer.type === 'compared') return;
    const entry = this.entries.find(({ run }) => run === answer.id);
    if (!entry) {
      // An answer to an earlier run.
      if (answer.type === 'done') this.send({ type: 'forget', id: answer.id });
      return;
    }
    if (answer.type === 'progress') {
      entry.progress = { pass: answer.pass, read: answer.read, total: answer.total };
      return this.changed('progress');
    }
    entry.state = answer.type;
    entry.problem = answer.type === 'failed' ? answer.problem : null;
    entry.rejected = answer.type === 'failed' ? answer.quarantine : [];
    entry.rejectedCut = answer.type === 'failed' && answer.cut;
    entry.rejectedUnder = answer.type === 'failed' ? answer.contracts : [];
    entry.reasons = answer.type === 'failed' ? answer.reasons : answer.type === 'done' ? answer.preview.reasons : [];
    entry.drift = answer.type === 'failed' ? answer.drift : answer.type === 'done' ? answer.preview.drift : [];
    if (answer.type === 'done') {
      if (entry.result) this.send({ type: 'forget', id: entry.result.id });
      entry.result = { id: answer.id, under: entry.under, contracts: entry.contracts, madeBy: entry.transform, preview: answer.preview };
    }
    this.changed(entry === this.current ? 'all' : 'other');
  }
}

/** Why nothing is taken away or sent now: what is shown is not what the spec at hand makes. Empty where it is. */
export function unsettled(entry: Entry): string {
  if (entry.draft !== null) return 'The spec is being edited: what it makes is not there yet.';
  if (entry.state === 'running') return 'The file is being read: what it makes is not there yet.';
  if (entry.state === 'cancelled') return 'The run was cancelled: what is shown was made before it.';
  if (entry.problem?.fault === 'spec') return 'The spec has a mistake: what is shown was made by the one before it.';
  if (entry.state === 'failed') return 'The file failed: what is shown was made before.';
  return '';
}
