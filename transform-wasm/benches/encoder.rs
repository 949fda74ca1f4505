//! Why part files have an encoder of their own: it, and the `parquet` crate's column writer, on the same rows.
//!
//! Not the whole job (`whole.rs`): records are shredded into columns before any clock starts, and for the crate
//! they are laid out row by row beforehand too, with the definition levels that its writer asks for. Both write
//! Snappy, dictionaries, statistics and a page index into memory, in turns, so that a busy machine slows both.
//!
//! `encoder --spec FILE --input FILE` (NDJSON) prints one JSON line: CPU seconds of the best round and bytes of
//! each. It is built for Wasm as well: `--target wasm32-wasip1`, where the clock is the wall's.

use std::error::Error;
use std::sync::Arc;

use lakegate_transform::bench::{
    Codec, Column, Contract, Cursor, DocumentReader, Level, Limits, Next, PartSchema, PartWriter, Plan,
    Scratch, Shredder, Spec, Usual, Values,
};
use lakegate_transform::{Job, Options, Step};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

const ROUNDS: usize = 7;
/// As the job's: raw bytes of a row group.
const GROUP_BYTES: usize = 32 << 20;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The columns of a row group, as the job holds them.
struct Group {
    columns: Vec<(Column, Level)>,
    /// Rows of each record; empty: one each.
    counts: Vec<u32>,
}

/// A column row by row, as the crate's writer takes it.
struct Dense {
    levels: Vec<i16>,
    values: DenseValues,
}

enum DenseValues {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Text(Vec<ByteArray>),
}

fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().collect();
    let argument = |name: &str| -> Outcome<&String> {
        let at = words.iter().position(|word| word == name).ok_or(format!("missing {name}"))?;
        words.get(at + 1).ok_or_else(|| format!("{name} has no value").into())
    };
    let groups =
        groups(&std::fs::read_to_string(argument("--spec")?)?, &std::fs::read(argument("--input")?)?)?;
    let dense: Vec<Vec<Dense>> = groups.iter().map(dense).collect::<Outcome<_>>()?;
    let (mut ours, mut theirs, mut sizes) = (f64::INFINITY, f64::INFINITY, (0, 0));
    for _ in 0..ROUNDS {
        let begun = now();
        sizes.0 = encode(&groups)?;
        ours = ours.min(now() - begun);
        let begun = now();
        sizes.1 = column_writer(&groups, &dense)?;
        theirs = theirs.min(now() - begun);
    }
    println!(
        r#"{{"encoder":{ours:.4},"parquet":{theirs:.4},"encoder_bytes":{},"parquet_bytes":{}}}"#,
        sizes.0, sizes.1
    );
    Ok(())
}

