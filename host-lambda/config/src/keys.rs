//! The keys of each section, and what to say about one that is none of them.
//!
//! Not for reading values. The decision to know: an unknown key is always a mistake, since a misspelt one that is
//! ignored loses data or money silently; the hint names the nearest key, or the place where it belongs. Kinds and
//! ranges stand here and only here: what reads them, what complains, and the reference in `docs/aws.md`
//! ([`reference`](super::reference)) follow this list.

use crate::nearest::nearest;

/// The keys of one section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// How messages call the section.
    pub(super) title: &'static str,
    /// What may stand in it.
    pub(super) keys: &'static [Key],
}

/// One key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) name: &'static str,
    /// What its value may be.
    pub(super) kind: Kind,
    /// What holds when it is absent.
    pub(super) absent: &'static str,
    /// What it is for, without a full stop.
    pub(super) means: &'static str,
}

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Keys of its own.
    Section,
    /// A prefix of a bucket, or a folder.
    Place,
    /// An object, or a file.
    File,
    /// Several of them, or public keys themselves.
    Files,
    /// A name or another short text.
    Text,
    /// One or several.
    Texts,
    Topic,
    Flag,
    FlagOrName,
    /// With the most seconds.
    FlagOrSeconds(u32),
    Words(&'static [&'static str]),
    /// A whole number, the least and the most.
    Count(u32, u32),
    /// A whole number of any size, from 0.
    Sequence,
    /// A size, the least and the most.
    Bytes(u64, u64),
    ShareOrRecords,
    Pair,
    /// A span of time, the least and the most in seconds.
    Span(u64, u64),
    FlagOrSpan(u64, u64),
}

use Kind::{
    Bytes, Count, File, Files, Flag, FlagOrName, FlagOrSeconds, FlagOrSpan, Pair, Place, Sequence,
    ShareOrRecords, Span, Text, Texts, Topic, Words,
};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

const fn key(name: &'static str, kind: Kind, absent: &'static str, means: &'static str) -> Key {
    Key { name, kind, absent, means }
}

const fn section(name: &'static str, means: &'static str) -> Key {
    key(name, Kind::Section, "none", means)
}

pub(super) static TOP: Keys = Keys {
    title: "the configuration",
    keys: &[
        key("version", Count(1, 1), "1", "version of this form"),
        section("stack", "what is deployed around the pipelines; a function reads past it"),
        section(
            "defaults",
            "what pipelines have in common: any key of `[pipeline.NAME]`; a pipeline's own win",
        ),
        key(
            "pipeline",
            Kind::Section,
            "needed",
            "the pipelines, by name: lower-case letters, digits, `_` and `-`, at most 64",
        ),
    ],
};

pub(super) static PIPELINE: Keys = Keys {
    title: "[pipeline.NAME]",
    keys: &[
        key(
            "source",
            Place,
            "needed",
            "where source objects come from; in S3 it ends with `/`, or with `*` for all keys that start so",
        ),
        key("suffix", Texts, "any", "how keys end"),
        key(
            "before",
            Texts,
            "none",
            "pipelines whose source holds this one's, which then takes its objects before them",
        ),
        key("spec", File, "none", "what becomes of an object"),
        key("channel", Text, "none", "instead of `spec`: the channel whose releases are followed"),
        key("registry", Place, "needed with `channel`", "where releases are published"),
        key("trust", Files, "needed with `channel`", "public keys whose signatures count"),
        key("min_sequence", Sequence, "0", "no older channel document is accepted"),
        key(
            "accept_sequence",
            Sequence,
            "none",
            "this document is accepted although the lake names later ones: the registry was restored",
        ),
        key(
            "key",
            File,
            "none",
            "private key of the commands that publish and promote; a host never reads it",
        ),
        key("table", Text, "the spec's", "name of the table where the spec names none"),
        key("lake", Place, "needed", "where the tables are: `<lake>/<table>/<partitions>/*.parquet`"),
        key(
            "contract",
            Words(&["learn", "declared"]),
            "`\"declared\"`",
            "whether the first objects may teach types, or the spec declares every one (and says `mode = \"freeze\"` or `\"discard\"`)",
        ),
        key("paused", Flag, "false", "events are answered and nothing is taken"),
        key(
            "trigger",
            Words(&["sqs", "s3", "eventbridge", "step-functions"]),
            "`\"sqs\"`",
            "of a stack: how objects reach the function. The bucket notifies a queue, or calls the function; or tells EventBridge, whose rule sends to a queue, or starts a state machine",
        ),
        key(
            "max_concurrency",
            Count(2, 1_000),
            "10",
            "of a stack: most invocations at once that the queue of this pipeline starts",
        ),
        key(
            "batch_seconds",
            Count(0, 300),
            "0",
            "of a stack: how long the queue collects objects for one invocation, of at most 10 of them",
        ),
        key(
            "expect_every",
            Span(10 * MINUTE, 90 * DAY),
            "nothing is due",
            "of a stack: an alarm when no object came for so long",
        ),
        key(
            "source_after",
            Words(&["keep", "tag"]),
            "`\"keep\"`",
            "what becomes of a source object once it is done: nothing, or it gets the tag `lakegate=done`",
        ),
        key("queries", File, "none", "of a stack: questions in SQL, kept as named queries of Athena"),
        section("catalog", "where tables are registered"),
        section("notify", "who is told"),
        section("failed", "what becomes of an object that failed"),
        section("output", "how objects are written to S3"),
        section("limits", "what one object may cost"),
        section("lineage", "OpenLineage run events"),
    ],
};

