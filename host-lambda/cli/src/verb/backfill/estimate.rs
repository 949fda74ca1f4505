//! How long a distributed backfill may take and what it may cost, before it begins.
//!
//! Not for what it took. The decision to know: whatever is assumed is said beside the number, and errs on the side of
//! too long: the slowest way of BENCH.md, and every call to S3 one after the other.

use crate::show::render::number;
use lakegate_base::Error;
use lakegate_config::Stack;
use lakegate_stack::{Measured, Pace, Prices};
use serde_json::{Value, json};

/// State transitions of a batch: its start, its one state, its end.
const TRANSITIONS: f64 = 3.0;

/// How fast the stack's function is where types are learned: the slower way.
///
/// # Errors
/// The list of figures is broken.
pub(super) fn pace(stack: &Stack) -> Result<Pace, Error> {
    Pace::of(stack, &Measured::read()?, true)
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) objects: u64,
    pub(super) bytes: u64,
    pub(super) batches: u64,
    /// Batches at once.
    pub(super) at_once: u32,
}

/// What it may come to.
pub(super) struct Estimate {
    pub(super) minutes: f64,
    pub(super) dollars: f64,
    /// What was assumed.
    assumed: String,
    /// Prices that nobody looked up.
    unread: Vec<String>,
}

impl Estimate {
    /// Of some work by a stack's function.
    ///
    /// # Errors
    /// The list of prices is broken.
    pub(super) fn of(stack: &Stack, work: Work) -> Result<Self, Error> {
        let (prices, measured) = (Prices::read()?, Measured::read()?);
        let memory = format!("lambda_gib_second_{}", stack.architecture.name());
        let works = pace(stack)?.seconds(work.objects as f64, work.objects as f64, work.bytes as f64);
        let writes = measured.of("s3_writes_per_object")?;
        let reads = measured.of("s3_reads_per_object")?;
        let (objects, batches) = (work.objects as f64, work.batches as f64);
        let parts = [
            (memory.as_str(), works * f64::from(stack.memory_mib) / 1_024.0),
            ("lambda_request", batches),
            ("step_functions_transition", batches * TRANSITIONS),
            ("s3_write", objects * writes),
            ("s3_read", objects * reads),
        ];
        let (mut dollars, mut unread) = (0.0, Vec::new());
        for (name, units) in parts {
            let price = prices.of(name)?;
            dollars += price.dollars * units;
            if price.source.is_none() {
                unread.push(name.to_owned());
            }
        }
        let lanes = work.batches.min(u64::from(work.at_once)).max(1);
        let assumed = format!(
            "the slowest way of BENCH.md, {} MiB on {}, prices of {}; not measured: {}",
            number(u64::from(stack.memory_mib)),
            stack.architecture.name(),
            prices.region,
            measured.assumed().join(", ")
        );
        Ok(Self { minutes: works / lanes as f64 / 60.0, dollars, assumed, unread })
    }

    /// `about 12 minutes and $1.30`.
    pub(super) fn text(&self) -> String {
        let minutes = match self.minutes.ceil() as u64 {
            0 | 1 => "a minute".to_owned(),
            minutes => format!("{} minutes", number(minutes)),
        };
        let dollars =
            if self.dollars < 0.01 { "less than $0.01".to_owned() } else { format!("${:.2}", self.dollars) };
        format!("about {minutes} and {dollars}")
    }

    /// What it rests on.
    pub(super) fn assumptions(&self) -> String {
        match &self.unread[..] {
            [] => self.assumed.clone(),
            some => format!("{}; not looked up: {}", self.assumed, some.join(", ")),
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "minutes": (self.minutes * 100.0).round() / 100.0,
            "dollars": (self.dollars * 10_000.0).round() / 10_000.0,
            "assumed": self.assumptions(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakegate_config::{Config, Origin};

    fn estimate(work: Work) -> Estimate {
        let text = "[stack]\nname = \"shop\"\nmemory_mib = 1769\narchitecture = \"x86_64\"\n[pipeline.orders]\nsource = \"s3://raw/in/\"\ntable = \"orders\"\nlake = \"s3://lake/\"\ncontract = \"learn\"\n";
        let origin = Origin::Inline { text: text.to_owned(), folder: "/".into() };
        let stack = Config::parse(text, &origin).unwrap().stack.unwrap();
        Estimate::of(&stack, work).unwrap()
    }

    #[test]
    fn more_at_once_is_sooner_and_costs_the_same() {
        let work = Work { objects: 10_000, bytes: 56_000_000_000, batches: 100, at_once: 1 };
        let (alone, ten) = (estimate(work), estimate(Work { at_once: 10, ..work }));
        assert!((alone.minutes - (949.2 + 1990.0) / 60.0).abs() < 0.01, "{}", alone.minutes);
        assert!((ten.minutes - alone.minutes / 10.0).abs() < 0.01);
        assert!(
            (ten.dollars - alone.dollars).abs() < 1e-9 && ten.dollars > 0.1 && ten.dollars < 1.0,
            "{}",
            ten.dollars
        );
        assert_eq!(ten.text(), format!("about 5 minutes and ${:.2}", ten.dollars));
    }

    #[test]
    fn what_nobody_looked_up_is_said() {
        let small = estimate(Work { objects: 1, bytes: 1, batches: 1, at_once: 10 });
        assert_eq!(small.text(), "about a minute and less than $0.01");
        assert!(small.assumptions().contains("not looked up: lambda_request"), "{}", small.assumptions());
        assert!(small.json()["assumed"].as_str().unwrap().contains("BENCH.md"));
    }
}
