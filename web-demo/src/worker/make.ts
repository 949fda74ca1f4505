// One file through the component: at most two passes, as every host does it.
//
// Not for messages (`worker.ts`). The one decision to know: the job is fed 1 MiB at a time and asked in short steps,
// and the worker looks at its messages every few steps, so that progress and cancel come at once.

import { driftOf, fixOf, learnedFrom, receiptDigest, Sha256, tooManyRejected } from '../../dist/made/inspect.js';
import type { Contract, Drift, Fix, Job as Wanted, Preview, Problem, Quarantined, Reason, Receipt, Report, Table, TableContract } from '../protocol';
import { sha256 } from './digest';
import { Made } from './made';
import { defaultTable } from './names';
import { footerOf } from './parts';
import { checkMemory, problemOf, Trouble, type Guest, type Job, type Options, type Step, type Transform } from './transform';

/** Bytes of one `push`: the interface's own rule. */
const CHUNK_BYTES = 1 << 20;
/** Bytes read from the file at once: each read is a round trip to the browser's own process. */
const READ_BYTES = 8 << 20;
/** How long the worker may be deaf: well below what a person notices. */
const DEAF_MILLISECONDS = 40;

type Widened = Extract<Step, { tag: 'widen' }>['val'];
type End = { report: Report } | { widened: Widened };

/** What the worker wants to know meanwhile. */
export interface Watch {
  cancelled: () => boolean;
  progress: (pass: number, read: number) => void;
}

/** The job was cancelled. */
export class Cancelled extends Error {}

/** A problem, with what had been rejected until then. */
export class Failed extends Error {
  constructor(
    readonly problem: Problem,
    readonly quarantine: Quarantined[],
    readonly reasons: Reason[],
    /** What to do about columns whose type the file has left. */
    readonly drift: Drift[],
    readonly cut: boolean,
    /** Under which the records were rejected, as far as they were agreed. */
    readonly contracts: TableContract[],
  ) {
    super(problem.message);
  }
}

/** Makes what `run` would make of a file; keeps it in blobs. */
export async function make(transform: Transform, wanted: Wanted, watch: Watch): Promise<Preview> {
  const started = performance.now();
  const input = new Input(wanted.file);
  let made = new Made();
  let { contracts } = wanted;
  try {
    const base = options(transform, wanted);
    let spec: string | null = null;
    let learned: Report | null = null;
    let passes = 1;
    let end = await pass(transform, base, input, made, watch, 1);
    if ('widened' in end) {
      const { widened } = end;
      ({ contracts, spec } = widened);
      learned = reportOf(widened.report);
      // A contract that follows from the spec alone is agreed before any input is read.
      passes = learned.records === 0 ? 1 : 2;
      made = new Made();
      end = await pass(transform, { ...base, contracts, final: true }, input, made, watch, passes);
    }
    if (!('report' in end)) throw new Error('the contract widened on the final pass');
    const report = end.report;
    refuse(wanted.spec, report);
    contracts = contracts.filter(({ table }) => report.tables.some((made) => made.table === table));
    for (const warning of learned?.warnings ?? []) {
      const known = report.warnings.some(({ code, message }) => code === warning.code && message === warning.message);
      if (!known) report.warnings.push(warning);
    }
    if (learned && learned.records > 0) report.warnings.push(...saidOfLearned(report));
    const receipt = receiptOf(transform, wanted, input, contracts, made, report);
    return {
      report,
      tables: await tablesOf(contracts, made),
      quarantine: made.quarantine,
      reasons: made.reasons(),
      drift: drift(wanted.spec, contracts, made, false),
      quarantineCut: made.quarantineCut,
      spec,
      receipt,
      receiptDigest: receiptDigest(JSON.stringify(receipt)),
      passes,
      inputBytes: wanted.file.size,
      milliseconds: performance.now() - started,
    };
  } catch (thrown) {
    if (thrown instanceof Cancelled) throw thrown;
    throw new Failed(problemOf(thrown), made.quarantine, made.reasons(), drift(wanted.spec, contracts, made, true), made.quarantineCut, contracts);
  }
}

