// The rejected records of one run, and what a person made of them.
//
// Not for showing them (`view/rejects.ts`). The one decision to know: it is kept by the run's own quarantine lines, so
// that what was mended is there as long as those records are, however often the page is drawn.

import type { Entry, Files, Result, Under } from '../entry';
import type { Checked, Quarantined, Reason, TableContract } from '../protocol';
import { number } from '../words';
import { shapeOf, type Found, type Shape } from './shape';

/** What came of a mended text. */
export type Verdict = { accepted: true; tables: Checked['tables'] } | { accepted: false; message: string; line: Quarantined | null };

export interface Rejected {
  lines: Quarantined[];
  /** All of them, also those that are not in `lines`. */
  total: number;
  /** True where that many are not known: the run failed. */
  atLeast: boolean;
  /** Why, counted over all of them. */
  reasons: Reason[];
  under: Under;
  contracts: TableContract[];
  /** What the file was found to be; nothing where the run failed. */
  found: Found;
}

export class Mending {
  /** Record number to its mended text, and the rows it makes. */
  readonly fixed = new Map<number, { text: string; tables: Checked['tables'] }>();
  /** Record number to the text in its editor, while it has one. */
  readonly drafts = new Map<number, string>();
  readonly verdicts = new Map<number, Verdict>();
  /** How records stand in a file; rejects where they cannot be mended. */
  readonly shape: Promise<Shape>;

  constructor(
    private readonly files: Files,
    private readonly entry: Entry,
    readonly rejected: Rejected,
  ) {
    const { under, found, lines } = rejected;
    this.shape = shapeOf(entry.file, under.spec, found, lines.map(({ raw }) => raw));
    this.shape.catch(() => undefined);
  }

  /** Runs one record's text through the component, under the run's spec and contracts. */
  async check(record: number, text: string): Promise<Verdict> {
    const verdict = await this.judge(text).catch((error: Error): Verdict => ({ accepted: false, message: error.message, line: null }));
    this.verdicts.set(record, verdict);
    if (verdict.accepted) {
      this.fixed.set(record, { text, tables: verdict.tables });
      this.drafts.delete(record);
    } else {
      this.fixed.delete(record);
    }
    this.files.wrote();
    return verdict;
  }

  private async judge(text: string): Promise<Verdict> {
    const shape = await this.shape;
    const { contracts, under } = this.rejected;
    const { problem, records, quarantine, tables } = await this.files.check(shape.plain(shape.text([text])), this.entry.name, { ...under, spec: shape.spec }, contracts);
    const [line] = quarantine;
    if (records === 0 && !problem) return { accepted: false, message: 'the text holds no record', line: null };
    if (records > 1) return { accepted: false, message: `the text holds ${number(records)} records: it must be one`, line: null };
    if (line) return { accepted: false, message: line.message.replace(/, at line \d+$/, ''), line };
    if (problem) return { accepted: false, message: problem.message, line: null };
    return { accepted: true, tables };
  }

  /** The mended records as a file of their own. */
  async file(): Promise<{ blob: Blob; extension: string }> {
    const { text, bytes, extension } = await this.shape;
    const records = [...this.fixed].sort(([a], [b]) => a - b).map(([, fixed]) => fixed.text);
    return { blob: await bytes(text(records)), extension };
  }

  /** Lines of the records that are not mended. */
  remaining(): Quarantined[] {
    return this.rejected.lines.filter(({ record }) => !this.fixed.has(record));
  }
}

const known = new WeakMap<Quarantined[], Mending>();

/** What is being mended of an entry's last run: that of a failed run, or of its preview. */
export function mendingOf(files: Files, entry: Entry): Mending | null {
  const rejected = entry.rejected.length > 0 ? ofFailed(entry) : entry.result && ofPreview(entry.result);
  if (!rejected) return null;
  const mending = known.get(rejected.lines) ?? new Mending(files, entry, rejected);
  known.set(rejected.lines, mending);
  return mending;
}

/** The mended records of an entry's last run, and their texts; asking makes nothing. */
export function mendedTexts({ rejected, result }: Entry): [number, string][] {
  const lines = rejected.length > 0 ? rejected : result?.preview.quarantine;
  const fixed = lines && known.get(lines)?.fixed;
  return [...(fixed ?? [])].map(([record, { text }]) => [record, text]);
}

function ofFailed({ rejected: lines, rejectedCut, rejectedUnder: contracts, reasons, under }: Entry): Rejected {
  return { lines, total: lines.length, atLeast: rejectedCut, reasons, under, contracts, found: {} };
}

function ofPreview({ under, preview: { quarantine: lines, reasons, report, tables } }: Result): Rejected {
  const contracts = tables.map(({ name, contractText }) => ({ table: name, text: contractText }));
  return { lines, total: report.rejected, atLeast: false, reasons, under, contracts, found: report };
}
