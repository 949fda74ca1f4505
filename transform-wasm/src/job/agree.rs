//! Agreeing contracts: from shredding to learning, and the proposal at the end.

use crate::contract::Contract;
use crate::error::{Code, Failure};
use crate::learn::{Kinds, Learned};
use crate::propose;
use crate::report::Warning;
use crate::shred::Learner;
use crate::spec::Mode;

use super::parts::Parts;
use super::{Job, Phase, Reader, Step, TableContract, Widened};

impl Job {
    /// A path is new: all that was made is void, and the rest of the input is only learned from.
    pub(super) fn begin_learning(&mut self) -> Result<(), Failure> {
        let learned = Learned::new(&self.spec.limits);
        self.reader = Reader::Learn(Box::new(Learner::new(learned, self.spec.limits.depth)));
        self.renew_csv();
        self.rows = None;
        self.parts = Parts::new(Vec::new(), self.spec.limits.partitions);
        self.queue.clear();
        self.quarantine.clear();
        self.report.rejected = 0;
        self.report.rejects.clear();
        Ok(())
    }

    /// Ends the job with the contracts it asks for.
    pub(super) fn widen(&mut self) -> Result<Step, Failure> {
        let agreed_by_spec = self.phase == Phase::Agree;
        self.phase = Phase::Over;
        let learned = match &self.reader {
            Reader::Learn(learner) => learner.learned.clone(),
            Reader::Shred(_) => Learned::new(&self.spec.limits),
        };
        let nothing_read = self.report.records == 0 && !agreed_by_spec;
        let known = self.live.iter().all(Option::is_some);
        if nothing_read && (self.options.learned.is_none() && !self.options.propose) {
            return Ok(Step::Done(self.report.to_text()));
        }
        let contracts = self.contracts_for(Some(&learned))?;
        if self.report.records > 0 {
            self.check_columns(&contracts)?;
            self.hint_at_records(&learned);
        }
        let live: Vec<Contract> = self.live.iter().flatten().cloned().collect();
        if nothing_read && known && live == contracts && !self.options.propose {
            return Ok(Step::Done(self.report.to_text()));
        }
        let spec = propose::spec_text(&self.spec, &contracts, &self.report.warnings);
        Ok(Step::Widen(Widened {
            contracts: contracts
                .iter()
                .map(|c| TableContract { table: c.table.clone(), text: c.to_text() })
                .collect(),
            spec,
            learned: learned.to_text(),
            report: self.report.to_text(),
        }))
    }

    /// A table needs a column.
    fn check_columns(&self, contracts: &[Contract]) -> Result<(), Failure> {
        for (contract, table) in contracts.iter().zip(&self.spec.tables) {
            if !contract.columns.is_empty() {
                continue;
            }
            let name = &contract.table;
            if table.mode != Mode::Evolve {
                return Err(Failure::spec(
                    Code::NoColumns,
                    format!("table `{name}` takes no new paths, but no column is declared"),
                )
                .hint("declare its columns, for example with lakegate init, or let it evolve"));
            }
            if self.report.rejected == self.report.records {
                return Err(self.too_many_rejected());
            }
            return Err(Failure::input(
                Code::NoColumns,
                format!("no record has a value, so table `{name}` has no columns"),
            )
            .hint("null and empty objects make no columns"));
        }
        Ok(())
    }

    /// One record that is only a wrapper around an array: its elements may be the records.
    fn hint_at_records(&mut self, learned: &Learned) {
        if self.report.records != 1 || self.spec.input.records.is_some() || learned.nodes[0].keys.len() != 1 {
            return;
        }
        let Some((key, node)) = learned.nodes[0].keys.iter().next() else { return };
        if learned.nodes[node as usize].kinds.any(Kinds::ARRAY_OF_OBJECTS) {
            let key = String::from_utf8_lossy(key).into_owned();
            self.report.warn(Warning::new(
                "records_below_path",
                format!("the input is one record with the one array `{key}`: to read its elements as records, set records = \"{key}\" in [input]"),
            ));
        }
    }
}
