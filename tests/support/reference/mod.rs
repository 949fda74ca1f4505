//! A plain second implementation of the transform's semantics, to compare the real one with.
//!
//! For: flatten, explode, several tables, learning, names, the value → column table, `drop_nulls`.
//! Not for: expressions, partitions, Parquet, compression, streaming. The decision to know: it holds
//! everything in memory and does everything twice where that is clearer, because its only worth is
//! that it can be checked against the design by reading it.

pub mod convert;
pub mod json;
pub mod learn;
pub mod names;
pub mod rows;

use json::{Value, Wrong};
use learn::{ELEMENT, Learned, Path, Scalar, Seen, child};
use names::Naming;

/// What one table is asked to be.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Table name.
    pub name: String,
    /// Array to explode; with no spec at all the only array of objects is taken, if nothing is nested more deeply.
    pub rows: Rows,
    /// `empty = "keep"`.
    pub keep_empty: bool,
    /// `names`.
    pub naming: Naming,
    /// Declared columns: name, path and type, where declared.
    pub declared: Vec<(String, Path, Option<String>)>,
    /// `mode = "discard"`: unknown paths are dropped, only declared columns come out.
    pub discard: bool,
    /// `numbers = "double"`.
    pub doubles: bool,
    /// Columns whose nulls drop the row.
    pub drop_nulls: Vec<String>,
}

/// Which array a table explodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// None: one record, one row.
    Record,
    /// The one array of objects, if there is exactly one, directly in the record, and nothing is nested more deeply.
    Guess,
    /// This one.
    At(Path),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name in the table.
    pub name: String,
    /// Where its values are.
    pub path: Path,
    /// Type name as in a contract.
    pub ty: String,
}

/// A table with its rows.
#[derive(Clone, Debug)]
pub struct Table {
    /// Name.
    pub name: String,
    /// The exploded array.
    pub rows: Option<Path>,
    /// `empty = "keep"`.
    pub keep_empty: bool,
    /// Columns in contract order.
    pub columns: Vec<Column>,
    /// Columns whose nulls drop the row.
    pub drop_nulls: Vec<String>,
    /// Paths of objects: anything else there rejects its record, columns below or not.
    pub objects: Vec<Path>,
    /// Rows, cells as text.
    pub cells: Vec<Vec<String>>,
    /// Rows taken away.
    pub filtered: u64,
}

/// Everything a source object comes to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Tables in the order asked for.
    pub tables: Vec<Table>,
    /// Numbers (from 1) of rejected records, with a code.
    pub rejected: Vec<(usize, &'static str)>,
    /// Records read.
    pub records: usize,
}

/// Transforms records, each given as its own JSON text.
#[must_use]
pub fn transform(records: &[String], asks: &[Ask]) -> Outcome {
    let mut parsed: Vec<Result<Value, &'static str>> = records.iter().map(|text| record(text)).collect();
    let mut learned = Learned::default();
    let known: Vec<Table> = asks.iter().map(known).collect();
    for value in parsed.iter_mut().flatten() {
        for ask in asks {
            if let Rows::At(path) = &ask.rows {
                rows::lone_element(value, path);
            }
        }
        // One that is rejected whatever is learned decides nothing.
        if known.iter().all(|table| rows::make(value, table).is_ok()) {
            learned.observe(value);
        }
    }
    let exploded: Vec<Path> = asks.iter().filter_map(|ask| ask.exploded(&learned)).collect();
    let mut tables: Vec<Table> = asks.iter().map(|ask| plan(&learned, ask, &exploded)).collect();
    let mut rejected = Vec::new();
    for (at, value) in parsed.iter().enumerate() {
        let made = match value {
            Ok(value) => tables.iter().map(|table| rows::make(value, table)).collect::<Result<Vec<_>, _>>(),
            Err(code) => Err(*code),
        };
        match made {
            Err(code) => rejected.push((at + 1, code)),
            Ok(made) => tables.iter_mut().zip(made).for_each(|(table, made)| table.add(made)),
        }
    }
    Outcome { tables, rejected, records: records.len() }
}

impl Table {
    fn add(&mut self, made: rows::Made) {
        self.cells.extend(made.rows);
        self.filtered += made.filtered;
    }
}

/// One record's text: an object, or the code it is rejected with.
fn record(text: &str) -> Result<Value, &'static str> {
    match json::parse(text) {
        Ok(value) if matches!(value.kind, json::Kind::Object(_)) => Ok(value),
        Ok(_) => Err("not_an_object"),
        Err(Wrong::Value(code)) => Err(code),
        Err(Wrong::Syntax(_)) => Err("syntax_error"),
    }
}

impl Ask {
    fn exploded(&self, learned: &Learned) -> Option<Path> {
        match &self.rows {
            Rows::Record => None,
            Rows::At(path) => Some(path.clone()),
            Rows::Guess => only_array_of_objects(learned),
        }
    }
}

/// What is known of a table before anything is learned.
fn known(ask: &Ask) -> Table {
    let column = |(name, path, ty): &(String, Path, Option<String>)| {
        Some(Column { name: name.clone(), path: path.clone(), ty: ty.clone()? })
    };
    let rows = if let Rows::At(path) = &ask.rows { Some(path.clone()) } else { None };
    let columns = ask.declared.iter().filter_map(column).collect();
    let (name, drop_nulls, objects, cells) = (ask.name.clone(), Vec::new(), Vec::new(), Vec::new());
    Table { name, rows, keep_empty: true, columns, drop_nulls, objects, cells, filtered: 0 }
}

