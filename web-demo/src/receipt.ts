// Two receipts side by side: what a preview promised, and what was made.
//
// The one decision to know: differences are told cause first (input, component, spec, contract), because any of them
// explains all the part files that differ.

import type { Receipt } from './protocol';
import { number, short } from './words';

/** What differs, in sentences; nothing if the two are the same. */
export function differences(promised: Receipt, made: Receipt): string[] {
  const said: string[] = [];
  const compare = (what: string, a: string | undefined, b: string | undefined): void => {
    if (a !== b) said.push(`${what}: ${a ? short(a) : 'none'} previewed, ${b ? short(b) : 'none'} made`);
  };
  compare('another input', promised.input, made.input);
  compare('another component', promised.component, made.component);
  compare('another spec', promised.spec, made.spec);
  for (const table of union(Object.keys(promised.contracts), Object.keys(made.contracts))) {
    compare(`another contract of ${table}`, promised.contracts[table], made.contracts[table]);
  }
  const [mine, theirs] = [byPlace(promised), byPlace(made)];
  for (const place of union([...mine.keys()], [...theirs.keys()])) {
    const [a, b] = [mine.get(place), theirs.get(place)];
    if (!a) said.push(`${place}: not previewed, ${number(b?.rows ?? 0)} rows made`);
    else if (!b) said.push(`${place}: ${number(a.rows)} rows previewed, not made`);
    else if (a.digest !== b.digest) {
      said.push(`${place}: ${a.rows === b.rows ? `${number(a.rows)} rows, other bytes` : `${number(a.rows)} rows previewed, ${number(b.rows)} made`}`);
    }
  }
  return said;
}

function union(a: string[], b: string[]): string[] {
  return [...new Set([...a, ...b])];
}

/** Part files by table and partition; several of one partition are counted. */
function byPlace({ outputs }: Receipt): Map<string, Receipt['outputs'][number]> {
  const found = new Map<string, Receipt['outputs'][number]>();
  for (const output of outputs) {
    let place = `${output.table}/${output.partition}`;
    for (let n = 2; found.has(place); n++) place = `${output.table}/${output.partition} (${n})`;
    found.set(place, output);
  }
  return found;
}
