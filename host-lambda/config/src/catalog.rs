//! `[pipeline.NAME.catalog]`: where tables are registered, and how Athena finds their partitions.
//!
//! Not for calling Glue. The decision to know: partition projection is declared per partition column and is
//! checked for what Athena would refuse only at query time, when nobody looks at this file.

use std::collections::BTreeMap;

use crate::keys::{Kind as Of, PROJECTION};
use crate::mistake::Wrong;
use crate::names;
use crate::section::Section;

/// Where a pipeline's tables are registered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Catalog {
    /// Nowhere.
    #[default]
    None,
    /// In Glue, table and partitions, by the host itself.
    Glue {
        /// Database.
        database: String,
        /// Before the names of the tables.
        table_prefix: String,
        /// Partition projection, by partition column.
        projection: BTreeMap<String, Projection>,
        /// Table of what the pipeline rejected.
        quarantine: QuarantineTable,
    },
    /// By a Glue crawler, which is started.
    Crawler {
        /// Its name.
        crawler: String,
        /// Database that a stack's crawler makes its tables in; named by the stack when absent.
        database: Option<String>,
        /// Who starts it.
        start: CrawlerStart,
        /// Whether the notice waits for it.
        wait: Wait,
    },
}

/// The Glue table of a pipeline's rejected records. A crawler makes one by itself, of what it finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum QuarantineTable {
    /// `<pipeline>_quarantine`, after the prefix of tables.
    #[default]
    OfPipeline,
    /// This one.
    Named(String),
    /// None.
    None,
}

/// Who starts a crawler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CrawlerStart {
    /// The host, once it has published.
    #[default]
    Published,
    /// The event of a part file that arrived in the lake.
    Arrival,
}

/// How long to wait for a crawler.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    #[default]
    No,
    /// As long as the invocation lasts.
    WhileTimeLasts,
    /// At most so many seconds.
    Seconds(u32),
}

/// How Athena works out the partitions of one column without asking Glue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projection {
    /// One of these.
    Enum {
        /// All values.
        values: Vec<String>,
    },
    /// A range of whole numbers.
    Integer {
        /// First.
        from: i64,
        /// Last.
        to: i64,
        /// Step; 1 when absent.
        interval: Option<u32>,
        /// Digits, filled with zeros.
        digits: Option<u32>,
    },
    /// A range of dates.
    Date {
        /// First: a date in `format`, or `NOW-3YEARS`.
        from: String,
        /// Last: a date in `format`, or `NOW`.
        to: String,
        /// Java's pattern of dates.
        format: String,
        /// Step; 1 when absent.
        interval: Option<u32>,
        /// Unit of the step; follows from the format when absent.
        unit: Option<IntervalUnit>,
    },
    /// Given by each query's WHERE.
    Injected,
}

/// Unit of a step between dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum IntervalUnit {
    Years,
    Months,
    Weeks,
    Days,
    Hours,
    Minutes,
    Seconds,
    Millis,
}

const UNITS: [(&str, IntervalUnit); 8] = [
    ("YEARS", IntervalUnit::Years),
    ("MONTHS", IntervalUnit::Months),
    ("WEEKS", IntervalUnit::Weeks),
    ("DAYS", IntervalUnit::Days),
    ("HOURS", IntervalUnit::Hours),
    ("MINUTES", IntervalUnit::Minutes),
    ("SECONDS", IntervalUnit::Seconds),
    ("MILLIS", IntervalUnit::Millis),
];