/// Processor seconds of this process.
#[cfg(unix)]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Wall seconds: a sandbox has no other.
#[cfg(not(unix))]
fn now() -> f64 {
    use std::time::{SystemTime, UNIX_EPOCH};
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// The input's rows under its spec, which declares every column.
fn groups(spec_text: &str, input: &[u8]) -> Outcome<Vec<Group>> {
    let failed = |failure: lakegate_transform::Failure| format!("{failure:?}");
    let options = Options { spec: spec_text.to_owned(), ..Options::default() };
    let Step::Widen(widened) = Job::open(options).and_then(|mut job| job.step()).map_err(failed)? else {
        return Err("the spec must declare every column".into());
    };
    let contract = Contract::parse(&widened.contracts.first().ok_or("no contract")?.text).map_err(failed)?;
    let spec = Spec::parse(spec_text).map_err(failed)?;
    let limits = Limits::default();
    let plan =
        Plan::new(&spec.tables, &[contract], Usual { tz_offset_ms: 0, decimal: '.' }).map_err(failed)?;
    let mut shredder = Shredder::new(plan, limits.depth, true);
    let cursor = Cursor { input, complete: true };
    let mut reader = DocumentReader::new(Vec::new(), limits.depth);
    let (mut at, mut groups) = (0, Vec::new());
    while let Next::Record(start) = reader.next(&cursor, &mut at).map_err(|stop| format!("{stop:?}"))? {
        shredder.begin();
        at = shredder.walk(&cursor, start).map_err(|stop| format!("{stop:?}"))?;
        shredder.commit();
        reader.done();
        if shredder.batch.records.is_multiple_of(4096) && raw_bytes(&shredder) >= GROUP_BYTES {
            groups.push(take(&mut shredder));
        }
    }
    groups.push(take(&mut shredder));
    Ok(groups)
}

fn raw_bytes(shredder: &Shredder) -> usize {
    shredder.batch.tables[0].columns.iter().map(Column::raw_bytes).sum()
}

fn take(shredder: &mut Shredder) -> Group {
    let table = &shredder.batch.tables[0];
    let columns = table.columns.iter().cloned().zip(table.levels.iter().copied()).collect();
    let group = Group { columns, counts: table.counts.clone() };
    shredder.batch.clear();
    group
}

/// Bytes of the part file.
fn encode(groups: &[Group]) -> Outcome<usize> {
    let failed = |failure: lakegate_transform::Failure| format!("{failure:?}");
    let columns = &groups.first().ok_or("no rows")?.columns;
    let names: Vec<_> = columns.iter().enumerate().map(|(i, (c, _))| (format!("c{i}"), c.ty())).collect();
    let schema = PartSchema::new(&names).map_err(failed)?;
    let mut part = PartWriter::new(&schema, [], Codec::Snappy);
    let (mut scratch, mut bytes) = (Scratch::new(), 0);
    for group in groups {
        part.begin_row_group();
        for (column, level) in &group.columns {
            let repeats = (*level == Level::Record).then_some(group.counts.as_slice());
            part.write_column(column, repeats, &mut scratch).map_err(failed)?;
        }
        part.end_row_group().map_err(failed)?;
        bytes += std::hint::black_box(part.take_bytes()).iter().map(Vec::len).sum::<usize>();
    }
    part.finish().map_err(failed)?;
    Ok(bytes + part.take_bytes().iter().map(Vec::len).sum::<usize>())
}

/// Bytes of the file that the crate writes.
fn column_writer(groups: &[Group], dense: &[Vec<Dense>]) -> Outcome<usize> {
    let mut message = String::from("message schema {");
    for (i, (column, _)) in groups.first().ok_or("no rows")?.columns.iter().enumerate() {
        let (physical, logical) = match column.values() {
            Values::Boolean(_) => ("BOOLEAN", ""),
            Values::Bigint(_) => ("INT64", ""),
            Values::Timestamp(_) => ("INT64", "(TIMESTAMP(MILLIS,true))"),
            Values::TimestampMicros(_) => ("INT64", "(TIMESTAMP(MICROS,true))"),
            Values::Date(_) => ("INT32", "(DATE)"),
            Values::Double(_) => ("DOUBLE", ""),
            Values::String(_) | Values::Json(_) => ("BYTE_ARRAY", "(UTF8)"),
            Values::Decimal { .. } => return Err("decimals are not compared".into()),
        };
        message += &format!(" OPTIONAL {physical} c{i} {logical};");
    }
    let schema = Arc::new(parse_message_type(&(message + " }"))?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    for columns in dense {
        let mut group = file.next_row_group()?;
        for Dense { levels, values } in columns {
            match values {
                DenseValues::Boolean(values) => write::<BoolType>(&mut group, values, levels)?,
                DenseValues::Int32(values) => write::<Int32Type>(&mut group, values, levels)?,
                DenseValues::Int64(values) => write::<Int64Type>(&mut group, values, levels)?,
                DenseValues::Double(values) => write::<DoubleType>(&mut group, values, levels)?,
                DenseValues::Text(values) => write::<ByteArrayType>(&mut group, values, levels)?,
            }
        }
        group.close()?;
    }
    Ok(std::hint::black_box(file.into_inner()?).len())
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: &[i16],
) -> Outcome<()> {
    let mut column = group.next_column()?.ok_or("the schema has too few columns")?;
    column.typed::<T>().write_batch(values, Some(levels), None)?;
    Ok(column.close()?)
}

/// The columns of a group row by row.
fn dense(group: &Group) -> Outcome<Vec<Dense>> {
    group.columns.iter().map(|(column, level)| dense_column(column, *level, &group.counts)).collect()
}

fn dense_column(column: &Column, level: Level, counts: &[u32]) -> Outcome<Dense> {
    let slots: Vec<usize> = match level {
        Level::Row => (0..column.len()).collect(),
        Level::Record => (0..column.len())
            .flat_map(|slot| std::iter::repeat_n(slot, counts.get(slot).map_or(1, |&count| count as usize)))
            .collect(),
    };
    let levels = slots.iter().map(|&slot| i16::from(column.valid()[slot])).collect();
    let filled = || slots.iter().copied().filter(|&slot| column.valid()[slot] == 1);
    let values = match column.values() {
        Values::Boolean(values) => DenseValues::Boolean(filled().map(|slot| values[slot] == 1).collect()),
        Values::Bigint(values) | Values::Timestamp(values) | Values::TimestampMicros(values) => {
            DenseValues::Int64(filled().map(|slot| values[slot]).collect())
        }
        Values::Date(values) => DenseValues::Int32(filled().map(|slot| values[slot]).collect()),
        Values::Double(values) => DenseValues::Double(filled().map(|slot| values[slot]).collect()),
        Values::String(texts) | Values::Json(texts) => {
            DenseValues::Text(filled().map(|slot| ByteArray::from(texts.get(slot).to_vec())).collect())
        }
        Values::Decimal { .. } => return Err("decimals are not compared".into()),
    };
    Ok(Dense { levels, values })
}
