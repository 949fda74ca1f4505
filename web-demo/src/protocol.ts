// The only messages between page and worker, and what they carry.
//
// Not for how a view keeps its state. The one decision to know: texts of the transform (report, quarantine lines)
// cross as they were parsed, under the names that the command line gives them, so that one word means one thing.

import type { Comparison } from './worker/compare';
import type { Given } from './worker/transform';

/** Whose fault, in the command line's words. */
export type Fault = 'input' | 'spec' | 'limit' | 'transform' | 'environment' | 'internal';

export interface Place {
  line?: number;
  column?: number;
  offset?: number;
  record?: number;
  path?: string;
}

export interface Problem {
  fault: Fault;
  /** Stable name, for example `syntax_error`. */
  code: string;
  message: string;
  hint?: string;
  place: Place;
}

/** A table's agreed plan, exactly as a lake holds it. */
export interface TableContract {
  table: string;
  text: string;
}

/** What one file is to be made into. */
export interface Job {
  /** Chosen by the page; every answer carries it. */
  id: number;
  file: Blob;
  name: string;
  /** The empty text: propose one. */
  spec: string;
  /** Live contracts to keep to; those of tables that the job does not make are ignored. */
  contracts: TableContract[];
  /** True: nothing widens the contracts, what does not fit is rejected. */
  final: boolean;
  /** Digest of the component that runs; the empty text: the shipped one. */
  transform: string;
}

/** A change of the spec that answers a warning; see `inspect`. */
export interface Fix {
  /** As it comes to stand in the spec. */
  label: string;
  /** It changes how the input is read, or what a row is: what was proposed of columns does not hold any more. */
  shape: boolean;
  edits: string;
}

/** A column whose type the file has left: a sentence with commands in backticks, and what a spec says instead. */
export interface Drift {
  said: string;
  fix: Fix;
}

export interface Warning {
  code: string;
  message: string;
  count: number;
  /** More than one: a choice. */
  fixes: Fix[];
}

export type Request =
  | { type: 'run'; job: Job }
  | { type: 'learn'; request: number; job: Job }
  | { type: 'check'; request: number; job: Job }
  /** The spec with the edits of a fix in it. */
  | { type: 'edit'; request: number; spec: string; edits: string }
  /** The spec with its filters as checks that reject; `columns` of its tables by name. */
  | { type: 'unfilter'; request: number; spec: string; columns: Record<string, string[]> }
  /** How a file is read, as far as its beginning tells. */
  | { type: 'detect'; request: number; job: Job }
  | { type: 'cancel'; id: number }
  | { type: 'forget'; id: number }
  /** To the worker of a component that the page was not built with, before anything else. */
  | { type: 'own'; given: Given }
  /** A preview that another worker made. */
  | { type: 'keep'; id: number; preview: Preview }
  | { type: 'compare'; id: number; a: number; b: number }
  | { type: 'rows'; id: number; request: number; table: string; offset: number; count: number }
  | { type: 'histogram'; id: number; request: number; table: string; column: number };

export type Answer =
  | { type: 'ready'; component: Component }
  | { type: 'broken'; problem: Problem }
  | { type: 'progress'; id: number; pass: number; read: number; total: number }
  | { type: 'done'; id: number; preview: Preview }
  | { type: 'failed'; id: number; problem: Problem; quarantine: Quarantined[]; reasons: Reason[]; drift: Drift[]; cut: boolean; contracts: TableContract[] }
  | { type: 'cancelled'; id: number }
  | { type: 'compared'; id: number; comparison: Comparison }
  | { type: 'answered'; request: number; value: unknown }
  | { type: 'refused'; request: number; message: string };

/** Values of one column as text; null is null. */
export type Cells = (string | null)[];

/** What came of a few records that no preview shows. */
export interface Checked {
  problem: Problem | null;
  records: number;
  quarantine: Quarantined[];
  /** The first rows of each table, and how many there are. */
  tables: { name: string; columns: string[]; rows: Cells[]; all: number }[];
}

