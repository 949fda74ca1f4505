//! `[stack]`: what is deployed around the pipelines, for `lakegate stack render`.
//!
//! Not for rendering it, and no business of a function, which reads past it. The decision to know: everything here has
//! a default, so that a name is enough; what hangs on one pipeline (its trigger, how often data is due) is said there.

use crate::keys::{ATHENA, Kind, VPC};
use crate::limits;
use crate::mistake::{At, Wrong};
use crate::names;
use crate::section::{Field, Section};

/// What surrounds the pipelines.
#[derive(Clone, Debug, PartialEq)]
pub struct Stack {
    /// Its name, and the beginning of the names of what is in it.
    pub name: String,
    /// Where its section begins, for messages.
    pub at: At,
    /// Processor of the function.
    pub architecture: Architecture,
    /// Memory of the function, in MiB.
    pub memory_mib: u32,
    /// How long an invocation may take.
    pub timeout_seconds: u32,
    /// Invocations at once that are reserved for it, and its most.
    pub concurrency: Option<u32>,
    /// How long logs are kept.
    pub log_days: u32,
    /// Whether AWS X-Ray traces invocations.
    pub tracing: bool,
    /// ARN of the account's KMS key for all that is made; keys of the services when absent.
    pub kms_key: Option<String>,
    /// Buckets that are there already.
    pub existing: Vec<String>,
    /// Who is told by e-mail about notices and alarms.
    pub email: Vec<String>,
    /// Whether rights in Lake Formation are granted.
    pub lake_formation: bool,
    /// Whether CloudTrail keeps who reads and writes objects.
    pub cloudtrail: bool,
    /// Seconds between two comparisons of sources and tables; `None`: never.
    pub reconcile_seconds: Option<u64>,
    /// Queries.
    pub athena: Athena,
    /// Where the function runs, if not in Lambda's own network.
    pub vpc: Option<Vpc>,
}

/// Processor of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// AWS's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

/// The Athena workgroup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Athena {
    /// A query that scans more is ended.
    pub scan_limit_bytes: u64,
    /// How long results are kept.
    pub results_days: u32,
}

/// A network of the account's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its id, where endpoints are made.
    pub id: Option<String>,
    /// Subnets of the function.
    pub subnets: Vec<String>,
    /// Security groups of the function.
    pub security_groups: Vec<String>,
    /// Route tables that reach S3 through the endpoint.
    pub route_tables: Vec<String>,
}

/// How objects of a pipeline reach the function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Trigger {
    /// The bucket notifies a queue.
    #[default]
    Sqs,
    /// The bucket calls the function.
    S3,
    /// The bucket tells EventBridge, whose rule sends to a queue.
    EventBridge,
    /// The bucket tells EventBridge, whose rule starts a state machine.
    StepFunctions,
}

/// Words of `trigger`.
pub(super) const TRIGGERS: [(&str, Trigger); 4] = [
    ("sqs", Trigger::Sqs),
    ("s3", Trigger::S3),
    ("eventbridge", Trigger::EventBridge),
    ("step-functions", Trigger::StepFunctions),
];

impl Trigger {
    /// Its word.
    pub fn name(self) -> &'static str {
        TRIGGERS.iter().find(|(_, trigger)| *trigger == self).map_or("sqs", |(name, _)| name)
    }

    /// Whether events wait in a queue of the pipeline.
    pub fn has_queue(self) -> bool {
        matches!(self, Self::Sqs | Self::EventBridge)
    }

    /// Whether the bucket itself is told where to send its events, which replaces what it was told before.
    pub fn is_notification(self) -> bool {
        matches!(self, Self::Sqs | Self::S3)
    }
}

/// What becomes of a source object once its rows are in the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceAfter {
    /// Nothing.
    #[default]
    Keep,
    /// It gets the tag `lakegate=done`, for a lifecycle rule to act on.
    Tag,
}