pub(super) static CATALOG: Keys = Keys {
    title: "[pipeline.NAME.catalog]",
    keys: &[
        key(
            "kind",
            Words(&["glue", "crawler", "none"]),
            "needed",
            "by the host itself, by a crawler that it starts, or nowhere",
        ),
        key(
            "database",
            Text,
            "needed with `\"glue\"`",
            "database in Glue; of a stack, the one that its crawler makes tables in",
        ),
        key("table_prefix", Text, "none", "before the names of the tables"),
        key(
            "projection",
            Kind::Section,
            "none",
            "partition projection, by column: Athena asks Glue for no partition",
        ),
        key(
            "quarantine",
            FlagOrName,
            "`<pipeline>_quarantine`",
            "table of the rejected records; false: none",
        ),
        key("crawler", Text, "needed with `\"crawler\"`", "name of the crawler"),
        key(
            "start",
            Words(&["published", "arrival"]),
            "`\"published\"`",
            "who starts the crawler: the host that published, or the event of a Parquet file that arrived",
        ),
        key(
            "wait",
            FlagOrSeconds(900),
            "false",
            "whether a notice waits for the crawler: as long as there is time, or so many seconds",
        ),
    ],
};

pub(super) static PROJECTION: Keys = Keys {
    title: "[pipeline.NAME.catalog.projection.COLUMN]",
    keys: &[
        key(
            "type",
            Words(&["enum", "integer", "date", "injected"]),
            "needed",
            "how Athena works out the partitions",
        ),
        key("values", Texts, "needed with `\"enum\"`", "all values"),
        key(
            "range",
            Pair,
            "needed with `\"integer\"` and `\"date\"`",
            "first and last, such as `[0, 99]`, `[\"2024-01-01\", \"NOW\"]` or `[\"NOW-3YEARS\", \"NOW\"]`",
        ),
        key("format", Text, "`\"yyyy-MM-dd\"`", "Java's pattern of the dates"),
        key("interval", Count(1, u32::MAX), "1", "step"),
        key(
            "unit",
            Words(&["YEARS", "MONTHS", "WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS", "MILLIS"]),
            "as the format",
            "unit of the step between dates",
        ),
        key("digits", Count(1, u32::MAX), "as many as there are", "digits of an integer, filled with zeros"),
    ],
};

pub(super) static NOTIFY: Keys = Keys {
    title: "[pipeline.NAME.notify]",
    keys: &[
        // An ARN, or the name of a topic of the account and region that the host runs in.
        key("success", Topic, "nobody", "told once an object is queryable"),
        key("failure", Topic, "nobody", "told when an object failed"),
        key("quarantine", Topic, "nobody", "told when more records were rejected than `quarantine_above`"),
        key("quarantine_above", ShareOrRecords, "0", "a share or a number of an object's records"),
    ],
};