/** Rows of a table, column by column; the record that each came from, where the component tells. */
export interface Rows {
  columns: Cells[];
  records: number[] | null;
}

/** How the values of a column are spread; see `inspect`. */
export interface Picture {
  rows: number;
  nulls: number;
  of: 'steps' | 'values' | 'lengths';
  distinct: number | null;
  bars: { from: string; to: string | null; rows: number }[];
}

/** How a file is read. */
export interface Detected {
  format: string;
  compression: string;
  delimiter?: string;
}

export interface Component {
  name: string;
  version: string;
  digest: string;
  bytes: number;
}

export interface Preview {
  report: Report;
  tables: Table[];
  quarantine: Quarantined[];
  reasons: Reason[];
  drift: Drift[];
  /** True when there were more rejected records than `quarantine` holds. */
  quarantineCut: boolean;
  /** The spec that pins what was learned; none when nothing had to be learned. */
  spec: string | null;
  receipt: Receipt;
  /** SHA-256 of the receipt as compact JSON, which a commit record keeps as the promise. */
  receiptDigest: string;
  passes: number;
  inputBytes: number;
  milliseconds: number;
}

export interface Table {
  name: string;
  contract: Contract;
  /** The contract's exact text: the receipt has its digest. */
  contractText: string;
  columns: ShownColumn[];
  rows: number;
  parts: Part[];
}

/** A column as the Rows view shows it: those of the files, then those of the path. */
export interface ShownColumn {
  name: string;
  athena: string;
  parquet: string;
  from: string;
  partition: boolean;
}

export interface Part {
  partition: string;
  rows: number;
  bytes: number;
  digest: string;
  blob: Blob;
  trace: Blob | null;
  footer: Footer;
}

export interface Footer {
  rows: number;
  createdBy: string;
  groups: { rows: number; stored: number; raw: number }[];
  columns: FooterColumn[];
  metadata: [string, string][];
}

export interface FooterColumn {
  name: string;
  parquet: string;
  athena: string;
  from: string | null;
  stored: number;
  raw: number;
  encodings: string[];
  compression: string[];
  nulls: number | null;
  min: string | null;
  max: string | null;
}

export interface Report {
  records: number;
  accepted: number;
  rejected: number;
  /** Accepted records with values that stay beside their rows. */
  rescued?: number;
  bytes: number;
  format: string;
  compression: string;
  /** Bytes of text before the first record: of CSV, the header and what stands before it. */
  lead?: number;
  /** Of CSV. */
  delimiter?: string;
  tables: { table: string; contract: string; rows_made: number; rows_out: number; filtered: number; parts: number }[];
  rejects: Record<string, number>;
  warnings: Warning[];
  checks: { table: string; check: string; on_fail: string; failed: number }[];
  comparable: boolean;
}

/** One line of the quarantine. */
export interface Quarantined {
  record: number;
  line: number | null;
  offset: number | null;
  length: number | null;
  table: string | null;
  path: string | null;
  code: string;
  message: string;
  raw: string;
  truncated: boolean;
  /** Nothing of it is kept, because columns are masked. */
  masked?: boolean;
  /** What kind of value came, where it is of another kind than its column. */
  found?: string;
}

/** Records that were rejected for one reason at one path, all of them. */
export interface Reason {
  table: string | null;
  /** With `*` for every place in an array. */
  path: string | null;
  code: string;
  message: string;
  found?: string | undefined;
  records: number;
}

/** The part of a contract that the page shows. */
export interface Contract {
  rows?: string | null;
  columns?: ContractColumn[];
  partition_by?: ContractColumn[];
}

export interface ContractColumn {
  name: string;
  type?: string;
  pointer?: string;
  sql?: string;
  /** False: read, and in no part file. */
  output?: boolean;
}

/** Digests of everything: what `run` of the same input, spec and component makes. */
export interface Receipt {
  input: string;
  component: string;
  spec: string;
  contracts: Record<string, string>;
  outputs: { table: string; partition: string; rows: number; bytes: number; digest: string }[];
  comparable: boolean;
}
