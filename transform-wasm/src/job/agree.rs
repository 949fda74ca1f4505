//! Agreeing contracts: from shredding to learning, and the proposal at the end.

use crate::contract::Contract;
use crate::error::Failure;
use crate::learn::Learned;
use crate::propose;
use crate::shred::Learner;

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
        let live: Vec<Contract> = self.live.iter().flatten().cloned().collect();
        if nothing_read && known && live == contracts && !self.options.propose {
            return Ok(Step::Done(self.report.to_text()));
        }
        let spec = propose::spec_text(&self.spec, &contracts, &learned, &self.report.warnings);
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
}
