// A few records through the component, for themselves: what would become of them.
//
// The one decision to know: it is the same job as a file's (`make.ts`), so that the answer is what the lake would say.

import type { Checked, Job } from '../protocol';
import { Failed, make } from './make';
import { rowsOf } from './parts';
import { problemOf, type Transform } from './transform';

/** Rows shown of each table. */
const ROWS = 10;

export async function check(transform: Transform, job: Job): Promise<Checked> {
  try {
    const { report, quarantine, tables } = await make(transform, job, { cancelled: () => false, progress: () => {} });
    const shown = tables.map((table) => ({
      name: table.name,
      columns: table.columns.map(({ name }) => name),
      rows: rowsOf(table, 0, ROWS).columns,
      all: table.rows,
    }));
    return { problem: null, records: report.records, quarantine, tables: shown };
  } catch (thrown) {
    const quarantine = thrown instanceof Failed ? thrown.quarantine : [];
    return { problem: thrown instanceof Failed ? thrown.problem : problemOf(thrown), records: quarantine.length, quarantine, tables: [] };
  }
}