impl IntervalUnit {
    /// Athena's name.
    pub fn name(self) -> &'static str {
        UNITS.iter().find(|(_, unit)| *unit == self).map_or("DAYS", |(name, _)| name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Glue,
    Crawler,
}

impl Catalog {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let kinds = [("glue", Kind::Glue), ("crawler", Kind::Crawler), ("none", Kind::None)];
        let database = section.checked("database", |text| name("Glue database", text));
        let table_prefix = section.checked("table_prefix", |text| name("table", text));
        let projection = section.sections("projection", &PROJECTION);
        let projection: Vec<(&str, Option<Projection>)> = projection
            .into_iter()
            .map(|(column, section)| (column, Projection::read(column, &section)))
            .collect();
        let crawler = section.checked("crawler", names::crawler);
        let starts = [("published", CrawlerStart::Published), ("arrival", CrawlerStart::Arrival)];
        let start = section.one_of("start", &starts).map(|field| field.value).unwrap_or_default();
        let (wait, quarantine) = (wait(section), quarantine(section));
        let Some(kind) = section.one_of("kind", &kinds) else {
            section.missing(
                "kind",
                "a catalog needs its `kind`",
                "write kind = \"glue\", \"crawler\" or \"none\"",
            );
            return None;
        };
        let glue = ["table_prefix", "projection", "quarantine"];
        let crawl = ["crawler", "start", "wait"];
        if kind.value != Kind::Glue {
            section.of_no_use(&glue, kind.own, "is of use with kind = \"glue\" only");
        }
        if kind.value != Kind::Crawler {
            section.of_no_use(&crawl, kind.own, "is of use with kind = \"crawler\" only");
        }
        if kind.value == Kind::None {
            section.of_no_use(&["database"], kind.own, "is of use with kind = \"glue\" or \"crawler\" only");
        }
        match kind.value {
            Kind::None => Some(Self::None),
            Kind::Glue => {
                if database.is_none() {
                    section.missing(
                        "database",
                        "a Glue catalog needs its `database`",
                        "write database = \"NAME\"",
                    );
                }
                let projection =
                    projection.into_iter().filter_map(|(name, one)| Some((name.to_owned(), one?)));
                Some(Self::Glue {
                    database: database?.value,
                    table_prefix: table_prefix.map(|field| field.value).unwrap_or_default(),
                    projection: projection.collect(),
                    quarantine,
                })
            }
            Kind::Crawler => {
                if crawler.is_none() {
                    section.missing("crawler", "a crawler needs its name", "write crawler = \"NAME\"");
                }
                let database = database.map(|field| field.value);
                Some(Self::Crawler { crawler: crawler?.value, database, start, wait })
            }
        }
    }

    /// The word for `kind`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Glue { .. } => "glue",
            Self::Crawler { .. } => "crawler",
        }
    }
}

fn name(what: &str, text: &str) -> Result<String, Wrong> {
    names::catalog(what, text).map(|()| text.to_owned())
}

fn quarantine(section: &Section<'_>) -> QuarantineTable {
    match section.flag_or_text("quarantine", |text| name("table", text)) {
        Some(Ok(false)) => QuarantineTable::None,
        Some(Err(name)) => QuarantineTable::Named(name),
        Some(Ok(true)) | None => QuarantineTable::OfPipeline,
    }
}