const MIB: u64 = 1 << 20;
const DAY: u64 = 86_400;
/// Days that CloudWatch Logs can keep logs for; a short list of its list.
const LOG_DAYS: [u32; 12] = [1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827];

impl Stack {
    pub(super) fn read(section: &Section<'_>) -> Option<Self> {
        let hint = "write name = \"my-lake\"; it begins the names of what is deployed";
        section.missing("name", "a stack needs its `name`", hint);
        let name = section.checked("name", stack_name);
        let architectures = [("arm64", Architecture::Arm64), ("x86_64", Architecture::X86_64)];
        let architecture = section.one_of("architecture", &architectures);
        let count = |key| limits::count(section, key);
        let flag = |key: &str, absent| section.flag(key).map_or(absent, |field| field.value);
        let (memory, timeout, concurrency) =
            (count("memory_mib"), count("timeout_seconds"), count("concurrency"));
        let log_days = log_days(section).unwrap_or(30);
        let kms_key = section.checked("kms_key", names::kms_key_arn).map(|field| field.value);
        let existing = checked(section, "existing", |text| names::bucket(text).map(|()| text.to_owned()));
        let email = checked(section, "email", email);
        let reconcile = reconcile(section);
        let athena = section.section("athena", &ATHENA);
        let athena = Athena {
            scan_limit_bytes: athena
                .as_ref()
                .and_then(|section| limits::bytes(section, "scan_limit"))
                .unwrap_or(10 * 1024 * MIB),
            results_days: athena
                .as_ref()
                .and_then(|section| limits::count(section, "results_days"))
                .unwrap_or(30),
        };
        let vpc = section.section("vpc", &VPC).and_then(|section| Vpc::read(&section));
        Some(Self {
            name: name?.value,
            at: section.mistakes.at(section.offset),
            architecture: architecture.map_or(Architecture::Arm64, |field| field.value),
            memory_mib: memory.unwrap_or(1024),
            timeout_seconds: timeout.unwrap_or(300),
            concurrency,
            log_days,
            tracing: flag("tracing", true),
            kms_key,
            existing,
            email,
            lake_formation: flag("lake_formation", false),
            cloudtrail: flag("cloudtrail", false),
            reconcile_seconds: reconcile,
            athena,
            vpc,
        })
    }
}

impl Vpc {
    fn read(section: &Section<'_>) -> Option<Self> {
        section.missing(
            "subnets",
            "[stack.vpc] needs its `subnets`",
            "write subnets = [\"subnet-…\", \"subnet-…\"]",
        );
        section.missing(
            "security_groups",
            "[stack.vpc] needs its `security_groups`",
            "write security_groups = [\"sg-…\"]",
        );
        let ids = |key: &str, prefix: &'static str| {
            checked(section, key, |text| {
                let wrong = || Wrong::new(format!("`{text}` is no id such as {prefix}0a1b2c3d4e5f67890"));
                let rest = text.strip_prefix(prefix).ok_or_else(wrong)?;
                let legal = !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
                if legal { Ok(text.to_owned()) } else { Err(wrong()) }
            })
        };
        let vpc = Self {
            id: ids("id", "vpc-").into_iter().next(),
            subnets: ids("subnets", "subnet-"),
            security_groups: ids("security_groups", "sg-"),
            route_tables: ids("route_tables", "rtb-"),
        };
        if vpc.id.is_none() {
            section.of_no_use(
                &["route_tables"],
                true,
                "is of use with the `id` of the VPC, where endpoints are made",
            );
        }
        (!vpc.subnets.is_empty() && !vpc.security_groups.is_empty()).then_some(vpc)
    }
}

/// Values of a list, each turned by a check.
fn checked<T>(section: &Section<'_>, key: &str, check: impl Fn(&str) -> Result<T, Wrong>) -> Vec<T> {
    let fields: Vec<Field<&str>> = section.texts(key).map(|field| field.value).unwrap_or_default();
    let turned = |field: Field<&str>| check(field.value).map_err(|wrong| section.wrong(&field, wrong)).ok();
    fields.into_iter().filter_map(turned).collect()
}

