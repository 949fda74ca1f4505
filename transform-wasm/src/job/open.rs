//! Opening a job: spec and contracts are checked and compiled before any input is read.

use std::collections::VecDeque;
use std::sync::Arc;

use lakegate_model::footer;

use crate::column::{Column, ColumnType};
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn, digest};
use crate::encode::{Codec, PartSchema};
use crate::error::{Code, Failure};
use crate::expr::{Env, Expr, ExprError, SourceEnv};
use crate::extension::Extension;
use crate::learn::Learned;
use crate::names;
use crate::propose;
use crate::report::Report;
use crate::shred::{Learner, Level, Plan, Shredder};
use crate::spec::{DropNulls, Naming, PartCompression, Spec, Table, TypeName};
use crate::value::time::parse_timezone;

use super::decode::Decoder;
use super::parts::{PartTable, Parts};
use super::quarantine::Quarantine;
use super::rows::{ColumnSource, Rows, TableRows, sources};
use super::source::Source;
use super::{Job, Options, Phase, Reader};

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
            if let Some(contract) = &contract {
                propose::check_against_live(table, contract)?;
            }
            live.push(contract);
        }
        let mut learned = Learned::new(&spec.limits);
        if let Some(text) = &options.learned {
            learned.join_text(text)?;
        }
        let mut job = Self {
            max_rejected: spec.max_rejected(),
            source: Source::new(&spec.input),
            decoder: Decoder::new(&spec.limits),
            reader: Reader::Learn(Box::new(Learner::new(learned, spec.limits.depth))),
            rows: None,
            parts: Parts::new(Vec::new(), spec.limits.partitions),
            quarantine: Quarantine::default(),
            report: Report {
                version: 1,
                format: "unknown".into(),
                compression: "none".into(),
                comparable: true,
                ..Report::default()
            },
            queue: VecDeque::new(),
            phase: Phase::Read,
            no_spec,
            tables,
            live,
            spec,
            options,
            extension,
        };
        job.settle()?;
        Ok(job)
    }

    /// Decides between shredding, learning, and saying at once what the spec asks for.
    fn settle(&mut self) -> Result<(), Failure> {
        if self.options.propose || self.options.learned.is_some() {
            return Ok(());
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
            return Ok(());
        }
        let grown = self.contracts_for(None)?;
        if known && (self.options.final_pass || live == grown) {
            return self.begin_shredding(live);
        }
        if settled {
            self.phase = Phase::Agree;
        }
        Ok(())
    }

    fn begin_shredding(&mut self, contracts: Vec<Contract>) -> Result<(), Failure> {
        let tz_offset_ms = self.timezone()?;
        let plan = Plan::new(&self.spec.tables, &contracts, self.spec.limits.columns, tz_offset_ms)?;
        let mut tables = Vec::new();
        let mut part_tables = Vec::new();
        for (t, contract) in contracts.into_iter().enumerate() {
            let rows = self.table_rows(t, contract)?;
            part_tables.push(self.part_table(t, &rows, &plan.tables[t].levels)?);
            tables.push(rows);
        }
        self.rows = Some(Rows { tables });
        self.parts = Parts::new(part_tables, self.spec.limits.partitions);
        let depth = self.spec.limits.depth;
        self.reader = Reader::Shred(Box::new(Shredder::new(plan, depth, self.options.final_pass)));
        Ok(())
    }

    fn timezone(&self) -> Result<i64, Failure> {
        match &self.spec.input.timezone {
            None => Ok(0),
            Some(zone) => parse_timezone(zone)
                .map_err(|why| Failure::spec(Code::SpecInvalid, format!("input.timezone: {why}"))),
        }
    }

    fn source_env(&self) -> SourceEnv {
        let facts = &self.options.source;
        SourceEnv {
            uri: facts.uri.clone(),
            event_time: facts.event_time_ms,
            partitions: facts.partitions.clone(),
        }
    }

    /// Compiles one table's expressions against its contract.
    fn table_rows(&mut self, t: usize, contract: Contract) -> Result<TableRows, Failure> {
        let table = self.spec.tables[t].clone();
        let source = self.source_env();
        let tz_offset_ms = self.timezone()?;
        let all: Vec<(String, ColumnType)> =
            contract.columns.iter().map(|c| (c.name.clone(), c.ty)).collect();
        let env = Env { columns: &all, source: &source, tz_offset_ms };
        let compile =
            |what: &str, sql: &str| Expr::parse(sql, &env).map_err(|e| in_expression(what, sql, &e));
        let mut derives = Vec::new();
        for (i, column) in contract.columns.iter().enumerate() {
            if let Some(sql) = derived_by(&table, column) {
                let what = format!("column `{}`", column.name);
                let expression = compile(&what, sql)?;
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
            partitions.push((partition.name.clone(), partition.ty, compile("partition_by", &partition.sql)?));
        }
        let drop_nulls = drop_columns(&table, &contract)?;
        let extension = self.table_extension(&contract)?;
        let expressions =
            derives.iter().map(|(_, e)| e).chain(&filter).chain(checks.iter().map(|(_, e, _)| e));
        if expressions.chain(partitions.iter().map(|(_, _, e)| e)).any(Expr::uses_source) {
            self.report.comparable = false;
        }
        let in_path = |name: &str| contract.partition_by.iter().any(|p| p.name == name);
        let written = (0..contract.columns.len()).filter(|&i| !in_path(&contract.columns[i].name)).collect();
        Ok(TableRows {
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
        })
    }

    fn part_table(&self, t: usize, rows: &TableRows, read_levels: &[Level]) -> Result<PartTable, Failure> {
        let (table, contract) = (&self.spec.tables[t], &rows.contract);
        let columns: Vec<&ContractColumn> = rows.written.iter().map(|&i| &contract.columns[i]).collect();
        let schema: Vec<(String, ColumnType)> = columns.iter().map(|c| (c.name.clone(), c.ty)).collect();
        let levels = rows.written.iter().map(|&i| match rows.sources[i] {
            ColumnSource::Read(i) => read_levels[i],
            ColumnSource::Replaced(_) | ColumnSource::Made => Level::Row,
        });
        // Where a spec words an expression otherwise than the contract, the spec's made the file.
        let origin = |c: &ContractColumn| match derived_by(table, c) {
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
            levels: levels.collect(),
            columns: columns.iter().map(|c| Column::new(c.ty)).collect(),
            key_values,
            codec: match self.spec.output.compression {
                PartCompression::Snappy => Codec::Snappy,
                PartCompression::None => Codec::None,
            },
        })
    }

    /// The contracts that spec, live contracts and `learned` ask for.
    pub(super) fn contracts_for(&mut self, learned: Option<&Learned>) -> Result<Vec<Contract>, Failure> {
        let nothing = Learned::new(&self.spec.limits);
        let learned = learned.unwrap_or(&nothing);
        let mut contracts = Vec::new();
        for t in 0..self.tables.len() {
            let live = self.live[t].as_ref();
            let proposal = propose::contract(&self.spec, t, &self.tables[t], self.no_spec, live, learned)?;
            for warning in proposal.warnings {
                self.report.warn(warning);
            }
            let mut contract = proposal.contract;
            let (made, partition) = self.made_columns(t, &contract, live)?;
            propose::finish(&mut contract, live, &made, partition);
            contracts.push(contract);
        }
        Ok(contracts)
    }

    /// Derived columns, those of the extension, and partition columns, with the types that they come to.
    fn made_columns(
        &self,
        t: usize,
        contract: &Contract,
        live: Option<&Contract>,
    ) -> Result<(Vec<ContractColumn>, Vec<PartitionColumn>), Failure> {
        let table = &self.spec.tables[t];
        let source = self.source_env();
        let tz_offset_ms = self.timezone()?;
        // What an extension adds comes after what is derived: no derived column can use it.
        let read = contract.columns.iter().filter(|c| !matches!(c.origin, Origin::Transform(_)));
        let mut columns: Vec<(String, ColumnType)> = read.map(|c| (c.name.clone(), c.ty)).collect();
        let mut derived = Vec::new();
        if contract.columns.is_empty() && live.is_none() {
            return Ok((derived, Vec::new()));
        }
        for derive in &table.derives {
            let what = format!("column `{}`", derive.name);
            let env = Env { columns: &columns, source: &source, tz_offset_ms };
            let expression =
                Expr::parse(&derive.sql, &env).map_err(|e| in_expression(&what, &derive.sql, &e))?;
            let ty = derive.ty.map_or_else(|| expression.ty(), |TypeName(ty)| ty);
            // An expression that the contract has already is cast to the type that it has.
            let other =
                |c: &&ContractColumn| c.name == derive.name && c.origin != Origin::Sql(derive.sql.clone());
            let before = live.and_then(|live| live.columns.iter().find(other));
            if let Some(before) = before.filter(|before| before.ty != ty) {
                return Err(propose::derived_type_conflict(&contract.table, before, ty));
            }
            if !columns.iter().any(|(name, _)| name == &derive.name) {
                columns.push((derive.name.clone(), ty));
            }
            derived.push(ContractColumn {
                name: derive.name.clone(),
                ty,
                origin: Origin::Sql(derive.sql.clone()),
            });
        }
        let added = self.added(contract, &derived)?;
        let held = contract.columns.iter().filter(|c| matches!(c.origin, Origin::Transform(_)));
        columns.extend(held.chain(&added).map(|c| (c.name.clone(), c.ty)));
        derived.extend(added);
        let env = Env { columns: &columns, source: &source, tz_offset_ms };
        let mut partition = Vec::new();
        for text in &table.partition_by {
            partition.push(partition_column(text, &env)?);
        }
        Ok((derived, partition))
    }
}

