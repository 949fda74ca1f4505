//! From the text to pipelines.
//!
//! Not for values (each has its own module) or for what pipelines are to each other (`cross`). The decision
//! to know: a pipeline is read to its end whatever is wrong with it, and those that are whole are compared,
//! so that one run of the check tells all there is to mend.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::catalog::Catalog;
use crate::cross;
use crate::cross::Marked;
use crate::keys::{CATALOG, FAILED, LIMITS, LINEAGE, NOTIFY, OUTPUT, PIPELINE, STACK, STORAGE_CLASSES, TOP};
use crate::limits;
use crate::limits::PipelineLimits;
use crate::location;
use crate::location::{Address, Location};
use crate::mistake::{Mistakes, Wrong};
use crate::names;
use crate::origin::Origin;
use crate::pipeline::{
    Above, ContractWish, Encryption, Lineage, Notify, Output, Pipeline, PublicKey, SourcePattern, Told,
};
use crate::section::{Field, Section};
use crate::stack;
use crate::stack::{SourceAfter, Stack, TRIGGERS};
use crate::{CONFIG_VERSION, Config, Reading};

pub(super) fn config(text: &str, origin: &Origin) -> Reading {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mistakes = Mistakes::new(text);
    errors.iter().for_each(|error| mistakes.syntax(error));
    let top = Section::new(&TOP, Some(root.get_ref()), None, 0, &mistakes);
    let (pipelines, names) = pipelines(root.get_ref(), &top, origin, &mistakes);
    cross::check(&pipelines, &names, &mistakes);
    let stack = top.section("stack", &STACK).and_then(|section| Stack::read(&section));
    if let Some(stack) = &stack {
        pipelines.iter().for_each(|marked| cross::stacked(stack, marked, &mistakes));
    }
    let pipelines = pipelines.into_iter().map(|marked| (marked.pipeline.name.clone(), marked.pipeline));
    Reading { config: Config { pipelines: pipelines.collect(), stack }, mistakes: mistakes.into_sorted() }
}

/// All pipelines that are whole, and the names of all.
fn pipelines<'a>(
    root: &'a DeTable<'a>,
    top: &Section<'a>,
    origin: &Origin,
    mistakes: &'a Mistakes<'a>,
) -> (Vec<Marked>, Vec<&'a str>) {
    if let Some(version) = top.whole("version").filter(|version| version.value != CONFIG_VERSION as i64) {
        let message = format!("version {} is not known: it is {CONFIG_VERSION}", version.value);
        top.wrong(&version, Wrong::new(message));
    }
    let defaults = top.section("defaults", &PIPELINE);
    if root.get("pipeline").is_some_and(|value| matches!(value.get_ref(), DeValue::Array(_))) {
        let wrong = Wrong::new("pipelines have names").hint("write [pipeline.orders] for [[pipeline]]");
        mistakes.wrong(root.get_key_value("pipeline").map_or(0, |(key, _)| key.span().start), wrong);
        return (Vec::new(), Vec::new());
    }
    let named = top.sections("pipeline", &PIPELINE);
    if named.is_empty() {
        let wrong = Wrong::new("there is no pipeline").hint("write [pipeline.NAME] with a source and a lake");
        mistakes.missing(0, wrong);
    }
    let read = |(name, section): (&str, Section<'a>)| {
        let section = section.over(defaults.as_ref());
        if let Err(wrong) = names::plain("pipeline", name) {
            mistakes.wrong(section.offset, wrong);
        }
        let in_s3 = |text: &str| matches!(location::source(text, origin), Ok(Location::S3 { .. }));
        let deployed = section.text("source").map(|source| source.value);
        let deployed = deployed.is_some_and(|text| text.starts_with("s3://") || in_s3(text));
        Reader { origin, section: &section, name, deployed }.pipeline()
    };
    let names = named.iter().map(|(name, _)| *name).collect();
    (named.into_iter().filter_map(read).collect(), names)
}

/// Keys whose places are kept, for what is found out about their values later.
const MARKED: [&str; 17] = [
    "source",
    "trigger",
    "lake",
    "spec",
    "channel",
    "registry",
    "trust",
    "contract",
    "table",
    "catalog",
    "catalog.database",
    "catalog.crawler",
    "notify.success",
    "notify.failure",
    "notify.quarantine",
    "failed.copy_to",
    "lineage.write_to",
];

