//! One pipeline: source → what to do → lake → catalog → notices.
//!
//! Not for the text's form (`read`). The decision to know: what a pipeline does not say is `None` here and
//! gets its default where it is used, so that no default stands in two places.

use std::collections::BTreeMap;

use crate::catalog::Catalog;
use crate::limits::PipelineLimits;
use crate::location::{Address, Location};
use crate::mistake::{At, Wrong};
use crate::stack::{SourceAfter, Trigger};

/// A pipeline without mistakes.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Its name.
    pub name: String,
    /// Where its section begins, for messages.
    pub at: At,
    /// Which objects it takes.
    pub source: SourcePattern,
    /// What it does with them.
    pub told: Told,
    /// Name of the table when the spec names none.
    pub table: Option<String>,
    /// Where the tables are: `<lake>/<table>/…`.
    pub lake: Location,
    /// Whether types may be learned.
    pub contract: ContractWish,
    /// Whether it holds: events are answered and nothing is done.
    pub paused: bool,
    /// Where the tables are registered.
    pub catalog: Catalog,
    /// Who is told.
    pub notify: Notify,
    /// How objects reach the function of a stack.
    pub trigger: Trigger,
    /// Most invocations at once that its queue starts.
    pub max_concurrency: Option<u32>,
    /// How long its queue collects objects.
    pub batch_seconds: Option<u32>,
    /// Seconds within which an object is due.
    pub expect_every: Option<u64>,
    /// What becomes of a source object that is done.
    pub source_after: SourceAfter,
    /// Questions in SQL.
    pub queries: Option<Address>,
    /// Where a copy of an object that failed goes.
    pub failed_copy: Option<Location>,
    /// How objects are written.
    pub output: Output,
    /// What one object may cost.
    pub limits: PipelineLimits,
    /// OpenLineage events.
    pub lineage: Option<Lineage>,
    /// Where the text has its keys: see [`Pipeline::place`].
    pub marks: BTreeMap<&'static str, At>,
}

impl Pipeline {
    /// Where the text has a key such as `lake` or `notify.success`, in the pipeline or among the defaults; the
    /// pipeline's section where it has none.
    pub fn place(&self, key: &str) -> At {
        self.marks.get(key).copied().unwrap_or(self.at)
    }

    /// The name in Glue of a table that is the pipeline's own, such as `<pipeline>_quarantine`, after the prefix of its
    /// tables; `None` where the host registers none there. A catalog's names have no dashes.
    pub fn glue_name(&self, of: &str) -> Option<String> {
        let Catalog::Glue { table_prefix, .. } = &self.catalog else { return None };
        Some(format!("{table_prefix}{}_{of}", self.name.replace('-', "_")))
    }

    /// The tables of its history, where its tables are registered in Glue by the host.
    pub fn history_tables(&self) -> Option<HistoryTables> {
        let Catalog::Glue { database, .. } = &self.catalog else { return None };
        Some(HistoryTables {
            database: database.clone(),
            loads: self.glue_name("loads")?,
            rolled: self.glue_name("loads_rolled")?,
            failures: self.glue_name("failures")?,
        })
    }

    /// The places it writes to, each with its name in the text.
    pub fn outputs(&self) -> impl Iterator<Item = (&'static str, &Location)> {
        let lineage = self.lineage.as_ref().map(|lineage| ("lineage.write_to", &lineage.write_to));
        let failed = self.failed_copy.as_ref().map(|place| ("failed.copy_to", place));
        [("lake", &self.lake)].into_iter().chain(failed).chain(lineage)
    }
}

/// The tables of a pipeline's history in Glue. The host never makes them: whoever deploys it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTables {
    /// Their database.
    pub database: String,
    /// What was loaded.
    pub loads: String,
    /// The same of days that are rolled.
    pub rolled: String,
    /// What failed.
    pub failures: String,
}

/// Which objects a pipeline takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePattern {
    /// Keys start so. In S3 the prefix ends with `/`, or anywhere when it was written with `*`.
    pub location: Location,
    /// Keys end with one of these; none means any.
    pub suffixes: Vec<String>,
}