pub(super) static FAILED: Keys = Keys {
    title: "[pipeline.NAME.failed]",
    keys: &[key("copy_to", Place, "needed", "a copy of an object that failed goes there")],
};

pub(super) static OUTPUT: Keys = Keys {
    title: "[pipeline.NAME.output]",
    keys: &[
        key("encryption", Words(&["sse-s3", "sse-kms"]), "the bucket's own", "encryption at rest"),
        key("kms_key", Text, "the account's for S3", "with `\"sse-kms\"`: ARN, `alias/NAME` or id"),
        key(
            "storage_class",
            Words(&STORAGE_CLASSES),
            "`\"STANDARD\"`",
            "classes that a query reads from at once",
        ),
    ],
};

/// Storage classes that a query reads from at once; the archives would have to be restored first.
pub(super) const STORAGE_CLASSES: [&str; 5] =
    ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];

pub(super) static LIMITS: Keys = Keys {
    title: "[pipeline.NAME.limits]",
    keys: &[
        // A guest starts with a few MiB; a 32-bit guest cannot have more than 4 GiB.
        key(
            "memory_bytes",
            Bytes(64 * MIB, 4 * GIB),
            "768 MiB",
            "linear memory of the sandbox; at most the function's memory less 128 MiB and twice `staging_bytes`",
        ),
        key("step_seconds", Count(1, 900), "60", "one call into the sandbox"),
        key(
            "object_seconds",
            Count(1, 86_400),
            "86400",
            "one pass over one object; what is left of the invocation holds as well",
        ),
        key("output_bytes", Bytes(MIB, 1 << 50), "1 TiB", "all part files of one object"),
        key("parts", Count(1, 1_000_000), "100000", "part files of one object"),
        key("open_parts", Count(1, 100_000), "4096", "part files that are open at once"),
        key("quarantine_bytes", Bytes(MIB, 1 << 40), "4 GiB", "quarantine lines of one object"),
        // One part of a multipart upload and one piece from the guest must fit.
        key("staging_bytes", Bytes(16 * MIB, 8 * GIB), "32 MiB", "staged bytes in memory"),
        // `/tmp` of a function has at most 10 GiB.
        key("spill_bytes", Bytes(0, 10 * GIB), "512 MiB", "staged bytes below `/tmp`; 0 for none"),
        // S3 stores objects of up to 50 TB.
        key("max_object_bytes", Bytes(1, 1 << 46), "none", "a larger source object is refused by name"),
    ],
};

pub(super) static LINEAGE: Keys = Keys {
    title: "[pipeline.NAME.lineage]",
    keys: &[
        key("write_to", Place, "needed", "run events are written below it"),
        key("namespace", Text, "the lake's URI", "namespace of the jobs"),
    ],
};

pub(super) static STACK: Keys = Keys {
    title: "[stack]",
    keys: &[
        key(
            "name",
            Text,
            "needed",
            "begins the names of what is deployed: lower-case letters, digits and `-`, at most 32",
        ),
        key("architecture", Words(&["arm64", "x86_64"]), "`\"arm64\"`", "processor of the function"),
        key(
            "memory_mib",
            Count(256, 10_240),
            "1024",
            "memory of the function; with it comes its share of processors",
        ),
        key("timeout_seconds", Count(30, 900), "300", "how long an invocation may take"),
        key(
            "concurrency",
            Count(1, 10_000),
            "the account's",
            "invocations at once: reserved for the function, and its most",
        ),
        key(
            "log_days",
            Count(1, 1827),
            "30",
            "how long logs are kept; CloudWatch Logs knows certain numbers of days",
        ),
        key("tracing", Flag, "true", "AWS X-Ray traces invocations"),
        key("kms_key", Text, "keys of the services", "ARN of the account's KMS key for all that is made"),
        key("existing", Texts, "none", "buckets that are there already: they are used, and not made"),
        key("email", Texts, "nobody", "who is told by e-mail about notices and alarms"),
        key("lake_formation", Flag, "false", "rights in Lake Formation are granted to the function"),
        key("cloudtrail", Flag, "false", "CloudTrail keeps who reads and writes objects in the buckets"),
        key(
            "reconcile_every",
            FlagOrSpan(HOUR, 30 * DAY),
            "`\"1 day\"`",
            "how often sources and tables are compared; false: never",
        ),
        section("athena", "the workgroup that asks the tables"),
        section("vpc", "the network that the function runs in, if not Lambda's own"),
    ],
};

