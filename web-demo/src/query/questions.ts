// Questions to ask with one click: those of the examples, and some that any table can answer.
//
// The one decision to know: the examples' questions are read from the files that the demo asks them from, in the same
// form: statements end with `;`, the comment above one is its title. Which of them can be asked the engine decides. What
// counts several times where it is added up, and ids, are never in a sum.

import orders from '../../../tests/examples/orders/queries.sql?raw';
import sales from '../../../tests/examples/sales/queries.sql?raw';
import type { ShownColumn, Table } from '../protocol';
import { identifier } from './tables';

export interface Question {
  title: string;
  sql: string;
}

export const OF_EXAMPLES: Question[] = [sales, orders].flatMap(parse);

export function parse(text: string): Question[] {
  return text.split(/;[ \t]*(?:\n|$)/).flatMap((piece) => {
    const lines = piece.split('\n').filter((line) => line.trim() !== '');
    const title = lines.filter((line) => line.startsWith('--')).map((line) => line.slice(2).trim()).join(' ');
    const sql = lines.filter((line) => !line.startsWith('--')).join('\n');
    return sql === '' ? [] : [{ title, sql }];
  });
}

/** What can be asked of any table, by its columns. */
export function ofTable({ name, columns, contract }: Pick<Table, 'name' | 'columns' | 'contract'>): Question[] {
  // Of a table with a row per element, what belongs to the record stands on each of its rows.
  const repeats = ({ from }: ShownColumn): boolean => Boolean(contract.rows) && from.startsWith('/') && !from.startsWith(`${contract.rows}/`);
  const from = `FROM ${identifier(name)}`;
  const questions = [
    { title: `First rows of ${name}`, sql: `SELECT * ${from}\nLIMIT 100` },
    { title: `Count of ${name}`, sql: `SELECT count(*) AS rows ${from}` },
  ];
  const summed = columns.filter((column) => !repeats(column) && !isId(column));
  const number = summed.find(({ athena }) => /^(double|decimal)/.test(athena)) ?? summed.find(isAmount);
  const words = columns.filter(({ athena, name: column, partition }) => athena === 'string' && !partition && !/(^|_)id$/.test(column));
  const word = words.find(({ name: column }) => !/name|mail|address|text|comment/.test(column)) ?? words[0];
  if (number && word) {
    const by = identifier(word.name);
    questions.push({
      title: `${number.name} by ${word.name}`,
      sql: `SELECT ${by}, sum(${identifier(number.name)}) AS total, count(*) AS rows\n${from} GROUP BY ${by} ORDER BY total DESC, ${by} LIMIT 20`,
    });
  }
  const keys = columns.filter(({ partition }) => partition).map((column) => identifier(column.name)).join(', ');
  if (keys !== '') {
    questions.push({ title: `Rows per partition of ${name}`, sql: `SELECT ${keys}, count(*) AS rows\n${from} GROUP BY ALL ORDER BY ALL` });
  }
  return questions;
}

/** A whole number that may be added up: not an id. */
function isAmount({ athena, name, partition }: ShownColumn): boolean {
  return athena === 'bigint' && !partition && !/(^|_)(year|month|day)$/.test(name);
}

/** A number that names something. */
export function isId({ name }: Pick<ShownColumn, 'name'>): boolean {
  return /(^|_)(id|ids|key|code|number|no|nr|zip)$/.test(name);
}