/// Reads one pipeline.
struct Reader<'r, 'a> {
    origin: &'r Origin,
    section: &'r Section<'a>,
    name: &'r str,
    /// Its source is in S3: a function takes it, which has no disk that stays and no folders but the zip's.
    deployed: bool,
}

impl Reader<'_, '_> {
    fn pipeline(self) -> Option<Marked> {
        let (section, origin, name) = (self.section, self.origin, self.name);
        let source = section.checked("source", |text| location::source(text, origin));
        let suffixes = self.suffixes();
        let lake = self.place("lake", section, "lake");
        let told = self.told();
        let table = section.checked("table", |text| names::catalog("table", text).map(|()| text.to_owned()));
        let wishes = [("learn", ContractWish::Learn), ("declared", ContractWish::Declared)];
        let contract = section.one_of("contract", &wishes);
        let contract = contract.map(|field| field.value).unwrap_or_default();
        let paused = section.flag("paused").is_some_and(|field| field.value);
        let catalog = section.section("catalog", &CATALOG);
        let catalog = catalog.map_or(Some(Catalog::None), |section| Catalog::read(&section));
        let notify = self.notify();
        let failed_copy = section.section("failed", &FAILED).and_then(|section| {
            section.missing("copy_to", "[failed] needs `copy_to`", "write copy_to = \"s3://BUCKET/PREFIX/\"");
            self.place("failed.copy_to", &section, "copy_to")
        });
        let output = section.section("output", &OUTPUT).map_or_else(Output::default, |of| output(&of));
        let limits = section.section("limits", &LIMITS);
        let limits = limits.map_or_else(PipelineLimits::default, |section| PipelineLimits::read(&section));
        let lineage = section.section("lineage", &LINEAGE).and_then(|section| self.lineage(&section));
        self.needs(told.as_ref(), contract, table.as_ref(), lake.as_ref(), catalog.as_ref());
        let trigger = section.one_of("trigger", &TRIGGERS).map(|field| field.value).unwrap_or_default();
        let after = [("keep", SourceAfter::Keep), ("tag", SourceAfter::Tag)];
        let source_after =
            section.one_of("source_after", &after).map(|field| field.value).unwrap_or_default();
        let queries = section.checked("queries", |text| self.file(text)).map(|field| field.value);
        let before = section.texts("before").map(|field| field.value).unwrap_or_default();
        let marks: BTreeMap<&'static str, usize> =
            MARKED.into_iter().filter_map(|key| Some((key, section.place(key)?))).collect();
        let at = |offset| section.mistakes.at(offset);
        let pipeline = Pipeline {
            name: name.to_owned(),
            at: at(section.offset),
            source: SourcePattern { location: source?.value, suffixes },
            told: told?,
            table: table.map(|field| field.value),
            lake: lake?,
            contract,
            paused,
            catalog: catalog?,
            notify,
            trigger,
            max_concurrency: limits::count(section, "max_concurrency"),
            batch_seconds: limits::count(section, "batch_seconds"),
            expect_every: stack::seconds(section, "expect_every"),
            source_after,
            queries,
            failed_copy,
            output,
            limits,
            lineage,
            marks: marks.iter().map(|(key, offset)| (*key, at(*offset))).collect(),
        };
        let before = before.iter().map(|field| (field.value.to_owned(), field.offset)).collect();
        Some(Marked { pipeline, marks, before, offset: section.offset })
    }

    /// What must be there, and what must not be together.
    fn needs(
        &self,
        told: Option<&Told>,
        contract: ContractWish,
        table: Option<&Field<String>>,
        lake: Option<&Location>,
        catalog: Option<&Catalog>,
    ) {
        let (section, name) = (self.section, self.name);
        let hint = "write source = \"s3://BUCKET/PREFIX/\"";
        section.missing("source", format!("`{name}` has no source"), hint);
        section.missing("lake", format!("`{name}` has no lake"), "write lake = \"s3://BUCKET/PREFIX/\"");
        if let Some(told) = told {
            self.agree(name, told, contract, table);
        }
        if let (Some(Location::Local(_)), Some(Catalog::Glue { .. } | Catalog::Crawler { .. })) =
            (lake, catalog)
            && !self.deployed
        {
            let wrong = Wrong::new(format!("the lake of `{name}` is local, and Glue cannot see it"));
            section
                .mistakes
                .wrong(section.offset, wrong.hint("leave the catalog away, or write kind = \"none\""));
        }
    }

