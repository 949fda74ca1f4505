//! From the text to pipelines.
//!
//! Not for values (each has its own module) or for what pipelines are to each other (`cross`). The decision
//! to know: a pipeline is read to its end whatever is wrong with it, and those that are whole are compared,
//! so that one run of the check tells all there is to mend.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use crate::config::catalog::Catalog;
use crate::config::cross;
use crate::config::cross::Marked;
use crate::config::keys::{CATALOG, FAILED, LIMITS, LINEAGE, NOTIFY, OUTPUT, PIPELINE, TOP};
use crate::config::limits::PipelineLimits;
use crate::config::location;
use crate::config::location::{Address, Location};
use crate::config::mistake::{Mistake, Mistakes, Wrong};
use crate::config::names;
use crate::config::origin::Origin;
use crate::config::pipeline::{
    Above, ContractWish, Encryption, Lineage, Notify, Output, Pipeline, PublicKey, SourcePattern, Told,
};
use crate::config::section::{Field, Section};
use crate::config::{CONFIG_VERSION, Config};

pub(super) fn config(text: &str, origin: &Origin) -> Result<Config, Vec<Mistake>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mistakes = Mistakes::new(text);
    errors.iter().for_each(|error| mistakes.syntax(error));
    let pipelines = pipelines(root.get_ref(), origin, &mistakes);
    cross::check(&pipelines, &mistakes);
    let found = mistakes.into_sorted();
    if !found.is_empty() {
        return Err(found);
    }
    let pipelines = pipelines.into_iter().map(|marked| (marked.pipeline.name.clone(), marked.pipeline));
    Ok(Config { pipelines: pipelines.collect() })
}

/// All pipelines that are whole.
fn pipelines<'a>(root: &'a DeTable<'a>, origin: &Origin, mistakes: &'a Mistakes<'a>) -> Vec<Marked> {
    let top = Section::new(&TOP, Some(root), None, 0, mistakes);
    if let Some(version) = top.whole("version").filter(|version| version.value != CONFIG_VERSION as i64) {
        let message = format!("version {} is not known: it is {CONFIG_VERSION}", version.value);
        top.wrong(&version, Wrong::new(message));
    }
    let defaults = top.section("defaults", &PIPELINE);
    if root.get("pipeline").is_some_and(|value| matches!(value.get_ref(), DeValue::Array(_))) {
        let wrong = Wrong::new("pipelines have names").hint("write [pipeline.orders] for [[pipeline]]");
        mistakes.wrong(root.get_key_value("pipeline").map_or(0, |(key, _)| key.span().start), wrong);
        return Vec::new();
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
        Reader { origin, section: &section, marks: BTreeMap::new() }.pipeline(name)
    };
    named.into_iter().filter_map(read).collect()
}

/// Reads one pipeline; keeps where its places were named.
struct Reader<'r, 'a> {
    origin: &'r Origin,
    section: &'r Section<'a>,
    marks: BTreeMap<&'static str, usize>,
}

impl Reader<'_, '_> {
    fn pipeline(mut self, name: &str) -> Option<Marked> {
        let (section, origin) = (self.section, self.origin);
        let source = self.marked("source", section.checked("source", |text| location::source(text, origin)));
        let suffixes = self.suffixes();
        let lake = self.marked("lake", section.checked("lake", |text| location::location(text, origin)));
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
        section.missing(
            "source",
            format!("`{name}` has no source"),
            "write source = \"s3://BUCKET/PREFIX/\"",
        );
        section.missing("lake", format!("`{name}` has no lake"), "write lake = \"s3://BUCKET/PREFIX/\"");
        if let Some(told) = &told {
            self.agree(name, told, contract, table.as_ref());
        }
        if let (Some(Location::Local(_)), Some(Catalog::Glue { .. } | Catalog::Crawler { .. })) =
            (&lake, &catalog)
        {
            let wrong = Wrong::new(format!("the lake of `{name}` is local, and Glue cannot see it"));
            section
                .mistakes
                .wrong(section.offset, wrong.hint("leave the catalog away, or write kind = \"none\""));
        }
        let pipeline = Pipeline {
            name: name.to_owned(),
            at: section.mistakes.at(section.offset),
            source: SourcePattern { location: source?, suffixes },
            told: told?,
            table: table.map(|field| field.value),
            lake: lake?,
            contract,
            paused,
            catalog: catalog?,
            notify,
            failed_copy,
            output,
            limits,
            lineage,
        };
        Some(Marked { pipeline, marks: self.marks, offset: section.offset })
    }

    fn marked<T>(&mut self, name: &'static str, field: Option<Field<T>>) -> Option<T> {
        let field = field?;
        self.marks.insert(name, field.offset);
        Some(field.value)
    }

    fn place(&mut self, name: &'static str, section: &Section<'_>, key: &str) -> Option<Location> {
        let origin = self.origin;
        self.marked(name, section.checked(key, |text| location::location(text, origin)))
    }

    fn suffixes(&mut self) -> Vec<String> {
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
    fn told(&mut self) -> Option<Told> {
        let (section, origin) = (self.section, self.origin);
        let has = |key, rival| section.has_own(key) || section.has(key) && !section.has_own(rival);
        let (spec, channel) = (has("spec", "channel"), has("channel", "spec"));
        if !channel {
            section.of_no_use(&CHANNEL_ONLY, spec, "is of use with `channel` only");
        }
        match (spec, channel) {
            (false, false) => Some(Told::Nothing),
            (true, false) => {
                let spec = section.checked("spec", |text| object(text, origin))?;
                self.marks.insert("spec", spec.offset);
                Some(Told::Spec { address: spec.value, at: section.mistakes.at(spec.offset) })
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
            match object(text.value, self.origin) {
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
        let wanted = "a share such as \"1%\", or a number of records";
        let above = section.number_or("quarantine_above", wanted, Above::records, Above::parse);
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

    fn lineage(&mut self, section: &Section<'_>) -> Option<Lineage> {
        let hint = "write write_to = \"s3://BUCKET/PREFIX/\"";
        section.missing("write_to", "[lineage] needs `write_to`", hint);
        let namespace = section.text("namespace").map(|field| field.value.to_owned());
        let write_to = self.place("lineage.write_to", section, "write_to")?;
        Some(Lineage { write_to, namespace })
    }
}

/// Keys that say something about a channel.
const CHANNEL_ONLY: [&str; 5] = ["registry", "trust", "min_sequence", "accept_sequence", "key"];

/// Storage classes that a query reads from at once; the archives would have to be restored first.
const STORAGE_CLASSES: [&str; 5] =
    ["STANDARD", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"];

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