/// The contract for one table: declared columns first, then what was learned. An array that another
/// table explodes is no column here.
fn plan(learned: &Learned, ask: &Ask, exploded: &[Path]) -> Table {
    let rows = ask.exploded(learned);
    let mut columns: Vec<Column> = Vec::new();
    for (name, path, ty) in &ask.declared {
        let learned_type = learned.at(path).and_then(|seen| type_of(seen, ask));
        if let Some(ty) = ty.clone().or(learned_type) {
            columns.push(Column { name: name.clone(), path: path.clone(), ty });
        }
    }
    // Objects above what is declared stay objects, whatever else was seen there.
    let above = |path: &Path| {
        let settled = ask.declared.iter().map(|(_, path, _)| path).chain(&rows);
        settled.into_iter().any(|known| known.len() > path.len() && known.starts_with(path))
    };
    let is_json = |path: &Path| {
        let is_element = path.last().is_some_and(|last| last == ELEMENT);
        !is_element && !above(path) && learned.at(path).is_some_and(Seen::is_mixed)
    };
    let in_json = |path: &Path| (1..path.len()).any(|end| is_json(&path[..end].to_vec()));
    if !ask.discard {
        // Paths only ever seen as null have no column yet, but they hold a name.
        let fresh: Vec<&(Path, Seen)> = learned
            .paths
            .iter()
            .filter(|(path, _)| is_column(path, rows.as_ref()) && !exploded.contains(path) && !in_json(path))
            .filter(|(path, seen)| !seen.object || is_json(path))
            .filter(|(path, _)| !ask.declared.iter().any(|(_, known, _)| known == path))
            .collect();
        let paths: Vec<Path> = fresh.iter().map(|(path, _)| path.clone()).collect();
        for (name, (path, seen)) in names::assign(&paths, ask.naming).into_iter().zip(fresh) {
            columns.extend(type_of(seen, ask).map(|ty| Column { name, path: path.clone(), ty }));
        }
    }
    let objects = learned
        .paths
        .iter()
        .filter(|(path, seen)| seen.object && !ask.discard && is_column(path, rows.as_ref()))
        .filter(|(path, _)| !is_json(path) && !in_json(path));
    let objects = objects.map(|(path, _)| path.clone()).collect();
    let (name, drop_nulls, keep_empty) = (ask.name.clone(), ask.drop_nulls.clone(), ask.keep_empty);
    Table { name, rows, keep_empty, columns, drop_nulls, objects, cells: Vec::new(), filtered: 0 }
}

/// True where a path can be a column: not the record, not the exploded array, not inside other arrays.
fn is_column(path: &Path, rows: Option<&Path>) -> bool {
    let below = rows.and_then(|rows| path.strip_prefix(rows.as_slice()));
    match below {
        Some([]) => false,
        Some([_, rest @ ..]) => !rest.iter().any(|segment| segment == ELEMENT),
        None => !path.is_empty() && !path.iter().any(|segment| segment == ELEMENT),
    }
}

fn type_of(seen: &Seen, ask: &Ask) -> Option<String> {
    if seen.object || seen.array {
        return Some("json".to_owned());
    }
    let as_asked = |scalar: &Scalar| match scalar {
        Scalar::Int53 | Scalar::Int64 if ask.doubles => Scalar::Double,
        other => *other,
    };
    Some(seen.scalars.iter().map(as_asked).reduce(Scalar::join)?.type_name().to_owned())
}

/// The one array of objects, if it is a direct child of the record and nothing beside it is nested more deeply.
fn only_array_of_objects(learned: &Learned) -> Option<Path> {
    let has_objects = |path: &Path| learned.at(&child(path, ELEMENT)).is_some_and(|element| element.object);
    let is_pure = |seen: &Seen| seen.array && !seen.object && seen.scalars.is_empty();
    let outside = |path: &Path| !path.iter().any(|segment| segment == ELEMENT);
    let mut arrays = learned
        .paths
        .iter()
        .filter(|(path, seen)| is_pure(seen) && outside(path))
        .filter(|(path, _)| has_objects(path));
    let (array, _) = arrays.next()?;
    if arrays.next().is_some() || array.len() != 1 {
        return None;
    }
    let elements = levels(learned, &child(array, ELEMENT));
    let mut beside = learned.paths.iter().filter(|(path, _)| path.len() == 1);
    beside.all(|(path, _)| levels(learned, path) <= elements).then(|| array.clone())
}

/// Levels of objects from a path down, arrays left out.
fn levels(learned: &Learned, path: &Path) -> usize {
    let is_object = |path: &[String]| learned.at(path).is_some_and(|seen| seen.object);
    let deep = learned.paths.iter().filter(|(known, _)| known.starts_with(path) && is_object(known));
    let walked = deep.filter(|(known, _)| (path.len()..=known.len()).all(|end| is_object(&known[..end])));
    walked.map(|(known, _)| known.len() - path.len() + 1).max().unwrap_or(0)
}
