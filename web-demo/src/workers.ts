// The workers of the page: one for the shipped component, one for each other component that was chosen.
//
// Not for what is asked of them (`entry.ts`). Decisions to know: a worker owns one component, and previews are kept by
// the first worker whoever made them, so that another component's worker may be ended at any time: when it does not
// obey a cancel, when it crashes. It is started again for the next run.

import type { Answer, Component, Job, Problem, Request } from './protocol';
import { scriptOf } from './worker/glue';
import type { Given } from './worker/transform';
import workerUrl from './worker/worker.ts?worker&url';

/** How long a component may go on after a cancel: its steps are short, unless it hangs. */
const OBEY_MILLISECONDS = 3000;

/** A component with what calls it. */
export interface Source {
  given: Given;
  glue: string;
}

type Take = (answer: Answer) => void;

export class Workers {
  private readonly first = new Worker(workerUrl, { type: 'module' });
  private readonly others = new Map<string, Owner>();

  constructor(
    private readonly take: Take,
    broken: (message: string) => void,
  ) {
    this.first.onmessage = ({ data }: MessageEvent<Answer>) => take(data);
    this.first.onerror = ({ message }) => broken(message);
  }

  send(request: Request): void {
    if ('job' in request && request.job.transform !== '') return this.ownerOf(request.job).ask(request);
    if (request.type === 'cancel') for (const owner of this.others.values()) owner.cancel(request.id);
    this.first.postMessage(request);
  }

  /** Starts a worker for a component; resolves with what the component says of itself. */
  own(source: Source): Promise<Component> {
    const known = this.others.get(source.given.digest);
    if (known) return known.ready();
    const owner = new Owner(source, (answer) => {
      if (answer.type === 'done') this.first.postMessage({ type: 'keep', id: answer.id, preview: answer.preview } satisfies Request);
      this.take(answer);
    });
    this.others.set(source.given.digest, owner);
    return owner.ready().catch((problem: unknown) => {
      owner.end();
      this.others.delete(source.given.digest);
      throw problem;
    });
  }

  private ownerOf({ transform }: Job): Owner {
    const owner = this.others.get(transform);
    if (!owner) throw new Error(`no worker has the component ${transform}`);
    return owner;
  }
}

/** What needs the component. */
type Asked = Extract<Request, { type: 'run' | 'learn' | 'check' | 'detect' }>;

function keyOf(request: Asked): string {
  return request.type === 'run' ? `run ${request.job.id}` : `request ${request.request}`;
}

/** The worker of one component that the page was not built with. */
class Owner {
  private worker: Worker | null = null;
  private state: Promise<Component> | null = null;
  /** What it was asked and has not answered, by `keyOf`. */
  private readonly asked = new Map<string, Asked>();

  constructor(
    private readonly source: Source,
    private readonly take: Take,
  ) {}

  /** Starts the worker unless it is there; rejects with a problem. */
  ready(): Promise<Component> {
    this.state ??= this.start();
    return this.state;
  }

  ask(request: Asked): void {
    const key = keyOf(request);
    this.asked.set(key, request);
    this.ready().then(
      () => this.asked.has(key) && this.post(request),
      (problem: Problem) => this.fail(request, problem),
    );
  }

  cancel(id: number): void {
    const key = `run ${id}`;
    if (!this.asked.has(key)) return;
    this.post({ type: 'cancel', id });
    setTimeout(() => {
      if (!this.asked.has(key)) return;
      this.end();
      this.pass({ type: 'cancelled', id });
      for (const request of this.asked.values()) this.ask(request);
    }, OBEY_MILLISECONDS);
  }

  end(): void {
    this.worker?.terminate();
    this.worker = null;
    this.state = null;
  }

  private start(): Promise<Component> {
    const { glue, given } = this.source;
    const script = scriptOf(glue, new URL(workerUrl, document.baseURI).href);
    const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
    return new Promise((resolve, reject) => {
      const worker = new Worker(url, { type: 'module' });
      this.worker = worker;
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if (data.type === 'ready') resolve(data.component);
        else if (data.type === 'broken') reject(data.problem);
        else this.pass(data);
      };
      worker.onerror = ({ message }) => {
        const problem: Problem = { fault: 'transform', code: 'transform_crashed', message: `the transform crashed: ${message || 'its worker could not start'}`, place: {} };
        reject(problem);
        this.end();
        for (const request of [...this.asked.values()]) this.fail(request, problem);
      };
      this.post({ type: 'own', given });
    }).finally(() => URL.revokeObjectURL(url)) as Promise<Component>;
  }

  private pass(answer: Answer): void {
    if ('request' in answer) this.asked.delete(`request ${answer.request}`);
    else if ('id' in answer && answer.type !== 'progress') this.asked.delete(`run ${answer.id}`);
    this.take(answer);
  }

  private fail(request: Asked, problem: Problem): void {
    if (request.type === 'run') this.pass({ type: 'failed', id: request.job.id, problem, quarantine: [], reasons: [], drift: [], cut: false, contracts: [] });
    else this.pass({ type: 'refused', request: request.request, message: problem.message });
  }

  private post(request: Request): void {
    this.worker?.postMessage(request);
  }
}
