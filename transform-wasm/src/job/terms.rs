//! What a job was told, read and checked: it stays the same until the job is over.
//!
//! For: the contracts that all of it asks for. Not for: compiling agreed ones (`open`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use lakegate_model::tree;

use crate::column::ColumnType;
use crate::contract::{Contract, ContractColumn, Origin, PartitionColumn};
use crate::error::{Code, Failure};
use crate::expr::{Env, Expr, ExprError, SourceEnv};
use crate::extension::Extension;
use crate::learn::Learned;
use crate::names;
use crate::propose;
use crate::report::Report;
use crate::reshape::{Conflict, Reshape};
use crate::shred::{Learner, Plan, Scope, Shredder, Usual};
use crate::spec::{MaxRejected, Mode, Spec, Table, TypeName};
use crate::value::time::parse_timezone;

use super::decode::Decoder;
use super::reader::Reader;
use super::replaced::Names;
use super::{Options, extend, masks};

/// Spec, contracts and facts.
pub struct Terms {
    /// The spec; a table that takes everything where it has none.
    pub spec: Spec,
    /// It had none.
    pub no_spec: bool,
    /// Names of the tables, by number.
    pub tables: Vec<String>,
    /// Live contracts of the same tables.
    pub live: Vec<Option<Contract>>,
    /// The bound on rejected records.
    pub max_rejected: MaxRejected,
    /// Everything as it was given.
    pub options: Options,
    /// The function that works on the rows.
    pub extension: Option<Arc<dyn Extension>>,
}

impl Terms {
    /// A tree that knows nothing yet.
    pub fn nothing_learned(&self) -> Learned {
        let most_keys = self.spec.tables.iter().map(Table::most_keys).max();
        Learned::new(&self.spec.limits).with_most_keys(most_keys.unwrap_or(usize::MAX))
    }

    /// A reader that only learns.
    ///
    /// # Errors
    /// Those of the columns that are known already.
    pub fn learner(&self) -> Result<Reader, Failure> {
        let scope = Scope::new(&self.spec.tables, &self.live, self.no_spec);
        let depth = self.spec.limits.depth;
        let learner = Learner::new(self.nothing_learned(), scope, self.judge()?, depth);
        Ok(Reader::Learn(Box::new(learner)))
    }

    /// A reader for a job that reads nothing.
    pub fn idle(&self) -> Reader {
        let scope = Scope::new(&[], &[], false);
        Reader::Learn(Box::new(Learner::new(self.nothing_learned(), scope, None, self.spec.limits.depth)))
    }

    /// Who rejects the records that no learned type could save: under the columns whose types are known already. A
    /// record that it rejects decides nothing.
    fn judge(&self) -> Result<Option<Shredder>, Failure> {
        let mut known = Vec::new();
        let nothing = Learned::new(&self.spec.limits);
        for (t, table) in self.spec.tables.iter().enumerate() {
            known.push(propose::known(table, &self.tables[t], self.live[t].as_ref(), &nothing));
        }
        if known.iter().all(|contract| contract.columns.is_empty() && contract.rows.is_none()) {
            return Ok(None);
        }
        // What is not known yet is nothing to reject a record for.
        let lenient = |table: &Table| Table { mode: Mode::Discard, ..table.clone() };
        let tables: Vec<Table> = self.spec.tables.iter().map(lenient).collect();
        let plan = Plan::new(&tables, &known, self.usual()?)?;
        Ok(Some(Shredder::new(plan, self.spec.limits.depth, true)))
    }

    /// Reads the input as the spec's `[input]` and the live contracts say.
    ///
    /// # Errors
    /// Fault `spec`: paths that cannot be had together.
    pub fn decoder(&self) -> Result<Decoder, Failure> {
        let mut input = self.spec.input.clone();
        if input.records.is_none() {
            input.records = self.records().map(str::to_owned);
        }
        let finds_records = self.no_spec && self.live.iter().all(Option::is_none);
        let reshape = Reshape::new(&self.spec)
            .map_err(|Conflict { key, message }| Spec::mistake(&self.options.spec, key, message))?;
        Ok(Decoder::new(input, &self.spec.limits, finds_records, reshape))
    }

    /// The path to the records that the live contracts have, where the spec tells none.
    pub fn records(&self) -> Option<&str> {
        self.live.iter().flatten().find_map(|live| live.records.as_deref())
    }

