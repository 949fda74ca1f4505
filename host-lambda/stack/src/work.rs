//! How much work an object is, from `measured.toml`: what costs and durations are estimated from.
//!
//! Not for prices. The decision to know: there is one model of the work, so that a month's cost and a backfill's duration
//! cannot contradict each other.

use std::collections::BTreeMap;

use serde::Deserialize;

use lakegate_base::{Code, Error, Result};
use lakegate_config::Stack;

const DATA: &str = include_str!("../measured.toml");
/// Memory at which a function has one whole processor: AWS's guide to Lambda, "Configure Lambda function memory".
const WHOLE_PROCESSOR_MIB: f64 = 1_769.0;
pub const GIB: f64 = 1_073_741_824.0;

#[derive(Deserialize)]
struct Data {
    figure: Vec<Figure>,
}

#[derive(Deserialize)]
struct Figure {
    name: String,
    value: f64,
    /// Not measured when absent.
    by: Option<String>,
}

/// Figures of the repository by name.
pub struct Measured(BTreeMap<String, Figure>);

impl Measured {
    /// Reads them.
    ///
    /// # Errors
    /// The file is broken: a fault of this program.
    pub fn read() -> Result<Self> {
        let broken = |error: toml::de::Error| Error::new(Code::Invariant, format!("measured.toml: {error}"));
        let data: Data = toml::from_str(DATA).map_err(broken)?;
        Ok(Self(data.figure.into_iter().map(|figure| (figure.name.clone(), figure)).collect()))
    }

    /// A figure.
    ///
    /// # Errors
    /// There is none: a fault of this program.
    pub fn of(&self, name: &str) -> Result<f64> {
        let missing = || Error::new(Code::Invariant, format!("measured.toml has no {name}"));
        self.0.get(name).map(|figure| figure.value).ok_or_else(missing)
    }

    /// Names of those that nobody measured.
    pub fn assumed(&self) -> Vec<String> {
        self.0.values().filter(|figure| figure.by.is_none()).map(|figure| figure.name.clone()).collect()
    }
}

/// How fast a stack's function is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// Seconds for a byte.
    per_byte: f64,
    /// Seconds for an object, however small.
    per_object: f64,
    /// Seconds in which all objects of an invocation wait for their requests, side by side.
    per_batch: f64,
}

impl Pace {
    /// Of a stack's function, by the slowest input of the benchmark; `learned` where types are, in two passes.
    ///
    /// # Errors
    /// The list of figures is broken.
    pub fn of(stack: &Stack, measured: &Measured, learned: bool) -> Result<Self> {
        let per_gib = if learned { "cpu_seconds_per_gib_learned" } else { "cpu_seconds_per_gib_declared" };
        let share = (f64::from(stack.memory_mib) / WHOLE_PROCESSOR_MIB).min(1.0);
        let waits = measured.of("requests_one_after_the_other")? * measured.of("seconds_a_request_waits")?;
        Ok(Self {
            per_byte: measured.of(per_gib)? / GIB / share,
            per_object: measured.of("cpu_seconds_per_object")? / share,
            per_batch: waits,
        })
    }

    /// Seconds of the function for so much, in so many invocations.
    pub fn seconds(self, objects: f64, batches: f64, bytes: f64) -> f64 {
        objects * self.per_object + batches * self.per_batch + bytes * self.per_byte
    }
}