    /// A place; of a pipeline that a function runs, one that the function has.
    fn place(&self, name: &str, section: &Section<'_>, key: &str) -> Option<Location> {
        let field = section.checked(key, |text| location::location(text, self.origin))?;
        if self.deployed && matches!(field.value, Location::Local(_)) {
            let message = format!("`{name}` of `{}` is a local folder, but its source is in S3", self.name);
            let why = if name == "registry" { "is not there" } else { "does not stay" };
            let hint = format!("what is local in a function {why}: write {key} = \"s3://BUCKET/PREFIX/\"");
            section.wrong(&field, Wrong::new(message).hint(hint));
        }
        Some(field.value)
    }

    /// A file that is read when a host starts; of a pipeline that a function runs, one that comes along in its zip.
    fn file(&self, text: &str) -> Result<Address, Wrong> {
        let address = object(text, self.origin)?;
        if self.deployed && matches!(address, Address::Local(_)) && !location::comes_along(text) {
            let message = format!("{text} is not beside or below the configuration, so it cannot come along");
            return Err(Wrong::new(message).hint("move it there, or name it by an s3:// URI"));
        }
        Ok(address)
    }

    fn suffixes(&self) -> Vec<String> {
        let Some(field) = self.section.texts("suffix") else { return Vec::new() };
        let mut suffixes: Vec<String> = Vec::new();
        for suffix in &field.value {
            let text = suffix.value;
            let wrong = if text.is_empty() {
                Some(
                    Wrong::new("an empty suffix ends every key").hint("leave `suffix` away to take all keys"),
                )
            } else if text.contains('*') {
                let plain = text.trim_start_matches('*');
                Some(Wrong::new("a suffix is no pattern").hint(format!("write \"{plain}\"")))
            } else if suffixes.iter().any(|other| other == text) {
                Some(Wrong::new(format!("the suffix \"{text}\" is there twice")))
            } else {
                None
            };
            match wrong {
                Some(wrong) => self.section.wrong(suffix, wrong),
                None => suffixes.push(text.to_owned()),
            }
        }
        suffixes
    }

    /// The spec or the channel. One that the pipeline itself names takes the place of a default of the other.
    fn told(&self) -> Option<Told> {
        let (section, origin) = (self.section, self.origin);
        let has = |key, rival| section.has_own(key) || section.has(key) && !section.has_own(rival);
        let (spec, channel) = (has("spec", "channel"), has("channel", "spec"));
        if !channel {
            section.of_no_use(&CHANNEL_ONLY, spec, "is of use with `channel` only");
        }
        match (spec, channel) {
            (false, false) => Some(Told::Nothing),
            (true, false) => {
                let spec = section.checked("spec", |text| self.file(text))?;
                Some(Told::Spec { address: spec.value })
            }
            (false, true) => {
                let hint = "write registry = \"s3://BUCKET/PREFIX/\", where releases are published";
                section.missing("registry", "a channel needs its `registry`", hint);
                let hint =
                    "write trust = [\"release.key.pub\"], the public key file that `lakegate keygen` made";
                section.missing("trust", "a channel needs `trust`: whose signatures count", hint);
                let registry = self.place("registry", section, "registry");
                let channel = section
                    .checked("channel", |text| names::plain("channel", text).map(|()| text.to_owned()));
                let trust = self.trust();
                let document = |key| {
                    let field = section.whole(key)?;
                    let number = u64::try_from(field.value);
                    if number.is_err() {
                        section
                            .wrong(&field, Wrong::new(format!("`{key}` is a number of a channel document")));
                    }
                    number.ok()
                };
                let (min_sequence, accept_sequence) = (document("min_sequence"), document("accept_sequence"));
                let key = section.checked("key", |text| object(text, origin)).map(|field| field.value);
                Some(Told::Channel {
                    channel: channel?.value,
                    registry: registry?,
                    trust,
                    min_sequence: min_sequence.unwrap_or(0),
                    accept_sequence,
                    key,
                })
            }
            (true, true) => {
                let hint = "a channel picks a release, which has its spec inside: leave one of them away";
                if let Some(field) = section.text("channel") {
                    section.wrong(&field, Wrong::new("`spec` and `channel` exclude each other").hint(hint));
                }
                None
            }
        }
    }