fn partition_column(text: &str, env: &Env<'_>) -> Result<PartitionColumn, Failure> {
    let (expression, name) =
        Expr::parse_aliased(text, env).map_err(|e| in_expression("partition_by", text, &e))?;
    let name = name.filter(|n| names::is_valid(n)).ok_or_else(|| {
        Failure::spec(Code::SpecInvalid, format!("partition_by \"{text}\" needs a name"))
            .hint("write for example \"year(order_date) AS year\"")
    })?;
    let ty = expression.ty();
    if !matches!(ty, ColumnType::String | ColumnType::Date | ColumnType::Bigint | ColumnType::Boolean) {
        return Err(Failure::spec(Code::SpecInvalid, format!("partition_by \"{text}\" is {ty}"))
            .hint("partition by string, date, bigint or boolean; cast it, for example CAST(x AS date)"));
    }
    let sql = match text.to_ascii_lowercase().rfind(" as ") {
        Some(at) if !text[at..].contains(')') => text[..at].trim().to_owned(),
        _ => text.trim().to_owned(),
    };
    Ok(PartitionColumn { name, ty, sql })
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
        Some(DropNulls::All(true)) => Ok((0..contract.columns.len()).collect()),
        Some(DropNulls::Columns(names)) => names
            .iter()
            .map(|name| {
                contract.columns.iter().position(|c| &c.name == name).ok_or_else(|| {
                    Failure::spec(
                        Code::UnknownColumn,
                        format!("drop_nulls names `{name}`, which is no column"),
                    )
                })
            })
            .collect(),
    }
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

/// The SQL that a column is derived with: the spec's, else that of the contract.
fn derived_by<'a>(table: &'a Table, column: &'a ContractColumn) -> Option<&'a str> {
    let Origin::Sql(held) = &column.origin else { return None };
    let told = table.derives.iter().find(|derive| derive.name == column.name);
    Some(told.map_or(held.as_str(), |derive| derive.sql.as_str()))
}

fn in_expression(what: &str, sql: &str, error: &ExprError) -> Failure {
    let mut failure = Failure::spec(Code::SpecInvalid, format!("{what}: {error} of \"{sql}\""));
    failure.hint.clone_from(&error.hint);
    failure
}