impl SourcePattern {
    /// How exactly the URI is matched: length of the prefix, then of the suffix; `None` when it is not.
    pub(super) fn fit(&self, uri: &str) -> Option<(usize, usize)> {
        let prefix = self.location.uri();
        let rest = uri.strip_prefix(&prefix)?;
        let suffixes = self.suffixes.iter().filter(|suffix| rest.ends_with(suffix.as_str()));
        let suffix = if self.suffixes.is_empty() { Some(0) } else { suffixes.map(String::len).max() };
        Some((prefix.len(), suffix?))
    }
}

/// What a pipeline does with its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The shipped transform, told by this spec.
    Spec {
        /// Where the spec is.
        address: Address,
    },
    /// The release that a channel points to.
    Channel {
        /// Name of the channel.
        channel: String,
        /// Where releases are.
        registry: Location,
        /// Whose signatures count.
        trust: Vec<PublicKey>,
        /// An older document is not accepted, also by a host that remembers none.
        min_sequence: u64,
        /// An older document than the lake's commits name is accepted from this one on: the registry was restored.
        accept_sequence: Option<u64>,
        /// Private key of the commands that publish and promote; a host never reads it.
        key: Option<Address>,
    },
    /// The shipped transform without a spec: everything is learned.
    Nothing,
}

/// A public key that a configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// A file, read when the host starts.
    File(Address),
    /// The base64 line of such a file.
    Inline(String),
}

/// Whether a pipeline may learn its types from the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContractWish {
    /// The spec declares every type.
    #[default]
    Declared,
    /// The first objects teach them.
    Learn,
}

/// SNS topics: an ARN each, or the name of one of the account and region that the host runs in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notify {
    /// Told once an object is queryable.
    pub success: Option<String>,
    /// Told when an object failed.
    pub failure: Option<String>,
    /// Told when more records were rejected than `quarantine_above`.
    pub quarantine: Option<String>,
    /// See `quarantine`.
    pub quarantine_above: Above,
}

/// A number of records, or a share of an object's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Above {
    /// More than so many.
    Records(u64),
    /// More than this share, from 0 to 1.
    Share(f64),
}

impl Default for Above {
    /// The first rejected record is told: quarantine is not to be found by chance.
    fn default() -> Self {
        Self::Records(0)
    }
}

impl Above {
    /// Whether so many rejected records are to be told.
    pub fn passed(self, rejected: u64, records: u64) -> bool {
        match self {
            Self::Records(most) => rejected > most,
            // Counts beyond 2^53 do not happen.
            #[allow(clippy::cast_precision_loss)]
            Self::Share(share) => rejected as f64 > share * records as f64,
        }
    }

    pub(super) fn records(number: i64) -> Result<Self, Wrong> {
        u64::try_from(number).map(Self::Records).map_err(|_| Self::wrong())
    }

    pub(super) fn parse(text: &str) -> Result<Self, Wrong> {
        let text = text.trim();
        let above = match text.strip_suffix('%') {
            Some(percent) => percent.trim().parse().ok().map(|percent: f64| Self::Share(percent / 100.0)),
            None => text.parse().ok().map(Self::Records),
        };
        let legal = |above: &Self| !matches!(above, Self::Share(share) if !(0.0..=1.0).contains(share));
        above.filter(legal).ok_or_else(Self::wrong)
    }

    fn wrong() -> Wrong {
        Wrong::new("this is neither a share nor a number of records")
            .hint("write \"1%\" or a number of records such as 100")
    }
}

/// How objects are written to S3; a local lake has no use for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The bucket's own default when absent.
    pub encryption: Option<Encryption>,
    /// S3's name of it; `STANDARD` when absent.
    pub storage_class: Option<String>,
}

/// Encryption at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Keys of S3.
    S3,
    /// Keys of KMS.
    Kms {
        /// The account's own key for S3 when absent.
        key: Option<String>,
    },
}

/// OpenLineage run events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lineage {
    /// Below this place.
    pub write_to: Location,
    /// Namespace of the jobs; the lake's URI when absent.
    pub namespace: Option<String>,
}
