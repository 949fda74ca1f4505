// What a spec can be begun from: whole specs of the examples, and pieces that fit the file at hand.
//
// Not for what a spec means (the transform says). The one decision to know: pieces name the columns of the preview, so
// that each of them is a spec that runs.

import orders from '../../../tests/examples/orders/transform.toml?raw';
import tables from '../../../tests/examples/orders-contract/transform.toml?raw';
import sales from '../../../tests/examples/sales/transform.toml?raw';
import type { Table } from '../protocol';
import { isId } from '../query/questions';

export interface Start {
  group: 'Add to this spec' | 'Begin with another';
  title: string;
  /** The spec after it, from the spec before it. */
  apply: (spec: string) => string;
}

const WHOLE: Start[] = (
  [
    ['Sales: declared types, a derived amount, a partition each day', sales],
    ['Orders: a row for each product, new fields become columns', orders],
    ['Orders: two tables, checks, nothing unexpected gets in', tables],
  ] as const
).map(([title, text]) => ({ group: 'Begin with another', title, apply: () => text }));

/** What can be begun from, given the first table of the preview. */
export function starts(table: Table | undefined): Start[] {
  return [...(table ? pieces(table) : []), ...WHOLE];
}

function pieces({ columns }: Table): Start[] {
  const inFile = columns.filter(({ partition }) => !partition);
  const first = (pattern: RegExp): string | undefined => inFile.find(({ athena }) => pattern.test(athena))?.name;
  const add = (title: string, apply: (spec: string) => string): Start => ({ group: 'Add to this spec', title, apply });
  const found: Start[] = [];
  const day = first(/^date$/);
  const moment = first(/^timestamp$/);
  // A text that is likely to have few values; an id would make a part file of each row.
  const text = inFile.find(({ athena, name }) => athena === 'string' && /date|day|month|year|country|region|city|category|status|type/.test(name))?.name;
  const inPath = columns.some(({ partition }) => partition);
  // What names something is no amount: nobody doubles an id, or checks its sign.
  const amounts = inFile.filter((column) => !isId(column));
  const amount = (amounts.find(({ athena }) => /^(double|decimal)/.test(athena)) ?? amounts.find(({ athena }) => athena === 'bigint'))?.name;
  const any = inFile[0]?.name;
  if (day && !inPath) found.push(add(`Partition by the date ${day}`, inTable(`partition_by = ["${day}"]`)));
  if (moment && !inPath) found.push(add(`Partition by the day of ${moment}`, inTable(`partition_by = ["date_trunc('day', ${moment}) AS ${moment}_day"]`)));
  if (!day && !moment && text && !inPath) found.push(add(`Partition by ${text}`, inTable(`partition_by = ["${text}"]`)));
  if (amount) {
    found.push(add(`Derive a column from ${amount}`, atEnd(`[[table.derive]]\nname = "${amount}_twice"\nsql = "${amount} * 2"`)));
    found.push(add(`Check that ${amount} is not negative`, atEnd(`[[table.check]]\nname = "${amount}_not_negative"\nsql = "${amount} >= 0"\non_fail = "reject"`)));
  }
  if (any) {
    found.push(add(`Keep only rows with a value in ${any}`, inTable(`filter = "${any} IS NOT NULL"`)));
    found.push(add('Reject records with unknown fields', inTable('mode = "freeze"')));
  }
  return found;
}

/** Sets a key of the first table; another value of it goes. */
function inTable(line: string): (spec: string) => string {
  const key = line.split(' ')[0];
  return (spec) => {
    const lines = spec.split('\n');
    const head = lines.findIndex((one) => /^\s*\[\[table\]\]/.test(one));
    if (head < 0) return `${spec.trimEnd()}\n\n[[table]]\n${line}\n`.trimStart();
    const end = lines.findIndex((one, index) => index > head && /^\s*\[/.test(one));
    const section = lines.slice(head + 1, end < 0 ? undefined : end).filter((one) => !new RegExp(`^\\s*#?\\s*${key}\\s*=`).test(one));
    const last = section.findLastIndex((one) => one.trim() !== '');
    section.splice(last + 1, 0, line);
    return [...lines.slice(0, head + 1), ...section, ...(end < 0 ? [] : lines.slice(end))].join('\n');
  };
}

function atEnd(section: string): (spec: string) => string {
  return (spec) => `${spec.trimEnd()}\n\n${section}\n`.trimStart();
}