    /// Public keys: files, or their base64 line.
    fn trust(&self) -> Vec<PublicKey> {
        let Some(field) = self.section.texts("trust") else { return Vec::new() };
        let mut keys = Vec::new();
        for text in &field.value {
            // Every Ed25519 key begins so: RFC 8410, section 4.
            if text.value.starts_with("MCowBQYDK2Vw") {
                keys.push(PublicKey::Inline(text.value.to_owned()));
                continue;
            }
            match self.file(text.value) {
                Ok(address) => keys.push(PublicKey::File(address)),
                Err(wrong) => self.section.wrong(text, wrong),
            }
        }
        keys
    }

    /// Without a spec the host must be told what else it needs.
    fn agree(&self, name: &str, told: &Told, contract: ContractWish, table: Option<&Field<String>>) {
        let section = self.section;
        if *told != Told::Nothing {
            return;
        }
        if contract != ContractWish::Learn {
            section.missing(
                "contract",
                format!("`{name}` has neither a spec nor a channel"),
                format!("write spec = \"{name}.toml\", or contract = \"learn\" and a table"),
            );
        }
        if table.is_none() {
            let table = name.replace('-', "_");
            let table = if names::catalog("table", &table).is_ok() { &table } else { "NAME" };
            let hint = format!("write table = \"{table}\"");
            section.missing("table", format!("`{name}` has no spec that names its table"), hint);
        }
    }

    fn notify(&self) -> Notify {
        let Some(section) = self.section.section("notify", &NOTIFY) else { return Notify::default() };
        let topic = |key| section.checked(key, names::topic).map(|field| field.value);
        let quarantine = topic("quarantine");
        let above = section.number_or("quarantine_above", Above::records, Above::parse);
        if !section.has("quarantine") {
            section.of_no_use(&["quarantine_above"], true, "is of use with a `quarantine` topic only");
        }
        Notify {
            success: topic("success"),
            failure: topic("failure"),
            quarantine,
            quarantine_above: above.map(|field| field.value).unwrap_or_default(),
        }
    }

    fn lineage(&self, section: &Section<'_>) -> Option<Lineage> {
        let hint = "write write_to = \"s3://BUCKET/PREFIX/\"";
        section.missing("write_to", "[lineage] needs `write_to`", hint);
        let namespace = section.text("namespace").map(|field| field.value.to_owned());
        let write_to = self.place("lineage.write_to", section, "write_to")?;
        Some(Lineage { write_to, namespace })
    }
}

/// Keys that say something about a channel.
const CHANNEL_ONLY: [&str; 5] = ["registry", "trust", "min_sequence", "accept_sequence", "key"];

fn output(section: &Section<'_>) -> Output {
    let encryption = section.one_of("encryption", &[("sse-s3", false), ("sse-kms", true)]);
    let key = section.checked("kms_key", names::kms_key).map(|field| field.value);
    let kms = encryption.is_some_and(|field| field.value);
    if !kms {
        let decided = encryption.is_some_and(|field| field.own);
        section.of_no_use(&["kms_key"], decided, "is of use with encryption = \"sse-kms\" only");
    }
    let classes = STORAGE_CLASSES.map(|class| (class, class));
    Output {
        encryption: encryption.map(|_| if kms { Encryption::Kms { key } } else { Encryption::S3 }),
        storage_class: section.one_of("storage_class", &classes).map(|field| field.value.to_owned()),
    }
}

/// One object, such as a spec.
fn object(text: &str, origin: &Origin) -> Result<Address, Wrong> {
    match location::address(text, origin)? {
        Address::S3 { key, .. } if key.is_empty() || key.ends_with('/') => {
            Err(Wrong::new("this is a prefix and no object").hint("write s3://BUCKET/KEY of the file"))
        }
        address => Ok(address),
    }
}
