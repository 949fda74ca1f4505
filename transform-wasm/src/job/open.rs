//! Opening a job: spec and contracts are checked and compiled before any input is read.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use lakegate_model::footer;
use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, digest};
use crate::encode::{Codec, PartSchema};
use crate::error::{Code, Failure};
use crate::expr::{Env, Expr};
use crate::extension::Extension;
use crate::names;
use crate::names::Naming;
use crate::propose;
use crate::report::Report;
use crate::shred::{Level, Plan, Shredder};
use crate::spec::{DropNulls, Mask, PartCompression, Spec, Table};

use super::extend::TableExtension;
use super::ledger::Ledger;
use super::parts::{PartTable, Parts};
use super::reader::{Reader, Shredding};
use super::replaced::Names;
use super::rows::{ColumnSource, Rows, TableRows, sources};
use super::terms::{Terms, in_expression};
use super::{Job, Options, Phase, masks};

impl Job {
    /// Checks spec and contracts; reads nothing.
    ///
    /// # Errors
    /// Fault `spec` for whatever is wrong with either.
    pub fn open(options: Options) -> Result<Self, Failure> {
        Self::open_any(options, None)
    }

    pub(super) fn open_any(options: Options, extension: Option<Arc<dyn Extension>>) -> Result<Self, Failure> {
        let mut spec = Spec::parse(&options.spec)?;
        let no_spec = spec.tables.is_empty();
        if no_spec {
            spec.tables.push(Table { names: Naming::Leaf, ..Table::default() });
        }
        let tables = table_names(&spec, options.table.as_deref())?;
        let mut live = Vec::new();
        for (name, table) in tables.iter().zip(&spec.tables) {
            let text = options.contracts.iter().find(|c| &c.table == name);
            let contract = text.map(|c| Contract::parse(&c.text)).transpose()?;
            // One that no table can have would end in a crash: two columns of one name, for example.
            contract.as_ref().map_or(Ok(()), Contract::check)?;
            if let Some(contract) = &contract {
                propose::check_against_live(table, contract)?;
            }
            live.push(contract);
        }
        let terms =
            Terms { max_rejected: spec.max_rejected(), spec, no_spec, tables, live, options, extension };
        let mut ledger = Ledger::new(terms.tables.clone(), terms.spec.has_masks());
        let (reader, phase) = match terms.settle(&mut ledger.report)? {
            Settled::Shred(shredding) => (Reader::Shred(shredding), Phase::Read),
            Settled::BySpec => (terms.idle(), Phase::Agree),
            Settled::Not => (terms.learner()?, Phase::Read),
        };
        let decoder = terms.decoder()?;
        Ok(Self { terms, decoder, reader, ledger, queue: VecDeque::new(), phase, failure: None })
    }
}

/// What is known before any input is read.
enum Settled {
    /// All contracts, for good.
    Shred(Box<Shredding>),
    /// All contracts, but the lake has others or none yet.
    BySpec,
    /// The input has to say.
    Not,
}

impl Terms {
    /// Decides between shredding, learning, and saying at once what the spec asks for.
    fn settle(&self, report: &mut Report) -> Result<Settled, Failure> {
        if self.options.propose || self.options.learned.is_some() {
            return Ok(Settled::Not);
        }
        let known = self.live.iter().all(Option::is_some);
        let live: Vec<Contract> = self.live.iter().flatten().cloned().collect();
        if self.options.final_pass && !known {
            return Err(Failure::spec(
                Code::ContractMissing,
                "the final pass needs a contract for every table",
            ));
        }
        let settled = |(table, live): (&Table, &Option<Contract>)| {
            table.is_closed() || (live.is_some() && table.columns.iter().all(|c| c.ty.is_some()))
        };
        let settled = self.spec.tables.iter().zip(&self.live).all(settled);
        if !known && !settled {
            // Expressions may name columns that are still to be learned: they are compiled then.
            return Ok(Settled::Not);
        }
        let grown = self.contracts_for(None, report)?;
        if known && (self.options.final_pass || live == grown) {
            return self.shredding(live, report).map(Box::new).map(Settled::Shred);
        }
        Ok(if settled { Settled::BySpec } else { Settled::Not })
    }

