// The rows that filters drop, with their records and the rule.
//
// Not for showing them (`view/filtered.ts`). The one decision to know: nothing is kept of a dropped row, so the file is
// read once more, by the same component, under a spec whose filters reject: what is rejected then is what was dropped.

import type { Beside, Entry, Files, Result } from './entry';
import type { Preview, Quarantined } from './protocol';

export interface Filtered {
  /** A record each, with the rule that its first dropped row did not meet. */
  records: { line: Quarantined; rule: string }[];
  /** True where there are more. */
  cut: boolean;
}

interface Look {
  beside: Promise<Beside>;
  found: Promise<Filtered>;
}

const known = new WeakMap<Result, Look>();

/** What the filters of a result drop; read once. `hear` hears how far reading is. */
export function filteredOf(files: Files, entry: Entry, result: Result, hear: (progress: Entry['progress']) => void): Promise<Filtered> {
  const { beside, found } = known.get(result) ?? look(files, entry, result);
  void beside.then(({ hear: by }) => by(hear));
  known.set(result, { beside, found });
  // Whoever asks again gets another try.
  found.catch(() => known.delete(result));
  return found;
}

/** Whether it was read, or is being read. */
export function isRead(result: Result): boolean {
  return known.has(result);
}

function look(files: Files, entry: Entry, { under, preview }: Result): Look {
  const columns = Object.fromEntries(preview.tables.map((table) => [table.name, table.columns.map((column) => column.name)]));
  const contracts = preview.tables.map((table) => ({ table: table.name, text: table.contractText }));
  const beside = files.unfiltered(under.spec, columns).then((spec) => files.beside(entry, { spec, contracts, final: true, transform: under.transform }));
  return { beside, found: beside.then(({ ended }) => ended).then((answer) => listed(answer, preview)) };
}

/** What was rejected, under a spec that rejects what it drops otherwise. */
function listed(answer: Awaited<Beside['ended']>, preview: Preview): Filtered {
  const { quarantine: lines, quarantineCut: cut } = answer.type === 'done' ? answer.preview : { quarantine: answer.quarantine, quarantineCut: answer.cut };
  if (answer.type === 'failed' && lines.length === 0) throw new Error(answer.problem.message);
  const rejected = new Set(preview.quarantine.map(({ record }) => record));
  const records = lines.flatMap((line) => {
    const rule = /^the check `(.*)` failed$/s.exec(line.message)?.[1];
    return line.code === 'check_failed' && rule !== undefined && !rejected.has(line.record) ? [{ line, rule }] : [];
  });
  return { records, cut };
}
