// Columns between Arrow and the page's reader of Parquet: the same bytes under two names.
//
// Not for values as text (`cells.ts`). The one decision to know: no value is looked at here. What a part file holds and
// what the engine takes are laid out alike, so that nothing can be rounded on the way.

import {
  Binary,
  Bool,
  DataType,
  DateDay,
  Decimal,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  TimestampMillisecond,
  TimestampNanosecond,
  Utf8,
  type Data,
} from 'apache-arrow';

/** A column's values as the reader gives and takes them: a bit for each that is not null (none: all of them), the values, 0 and where each ends. */
export interface Buffers {
  rows: number;
  nulls: number;
  valid: Uint8Array;
  values: Uint8Array;
  ends: Int32Array;
}

/** What a text takes in the engine besides its bytes. */
const TEXT_BYTES = 16;

/** Arrow's type of a layout of the reader's, see `layout.rs`. */
export function typeOf(layout: string): DataType {
  const [, word = '', numbers = ''] = /^(\w+)(?:\((.*)\))?$/.exec(layout) ?? [];
  const [first = 0, second = 0] = numbers.split(',').map(Number);
  switch (word) {
    case 'boolean':
      return new Bool();
    case 'integer':
      return first === 64 ? new Int64() : new Int32();
    case 'float':
      return new Float32();
    case 'double':
      return new Float64();
    case 'date':
      return new DateDay();
    case 'timestamp':
      return first === 3 ? new TimestampMillisecond() : first === 6 ? new TimestampMicrosecond() : new TimestampNanosecond();
    case 'decimal':
      return new Decimal(second, first, 128);
    case 'text':
      return new Utf8();
    default:
      return new Binary();
  }
}

/** The reader's layout of a column of a result; null for what a flat file cannot hold. */
export function layoutOf(type: DataType): string | null {
  if (DataType.isBool(type)) return 'boolean';
  if (DataType.isInt(type)) return `integer(${type.bitWidth},${type.isSigned ? 1 : 0})`;
  if (DataType.isFloat(type)) return type.precision === 1 ? 'float' : 'double';
  if (DataType.isDecimal(type)) return `decimal(${type.precision},${type.scale})`;
  if (DataType.isUtf8(type)) return 'text';
  if (DataType.isBinary(type)) return 'binary';
  if (DataType.isDate(type) && type.unit === 0) return 'date';
  if (DataType.isTime(type) && type.bitWidth === 64 && type.unit === 2) return 'time';
  if (DataType.isTimestamp(type) && type.unit > 0) return type.timezone ? (type.unit === 2 ? 'instant' : null) : `timestamp(${type.unit * 3})`;
  return null;
}

/** A column of a batch for the engine. */
export function dataOf(type: DataType, { rows, nulls, valid, values, ends }: Buffers): Data {
  const common = { type, length: rows, nullCount: nulls, nullBitmap: nulls === 0 ? null : valid };
  // The buffers' own kinds of arrays are made from these by Arrow.
  const props = ends.length > 0 ? { ...common, valueOffsets: ends, data: values } : { ...common, data: values };
  return makeData(props as unknown as Parameters<typeof makeData>[0]) as Data;
}

/** A text that all rows of a batch have. */
export function sameText(rows: number, text: string | null): Buffers {
  const bytes = new TextEncoder().encode(text ?? '');
  const values = new Uint8Array(rows * bytes.length);
  if (bytes.length > 0) for (let row = 0; row < rows; row++) values.set(bytes, row * bytes.length);
  const ends = Int32Array.from({ length: rows + 1 }, (_, row) => row * bytes.length);
  return { rows, nulls: text === null ? rows : 0, valid: new Uint8Array(Math.ceil(rows / 8)), values, ends };
}

/** What a column takes in the engine's memory, about. */
export function bytesOf({ rows, values, ends }: Buffers): number {
  return values.length + (ends.length > 0 ? rows * TEXT_BYTES : 0);
}

/** Batches of these columns as a stream that the engine takes. */
export class Stream {
  private readonly schema: Schema;
  private readonly batches: RecordBatch[] = [];

  constructor(columns: { name: string; type: DataType }[]) {
    this.schema = new Schema(columns.map(({ name, type }) => new Field(name, type, true)));
  }

  add(columns: Buffers[]): void {
    const children = this.schema.fields.map(({ type }, index) => dataOf(type, columns[index] as Buffers));
    const length = columns[0]?.rows ?? 0;
    this.batches.push(new RecordBatch(this.schema, makeData({ type: new Struct(this.schema.fields), length, nullCount: 0, children })));
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return RecordBatchStreamWriter.writeAll(this.batches).toUint8Array(true) as Uint8Array<ArrayBuffer>;
  }
}

/** The values of a column of a result's batch. */
export function buffersOf({ length, nullCount, nullBitmap, values, valueOffsets }: Data): Buffers {
  // Where a type has no such buffer, Arrow has something else in its place.
  const bytes = (array: unknown): Uint8Array => (ArrayBuffer.isView(array) ? new Uint8Array(array.buffer, array.byteOffset, array.byteLength) : new Uint8Array());
  const ends = valueOffsets instanceof Int32Array ? valueOffsets.slice(0, length + 1) : new Int32Array();
  return { rows: length, nulls: nullCount, valid: nullCount === 0 ? new Uint8Array() : bytes(nullBitmap), values: bytes(values), ends };
}