fn wait(section: &Section<'_>) -> Wait {
    let Some(field) = section.flag_or_number("wait") else { return Wait::No };
    let Of::FlagOrSeconds(most) = section.kind("wait") else { return Wait::No };
    let seconds = |seconds: i64| u32::try_from(seconds).ok().filter(|seconds| (1..=most).contains(seconds));
    match field.value {
        Ok(false) => Wait::No,
        Ok(true) => Wait::WhileTimeLasts,
        Err(number) => match seconds(number) {
            Some(seconds) => Wait::Seconds(seconds),
            None => {
                let wrong = Wrong::new(format!("`wait` is from 1 to {most} seconds, not {number}"));
                section.wrong(&field, wrong.hint("an invocation lasts 15 minutes at most"));
                Wait::No
            }
        },
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Enum,
    Integer,
    Date,
    Injected,
}

impl Projection {
    fn read(column: &str, section: &Section<'_>) -> Option<Self> {
        if let Err(wrong) = names::catalog("column", column) {
            section.mistakes.wrong(section.offset, wrong);
        }
        let types = [
            ("enum", Type::Enum),
            ("integer", Type::Integer),
            ("date", Type::Date),
            ("injected", Type::Injected),
        ];
        let Some(of) = section.one_of("type", &types) else {
            section.missing(
                "type",
                format!("the projection of `{column}` needs its `type`"),
                "write type = \"date\", \"integer\", \"enum\" or \"injected\"",
            );
            return None;
        };
        let used: &[&str] = match of.value {
            Type::Enum => &["values"],
            Type::Integer => &["range", "interval", "digits"],
            Type::Date => &["range", "format", "interval", "unit"],
            Type::Injected => &[],
        };
        let all = ["values", "range", "format", "interval", "unit", "digits"];
        let idle: Vec<&str> = all.into_iter().filter(|key| !used.contains(key)).collect();
        section.of_no_use(&idle, of.own, "is of no use for a projection of this type");
        match of.value {
            Type::Enum => {
                section.missing(
                    "values",
                    "an enum projection needs its `values`",
                    "write values = [\"a\", \"b\"]",
                );
                let values = section.texts("values")?;
                if values.value.is_empty() {
                    section.wrong(&values, Wrong::new("`values` is empty"));
                }
                let values = values.value;
                Some(Self::Enum { values: values.iter().map(|value| value.value.to_owned()).collect() })
            }
            Type::Integer => Self::integer(section),
            Type::Date => Self::date(section),
            Type::Injected => Some(Self::Injected),
        }
    }

    fn integer(section: &Section<'_>) -> Option<Self> {
        let (interval, digits) = (small(section, "interval"), small(section, "digits"));
        let Some(range) = section.pair("range") else {
            section.missing("range", "an integer projection needs its `range`", "write range = [0, 99]");
            return None;
        };
        match (range.value[0].parse::<i64>(), range.value[1].parse::<i64>()) {
            (Ok(from), Ok(to)) if from <= to => Some(Self::Integer { from, to, interval, digits }),
            _ => {
                section.wrong(&range, Wrong::new("`range` is two whole numbers, the smaller one first"));
                None
            }
        }
    }

    fn date(section: &Section<'_>) -> Option<Self> {
        let (interval, unit) = (small(section, "interval"), section.one_of("unit", &UNITS));
        let format = section.text("format").map_or("yyyy-MM-dd", |field| field.value).to_owned();
        let Some(range) = section.pair("range") else {
            section.missing(
                "range",
                "a date projection needs its `range`",
                "write range = [\"2024-01-01\", \"NOW\"]",
            );
            return None;
        };
        if !range.value.iter().all(|end| is_end_of_dates(end)) {
            let wrong = Wrong::new("`range` is two dates in `format`, or NOW with an offset");
            section.wrong(
                &range,
                wrong.hint("write [\"2024-01-01\", \"NOW\"] or [\"NOW-3YEARS\", \"NOW+1DAYS\"]"),
            );
            return None;
        }
        let [from, to] = range.value;
        Some(Self::Date { from, to, format, interval, unit: unit.map(|field| field.value) })
    }
}

/// A date in a format that is not looked into here starts with a digit or a letter of a month; the rest is Athena's.
fn is_end_of_dates(text: &str) -> bool {
    let Some(offset) = text.strip_prefix("NOW") else {
        return text.contains(|c: char| c.is_ascii_digit());
    };
    let offset = offset.trim();
    let Some(rest) = offset.strip_prefix(['+', '-']) else { return offset.is_empty() };
    let rest = rest.trim_start();
    let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let units = UNITS.iter().any(|(name, _)| name.trim_end_matches('S') == unit.trim().trim_end_matches('S'));
    unit.len() < rest.len() && units
}

fn small(section: &Section<'_>, key: &str) -> Option<u32> {
    let field = section.whole(key)?;
    let number = u32::try_from(field.value).ok().filter(|number| *number > 0);
    if number.is_none() {
        section.wrong(&field, Wrong::new(format!("`{key}` is a number from 1")));
    }
    number
}