    fn shredding(&self, contracts: Vec<Contract>, report: &mut Report) -> Result<Shredding, Failure> {
        let limits = &self.spec.limits;
        let plan = Plan::new(&self.spec.tables, &contracts, self.usual()?)?;
        let mut tables = Vec::new();
        let mut part_tables = Vec::new();
        for (t, contract) in contracts.into_iter().enumerate() {
            let rows = self.table_rows(t, contract, report)?;
            part_tables.push(self.part_table(t, &rows, &plan.tables[t].levels)?);
            tables.push(rows);
        }
        Ok(Shredding {
            shredder: Shredder::new(plan, limits.depth, self.options.final_pass),
            rows: Rows { tables },
            parts: Parts::new(part_tables, limits.partitions),
        })
    }

    /// Compiles one table's expressions against its contract.
    fn table_rows(&self, t: usize, contract: Contract, report: &mut Report) -> Result<TableRows, Failure> {
        let table = &self.spec.tables[t];
        let source = self.source_env();
        let tz_offset_ms = self.timezone()?;
        let names = Names::new(contract.columns.iter(), table);
        let compile_under = |all: &[(String, ColumnType)], what: &str, sql: &str| {
            let env = Env { columns: all, source: &source, tz_offset_ms };
            let expression = Expr::parse(sql, &env).map_err(|e| in_expression(what, sql, &e))?;
            masks::check_expression(table, all, what, &expression).map(|()| expression)
        };
        let all = names.visible();
        let compile = |what: &str, sql: &str| compile_under(all, what, sql);
        let told = told_derives(table);
        let mut derives = Vec::new();
        for (i, column) in contract.columns.iter().enumerate() {
            if let Some(sql) = derived_by(&told, column) {
                let what = format!("column `{}`", column.name);
                let expression = compile_under(&names.of_derive(&column.name), &what, sql)?;
                let cast =
                    expression.cast_to(text_type(column.ty)).map_err(|e| in_expression(&what, sql, &e))?;
                derives.push((i, cast));
            }
        }
        let filter = table.filter.as_deref().map(|sql| compile("filter", sql)).transpose()?;
        if let Some(filter) = &filter {
            must_be_boolean("filter", filter)?;
        }
        let mut checks = Vec::new();
        for check in &table.checks {
            let expression = compile(&format!("check `{}`", check.name), &check.sql)?;
            must_be_boolean(&format!("check `{}`", check.name), &expression)?;
            checks.push((check.clone(), expression, 0));
        }
        let mut partitions = Vec::new();
        for partition in &contract.partition_by {
            // A contract may say another type than the expression comes to: the path has the contract's.
            let sql = &partition.sql;
            let cast = compile("partition_by", sql)?.cast_to(partition.ty);
            let cast = cast.map_err(|e| in_expression("partition_by", sql, &e))?;
            partitions.push((partition.name.clone(), partition.ty, cast));
        }
        let drop_nulls = drop_columns(table, &contract)?;
        let extension = self.extension.as_ref().map(|e| TableExtension::bind(e, &contract)).transpose()?;
        let in_path = |name: &str| contract.partition_by.iter().any(|p| p.name == name);
        let is_written = |column: &ContractColumn| !column.hidden && !in_path(&column.name);
        let written = (0..contract.columns.len()).filter(|&i| is_written(&contract.columns[i])).collect();
        let rows = TableRows {
            digest: digest(contract.to_text().as_bytes()),
            sources: sources(&contract, extension.as_ref()),
            written,
            derives,
            extension,
            filter,
            drop_nulls,
            checks,
            partitions,
            made: 0,
            out: 0,
            filtered: 0,
            contract,
        };
        report.comparable &= !rows.expressions().any(Expr::uses_source);
        Ok(rows)
    }