/** What the transform makes of a file that no table waits for: the contracts that it would ask for. */
export async function learn(transform: Transform, wanted: Wanted, watch: Watch): Promise<TableContract[]> {
  const made = new Made();
  try {
    const asked = { ...options(transform, wanted), contracts: [], final: false, propose: true };
    const end = await pass(transform, asked, new Input(wanted.file), made, watch, 1);
    return 'widened' in end ? end.widened.contracts : [];
  } catch (thrown) {
    if (thrown instanceof Cancelled) throw thrown;
    throw new Failed(problemOf(thrown), made.quarantine, made.reasons(), [], made.quarantineCut, []);
  }
}

/** What a job is asked, and the name of the file. */
type Asked = Options & { name: string };

function options(transform: Transform, { name, file, spec, contracts, final }: Wanted): Asked {
  return {
    name,
    spec,
    contracts,
    footer: [['lakegate.component', transform.component.digest]],
    // As `SourceFacts` of the model: one time for every pass.
    source: JSON.stringify({ version: 1, uri: name, loaded_ms: Date.now(), bytes: file.size, name }),
    final,
    propose: false,
  };
}

/** Opens a job. Whether the spec names its table, the transform knows best: only where it misses a name, the file's is given. */
function open(guest: Guest, asked: Asked): Job {
  try {
    return guest.Job.open(asked);
  } catch (thrown) {
    if (problemOf(thrown).code !== 'table_missing') throw thrown;
    return guest.Job.open({ ...asked, table: defaultTable(asked.name) });
  }
}

async function pass(
  transform: Transform,
  asked: Asked,
  input: Input,
  made: Made,
  watch: Watch,
  number: number,
): Promise<End> {
  const { guest, trace, memory } = await transform.instance();
  const job = open(guest, asked);
  trace?.start(job);
  const traced = (part: number): void => made.traced(part, trace?.take(job, part));
  input.rewind();
  watch.progress(number, 0);
  let looked = performance.now();
  for (;;) {
    const step = job.step();
    switch (step.tag) {
      case 'need-input': {
        const chunk = input.next();
        if (chunk) job.push(chunk);
        else job.end();
        break;
      }
      case 'working':
        break;
      case 'part-opened':
        made.opened(step.val.id, step.val.table, step.val.partition);
        break;
      case 'part-bytes':
        made.bytes(step.val.id, step.val.bytes as Uint8Array<ArrayBuffer>);
        traced(step.val.id);
        break;
      case 'part-closed':
        traced(step.val.id);
        made.closed(step.val.id, Number(step.val.rows), Number(step.val.bytes));
        break;
      case 'quarantine-bytes':
        made.rejected(step.val);
        break;
      case 'widen':
        return { widened: step.val };
      case 'done':
        return { report: reportOf(step.val) };
    }
    if (performance.now() - looked > DEAF_MILLISECONDS) {
      checkMemory(memory());
      watch.progress(number, input.read);
      await nextTask();
      if (watch.cancelled()) throw new Cancelled();
      looked = performance.now();
    }
  }
}

/** Lets messages in. A timer would wait 4 ms each time once nested. */
export function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A file in chunks, hashed the first time it is read to its end. */
class Input {
  read = 0;
  digest = '';
  private readonly reader = new FileReaderSync();
  private ahead = { start: 0, bytes: new Uint8Array(0) };
  private hash: Sha256 | null = new Sha256();

  constructor(private readonly file: Blob) {}

  rewind(): void {
    this.read = 0;
    this.ahead = { start: 0, bytes: new Uint8Array(0) };
    if (this.digest === '') {
      this.hash?.free();
      this.hash = new Sha256();
    }
  }