    /// Offset of zone-less timestamps, in milliseconds.
    pub fn timezone(&self) -> Result<i64, Failure> {
        match &self.spec.input.timezone {
            None => Ok(0),
            Some(zone) => parse_timezone(zone)
                .map_err(|why| Failure::spec(Code::SpecInvalid, format!("input.timezone: {why}"))),
        }
    }

    /// What the input says of every value.
    ///
    /// # Errors
    /// Fault `spec`: its timezone is none.
    pub fn usual(&self) -> Result<Usual, Failure> {
        Ok(Usual { tz_offset_ms: self.timezone()?, decimal: self.spec.input.decimal })
    }

    /// What expressions may ask about the source object.
    pub fn source_env(&self) -> SourceEnv {
        let facts = &self.options.source;
        SourceEnv {
            uri: facts.uri.clone(),
            event_time: facts.event_time_ms,
            load_time: facts.loaded_ms,
            name: facts.name.clone(),
            size: facts.bytes,
            partitions: facts.partitions.clone(),
        }
    }

    /// The contracts that spec, live contracts and `learned` ask for.
    ///
    /// # Errors
    /// They cannot be had together: a conflict, an expression that fits no column, too many columns.
    pub fn contracts_for(
        &self,
        learned: Option<&Learned>,
        report: &mut Report,
    ) -> Result<Vec<Contract>, Failure> {
        let nothing = Learned::new(&self.spec.limits);
        let mut learned = Cow::Borrowed(learned.unwrap_or(&nothing));
        if self.live.iter().any(Option::is_some) && learned.records.is_some() && self.records().is_none() {
            // The contract was agreed with one record where this found many.
            learned.to_mut().as_one_record()?;
        }
        let mut contracts = Vec::new();
        for t in 0..self.tables.len() {
            let live = self.live[t].as_ref();
            let intent = propose::Intent { no_spec: self.no_spec, propose: self.options.propose };
            let proposal = propose::contract(&self.spec, t, &self.tables[t], intent, live, &learned);
            report.warn_all(proposal.warnings);
            let mut contract = proposal.contract;
            let (made, partition) = self.made_columns(t, &contract, live)?;
            propose::finish(&mut contract, live, &made, partition);
            if live != Some(&contract) {
                propose::check_width(&contract, self.spec.limits.columns)?;
                contract.check()?;
            }
            contracts.push(contract);
        }
        masks::check(&self.spec.tables, &contracts)?;
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
        let mut names = Names::new(read, table);
        let mut derived = Vec::new();
        if contract.columns.is_empty() && live.is_none() {
            return Ok((derived, Vec::new()));
        }
        let before: BTreeMap<&str, &ContractColumn> =
            tree(live.iter().flat_map(|live| &live.columns).map(|column| (column.name.as_str(), column)));
        for derive in &table.derives {
            let what = format!("column `{}`", derive.name);
            let columns = names.of_derive(&derive.name);
            let env = Env { columns: &columns, source: &source, tz_offset_ms };
            let expression =
                Expr::parse(&derive.sql, &env).map_err(|e| in_expression(&what, &derive.sql, &e))?;
            masks::check_expression(table, &columns, &what, &expression)?;
            let ty = derive.ty.map_or_else(|| expression.ty(), |TypeName(ty)| ty);
            // An expression that the contract has already is cast to the type that it has.
            let other = before.get(derive.name.as_str()).filter(|c| c.origin.sql() != Some(&derive.sql));
            if let Some(before) = other.filter(|before| before.ty != ty) {
                return Err(propose::derived_type_conflict(&contract.table, before, ty));
            }
            if !names.has(&derive.name) {
                names.push(derive.name.clone(), ty);
            }
            derived.push(ContractColumn {
                name: derive.name.clone(),
                ty,
                origin: Origin::Sql(derive.sql.clone()),
                hidden: false,
            });
        }
        let added = match &self.extension {
            Some(extension) => extend::added(extension.as_ref(), contract, &derived)?,
            None => Vec::new(),
        };
        let held = contract.columns.iter().filter(|c| matches!(c.origin, Origin::Transform(_)));
        held.chain(&added).for_each(|column| names.push(column.name.clone(), column.ty));
        derived.extend(added);
        let columns = names.visible();
        let env = Env { columns, source: &source, tz_offset_ms };
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

/// An expression that is wrong.
pub fn in_expression(what: &str, sql: &str, error: &ExprError) -> Failure {
    let mut failure = Failure::spec(Code::SpecInvalid, format!("{what}: {error} of \"{sql}\""));
    failure.hint.clone_from(&error.hint);
    failure
}