/// The beginning of other names: buckets have 63 characters, queues 80, roles 64.
fn stack_name(text: &str) -> Result<String, Wrong> {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let letter = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
    if letter && text.len() <= 32 && text.bytes().all(sign) && !text.ends_with('-') {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(format!("`{text}` is no name of a stack"))
        .hint("lower-case letters, digits and `-`, at most 32, a letter first"))
}

fn email(text: &str) -> Result<String, Wrong> {
    let (name, host) = text.split_once('@').unwrap_or_default();
    if name.is_empty() || !host.contains('.') || text.contains(char::is_whitespace) {
        return Err(Wrong::new("this is no address of e-mail").hint("write \"team@example.com\""));
    }
    Ok(text.to_owned())
}

fn log_days(section: &Section<'_>) -> Option<u32> {
    let field = section.whole("log_days")?;
    let days = u32::try_from(field.value).ok().filter(|days| LOG_DAYS.contains(days));
    if days.is_none() {
        let known = LOG_DAYS.map(|days| days.to_string()).join(", ");
        section.wrong(&field, Wrong::new(format!("CloudWatch Logs keeps logs for {known} days")));
    }
    days
}

/// Once a day when absent.
fn reconcile(section: &Section<'_>) -> Option<u64> {
    let Kind::FlagOrSpan(least, most) = section.kind("reconcile_every") else { return None };
    match section.flag_or_text("reconcile_every", |text| span(text, least, most)) {
        Some(Ok(false)) => None,
        Some(Err(seconds)) => Some(seconds),
        Some(Ok(true)) | None => Some(DAY),
    }
}

/// Seconds of a span of time.
pub(super) fn seconds(section: &Section<'_>, key: &str) -> Option<u64> {
    let Kind::Span(least, most) = section.kind(key) else { return None };
    section.checked(key, |text| span(text, least, most)).map(|field| field.value)
}

/// Seconds of a text such as `6 hours`, within a least and a most.
fn span(text: &str, least: u64, most: u64) -> Result<u64, Wrong> {
    let no_span =
        || Wrong::new("this is no span of time").hint("write \"30 minutes\", \"6 hours\" or \"7 days\"");
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let unit = match unit.trim().trim_end_matches('s') {
        "minute" | "min" => 60,
        "hour" | "h" => 3_600,
        "day" | "d" => DAY,
        "week" => 7 * DAY,
        _ => return Err(no_span()),
    };
    let seconds =
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or_else(no_span)?;
    if (least..=most).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Wrong::new(format!("this is from {} to {}", spoken(least), spoken(most))))
}

/// `6 hours`.
pub fn spoken(seconds: u64) -> String {
    let (number, unit) = match seconds {
        s if s % DAY == 0 => (s / DAY, "day"),
        s if s % 3_600 == 0 => (s / 3_600, "hour"),
        s => (s / 60, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time() {
        for (text, seconds) in [("30 minutes", 1_800), ("1 day", DAY), ("6h", 21_600), ("2 weeks", 14 * DAY)]
        {
            assert_eq!(span(text, 60, 365 * DAY), Ok(seconds), "{text}");
        }
        for text in ["", "day", "1.5 days", "-1 day", "6", "6 fortnights", "0 days", "400 days"] {
            assert!(span(text, 60, 365 * DAY).is_err(), "{text}");
        }
        assert_eq!([spoken(60), spoken(7_200), spoken(DAY)], ["1 minute", "2 hours", "1 day"]);
    }

    #[test]
    fn names_of_stacks() {
        for (text, legal) in
            [("my-lake", true), ("a", true), ("My", false), ("1a", false), ("a-", false), ("", false)]
        {
            assert_eq!(stack_name(text).is_ok(), legal, "{text}");
        }
    }
}