    fn part_table(&self, t: usize, rows: &TableRows, read_levels: &[Level]) -> Result<PartTable, Failure> {
        let (table, contract) = (&self.spec.tables[t], &rows.contract);
        let columns: Vec<&ContractColumn> = rows.written.iter().map(|&i| &contract.columns[i]).collect();
        let schema: Vec<(String, ColumnType)> = columns.iter().map(|c| (c.name.clone(), c.ty)).collect();
        let level = |i: usize| match rows.sources[i] {
            ColumnSource::Read(i) => read_levels[i],
            ColumnSource::Replaced(_) | ColumnSource::Made => Level::Row,
        };
        // Where a spec words an expression otherwise than the contract, the spec's made the file.
        let told = told_derives(table);
        let origin = |c: &ContractColumn| match derived_by(&told, c) {
            Some(sql) => Origin::Sql(sql.to_owned()),
            None => c.origin.clone(),
        };
        let origins: Vec<(&str, Origin)> = columns.iter().map(|c| (c.name.as_str(), origin(c))).collect();
        let mut key_values = self.options.footer.clone();
        key_values.push((footer::SPEC.into(), digest(self.options.spec.as_bytes())));
        key_values.push((footer::CONTRACT.into(), rows.digest.clone()));
        let origins = footer::origins_text(origins.iter().map(|(name, origin)| (*name, origin)));
        key_values.push((footer::POINTERS.into(), origins));
        Ok(PartTable {
            name: contract.table.clone(),
            schema: PartSchema::new(&schema)?,
            columns: rows.written.iter().map(|&i| (level(i), contract.columns[i].ty)).collect(),
            key_values: key_values.into(),
            codec: match self.spec.output.compression {
                PartCompression::Snappy => Codec::Snappy,
                PartCompression::None => Codec::None,
            },
        })
    }
}

fn table_names(spec: &Spec, given: Option<&str>) -> Result<Vec<String>, Failure> {
    if let [table] = spec.tables.as_slice() {
        let name = given.or(table.name.as_deref()).ok_or_else(|| {
            Failure::spec(Code::TableMissing, "the table has no name")
                .hint("give --table, or name in [[table]]")
        })?;
        if !names::is_valid(name) {
            let better = names::snake_case(name).unwrap_or_else(|| "a_name".into());
            return Err(Failure::spec(Code::SpecInvalid, format!("`{name}` is no table name"))
                .hint(format!("lower-case letters, digits and _ only: `{better}`")));
        }
        return Ok(vec![name.to_owned()]);
    }
    Ok(spec.tables.iter().filter_map(|t| t.name.clone()).collect())
}

fn drop_columns(table: &Table, contract: &Contract) -> Result<Vec<usize>, Failure> {
    match &table.drop_nulls {
        None | Some(DropNulls::All(false)) => Ok(Vec::new()),
        // What is not written, or never has a value, says nothing of a row.
        Some(DropNulls::All(true)) => {
            let counts = |column: &ContractColumn| !column.hidden && !is_blank(table, &column.name);
            Ok((0..contract.columns.len()).filter(|&i| counts(&contract.columns[i])).collect())
        }
        Some(DropNulls::Columns(names)) => names
            .iter()
            .map(|name| {
                if is_blank(table, name) {
                    let message =
                        format!("drop_nulls names `{name}`, which is masked: each row would be dropped");
                    return Err(Failure::spec(Code::SpecInvalid, message).hint("leave it out of drop_nulls"));
                }
                contract.columns.iter().rposition(|c| &c.name == name).ok_or_else(|| {
                    Failure::spec(
                        Code::UnknownColumn,
                        format!("drop_nulls names `{name}`, which is no column"),
                    )
                })
            })
            .collect(),
    }
}

/// Whether a column has no value that may be seen.
fn is_blank(table: &Table, name: &str) -> bool {
    matches!(masks::mask(table, name), Some(Mask::Null | Mask::Drop))
}

fn must_be_boolean(what: &str, expression: &Expr) -> Result<(), Failure> {
    if expression.ty() == ColumnType::Boolean {
        return Ok(());
    }
    Err(Failure::spec(Code::SpecInvalid, format!("{what} is {}, but must be a condition", expression.ty()))
        .hint("compare it with something, for example price > 0"))
}

/// The type an expression is cast to: JSON text is text.
fn text_type(ty: ColumnType) -> ColumnType {
    if ty == ColumnType::Json { ColumnType::String } else { ty }
}

/// The spec's SQL of each column that it derives.
fn told_derives(table: &Table) -> BTreeMap<&str, &str> {
    tree(table.derives.iter().map(|derive| (derive.name.as_str(), derive.sql.as_str())))
}

/// The SQL that a column is derived with: the spec's, else that of the contract.
fn derived_by<'a>(told: &BTreeMap<&str, &'a str>, column: &'a ContractColumn) -> Option<&'a str> {
    let Origin::Sql(held) = &column.origin else { return None };
    Some(told.get(column.name.as_str()).copied().unwrap_or(held))
}