  next(): Uint8Array | null {
    if (this.read >= this.file.size) {
      if (this.hash) this.digest = this.hash.hex();
      this.hash?.free();
      this.hash = null;
      return null;
    }
    if (this.read >= this.ahead.start + this.ahead.bytes.length) {
      const bytes = this.reader.readAsArrayBuffer(this.file.slice(this.read, this.read + READ_BYTES));
      this.ahead = { start: this.read, bytes: new Uint8Array(bytes) };
    }
    const from = this.read - this.ahead.start;
    const chunk = this.ahead.bytes.subarray(from, from + CHUNK_BYTES);
    this.read += chunk.length;
    this.hash?.update(chunk);
    return chunk;
  }
}

/** A report with its fixes as the page shows them. */
function reportOf(text: string): Report {
  const report = JSON.parse(text) as Report;
  const shown = ({ fixes }: { fixes?: unknown[] }): Fix[] => (fixes ?? []).map((fix) => fixOf(JSON.stringify(fix)) as Fix);
  return { ...report, warnings: report.warnings.map((warning) => ({ ...warning, fixes: shown(warning) })) };
}

/** What `run` would refuse is no preview, whether or not the transform itself knows the rule. */
function refuse(spec: string, { rejected, rescued = 0, records }: Report): void {
  const refused = tooManyRejected(spec, rejected + rescued, records);
  if (refused === undefined) return;
  const [code = '', message = '', hint = ''] = refused;
  throw new Trouble({ fault: 'input', code, message, hint, place: {} });
}

/** What is said of records that were rejected after they were learned from: the host's rule. */
function saidOfLearned({ rejects }: Report): Report['warnings'] {
  const said = learnedFrom(JSON.stringify(rejects));
  if (!said) return [];
  const [code = '', message = ''] = said;
  return [{ code, message, count: 1, fixes: [] }];
}

/** What to do about columns whose type the file has left: the command line's words. */
function drift(spec: string, contracts: TableContract[], made: Made, failed: boolean): Drift[] {
  return driftOf(spec, contracts.map(({ text }) => text), JSON.stringify(made.reasons()), failed) as Drift[];
}

function receiptOf(
  transform: Transform,
  { spec }: Wanted,
  input: Input,
  contracts: Options['contracts'],
  made: Made,
  report: Report,
): Receipt {
  const tables = [...contracts].sort((a, b) => (a.table < b.table ? -1 : 1));
  return {
    input: input.digest,
    component: transform.component.digest,
    spec: textDigest(spec),
    contracts: Object.fromEntries(tables.map(({ table, text }) => [table, textDigest(text)])),
    outputs: made.parts.map(({ table, partition, rows, bytes, digest }) => ({ table, partition, rows, bytes, digest })),
    comparable: report.comparable,
  };
}

function textDigest(text: string): string {
  return sha256(new TextEncoder().encode(text));
}

async function tablesOf(contracts: Options['contracts'], made: Made): Promise<Table[]> {
  return contracts.map(({ table, text }) => {
    const contract = JSON.parse(text) as Contract;
    const parts = made.parts
      .filter((part) => part.table === table)
      .map(({ partition, rows, bytes, digest, blob, trace }) => ({
        partition,
        rows,
        bytes,
        digest,
        blob,
        trace,
        footer: footerOf(blob),
      }));
    const inPath = contract.partition_by ?? [];
    const inFile = parts[0]?.footer.columns ?? [];
    return {
      name: table,
      contract,
      contractText: text,
      columns: [
        ...inFile.map(({ name, athena, parquet, from }) => ({ name, athena, parquet, from: from ?? '', partition: false })),
        ...inPath.map((key) => ({
          name: key.name,
          athena: key.type === 'json' ? 'string' : (key.type ?? 'string'),
          parquet: 'in the path',
          from: key.sql ?? key.pointer ?? '',
          partition: true,
        })),
      ],
      rows: parts.reduce((sum, part) => sum + part.rows, 0),
      parts,
    };
  });
}
