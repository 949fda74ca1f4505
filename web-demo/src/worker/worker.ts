// The worker: owns the component and everything made with it, and answers the page.
//
// The one decision to know: one job at a time, in the order asked; a job that was cancelled while it waited never
// starts. Rows are read between the steps of a job, so that the table scrolls while another file is being read.
// The same script serves a component that the page was not built with, see `given.ts`; what such a worker makes is
// kept by the first one, so that it can be discarded at any time.

import initInspect, { editSpec, filtersAsChecks } from '../../dist/made/inspect.js';
import inspectUrl from '../../dist/made/inspect_bg.wasm?url';
import type { Answer, Job, Preview, Request, Table } from '../protocol';
import { check } from './check';
import { detect } from './detect';
import { compareSides } from './compare';
import { given, isGiven } from './given';
import { Cancelled, Failed, learn, make } from './make';
import { pictureOf, rowsOf } from './parts';
import { problemOf, Transform } from './transform';

const previews = new Map<number, Preview>();
const cancelled = new Set<number>();
const loaded = load();
let queue: Promise<void> = Promise.resolve();

const answer = (message: Answer): void => self.postMessage(message);

self.onmessage = ({ data }: MessageEvent<Request>): void => {
  switch (data.type) {
    case 'run':
      cancelled.delete(data.job.id);
      queue = queue.then(() => run(data.job));
      break;
    case 'learn':
      queue = queue.then(() => learned(data));
      break;
    case 'check':
      queue = queue.then(() => checked(data));
      break;
    case 'detect':
      queue = queue.then(() => detected(data));
      break;
    case 'edit':
      void told(data.request, () => editSpec(data.spec, data.edits));
      break;
    case 'unfilter':
      void told(data.request, () => filtersAsChecks(data.spec, JSON.stringify(data.columns)));
      break;
    case 'cancel':
      cancelled.add(data.id);
      break;
    case 'forget':
      previews.delete(data.id);
      break;
    case 'keep':
      previews.set(data.id, data.preview);
      break;
    case 'compare':
      queue = queue.then(() => compare(data));
      break;
    case 'rows':
      respond(data, (table) => rowsOf(table, data.offset, data.count));
      break;
    case 'histogram':
      respond(data, (table) => pictureOf(table, data.column));
      break;
  }
};

async function load(): Promise<Transform | null> {
  try {
    await initInspect({ module_or_path: inspectUrl });
    const transform = isGiven() ? await given() : await Transform.load();
    answer({ type: 'ready', component: transform.component });
    return transform;
  } catch (thrown) {
    answer({ type: 'broken', problem: problemOf(thrown) });
    return null;
  }
}

async function run(job: Job): Promise<void> {
  const { id } = job;
  const transform = await loaded;
  if (!transform) return;
  const watch = {
    cancelled: () => cancelled.has(id),
    progress: (pass: number, read: number) => answer({ type: 'progress', id, pass, read, total: job.file.size }),
  };
  try {
    if (watch.cancelled()) throw new Cancelled();
    const preview = await make(transform, job, watch);
    if (!isGiven()) previews.set(id, preview);
    answer({ type: 'done', id, preview });
  } catch (thrown) {
    answer(failure(id, thrown));
  } finally {
    cancelled.delete(id);
  }
}

/** How a job ended that made nothing. */
function failure(id: number, thrown: unknown): Answer {
  if (thrown instanceof Cancelled) return { type: 'cancelled', id };
  const { problem, quarantine, reasons, drift, cut, contracts } = thrown instanceof Failed ? thrown : new Failed(problemOf(thrown), [], [], [], false, []);
  return { type: 'failed', id, problem, quarantine, reasons, drift, cut, contracts };
}

/** What two previews differ in. */
async function compare({ id, a, b }: Extract<Request, { type: 'compare' }>): Promise<void> {
  const watch = {
    cancelled: () => cancelled.has(id),
    progress: (done: number, total: number) => answer({ type: 'progress', id, pass: 0, read: done, total }),
  };
  try {
    const [one, other] = [previews.get(a), previews.get(b)];
    if (!one || !other) throw new Error('this preview is gone');
    answer({ type: 'compared', id, comparison: await compareSides(one, other, watch) });
  } catch (thrown) {
    answer(failure(id, thrown));
  } finally {
    cancelled.delete(id);
  }
}

async function learned({ request, job }: Extract<Request, { type: 'learn' }>): Promise<void> {
  const transform = await loaded;
  if (!transform) return;
  try {
    answer({ type: 'answered', request, value: await learn(transform, job, { cancelled: () => cancelled.has(job.id), progress: () => {} }) });
  } catch (thrown) {
    answer({ type: 'refused', request, message: thrown instanceof Failed ? thrown.problem.message : problemOf(thrown).message });
  }
}

async function checked({ request, job }: Extract<Request, { type: 'check' }>): Promise<void> {
  const transform = await loaded;
  if (transform) answer({ type: 'answered', request, value: await check(transform, job) });
}

async function detected({ request, job }: Extract<Request, { type: 'detect' }>): Promise<void> {
  const transform = await loaded;
  if (transform) answer({ type: 'answered', request, value: await detect(transform, job) });
}

/** Answers a question about a table of a preview. */
function respond({ id, request, table }: { id: number; request: number; table: string }, ask: (table: Table) => unknown): void {
  try {
    const found = previews.get(id)?.tables.find(({ name }) => name === table);
    if (!found) throw new Error('this preview is gone');
    answer({ type: 'answered', request, value: ask(found) });
  } catch (thrown) {
    answer({ type: 'refused', request, message: problemOf(thrown).message });
  }
}

/** Answers a question about a text, once what reads it is there. */
async function told(request: number, ask: () => string): Promise<void> {
  await loaded;
  try {
    answer({ type: 'answered', request, value: ask() });
  } catch (thrown) {
    answer({ type: 'refused', request, message: problemOf(thrown).message });
  }
}