pub(super) static ATHENA: Keys = Keys {
    title: "[stack.athena]",
    keys: &[
        // Athena takes 10 MB at least.
        key("scan_limit", Bytes(10_000_000, 1 << 50), "10 GiB", "a query that scans more is ended"),
        key("results_days", Count(1, 3_650), "30", "how long results are kept"),
    ],
};

pub(super) static VPC: Keys = Keys {
    title: "[stack.vpc]",
    keys: &[
        key("subnets", Texts, "needed", "ids of private subnets"),
        key("security_groups", Texts, "needed", "ids of security groups"),
        key(
            "id",
            Text,
            "no endpoint is made",
            "id of the VPC, to make endpoints of S3, Glue, SNS and SQS in",
        ),
        key(
            "route_tables",
            Texts,
            "none",
            "ids of the subnets' route tables, which reach S3 by its endpoint",
        ),
    ],
};

pub(super) static SECTIONS: [&Keys; 12] = [
    &TOP,
    &STACK,
    &ATHENA,
    &VPC,
    &PIPELINE,
    &CATALOG,
    &PROJECTION,
    &NOTIFY,
    &FAILED,
    &OUTPUT,
    &LIMITS,
    &LINEAGE,
];

/// Keys of the spec. `partition_by` is among them on purpose: said twice, the two could differ, and part
/// files would go where the spec's receipt does not promise them.
static SPEC: [&str; 15] = [
    "partition_by",
    "rows",
    "mode",
    "filter",
    "derive",
    "check",
    "column",
    "columns",
    "drop_nulls",
    "input",
    "format",
    "records",
    "max_rejected",
    "on_reupload",
    "compression",
];

impl Keys {
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.names().any(|known| known == name)
    }

    /// What the value of a key may be.
    pub(super) fn kind(&self, name: &str) -> Kind {
        let known = self.keys.iter().find(|key| key.name == name);
        debug_assert!(known.is_some(), "{name} is read but not known");
        known.map_or(Text, |key| key.kind)
    }

    /// What to do about `key`, which is none of these.
    pub(super) fn hint(&self, key: &str) -> String {
        if let Some(near) = nearest(key, self.names()) {
            return format!("did you mean `{near}`?");
        }
        if SPEC.contains(&key) {
            return "it belongs into the spec: what a transform does is said there and only there".into();
        }
        match SECTIONS.iter().find(|section| section.has(key)) {
            Some(section) => format!("it belongs into {}", section.title),
            None => format!("here are {}", self.names().collect::<Vec<_>>().join(", ")),
        }
    }
}

impl Kind {
    /// How messages call it.
    pub(super) fn wanted(self) -> &'static str {
        match self {
            Self::Section => "a section",
            Place | File | Text | Topic | Words(_) => "a text in quotes",
            Files | Texts => "a text in quotes, or a list of such texts",
            Flag => "true or false",
            FlagOrName => "true, false or a name in quotes",
            FlagOrSeconds(_) => "true, false or a number of seconds",
            Count(..) | Sequence => "a whole number",
            Bytes(..) => "a number of bytes or a text such as \"512 MiB\"",
            ShareOrRecords => "a share such as \"1%\", or a number of records",
            Span(..) => "a span of time such as \"6 hours\"",
            FlagOrSpan(..) => "true, false or a span of time such as \"6 hours\"",
            Pair => "a list of two: [\"from\", \"to\"]",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sent_where_it_belongs() {
        assert_eq!(PIPELINE.hint("database"), "it belongs into [pipeline.NAME.catalog]");
        assert!(PIPELINE.hint("partition_by").contains("spec"));
        assert_eq!(FAILED.hint("zzz"), "here are copy_to");
    }
}
