//! What pipelines must not be to each other.
//!
//! Not for one pipeline's own values. The decision to know: nobody may read where anybody writes, not even
//! in a chain that ends: an object taken in twice is found late and costs much, a second prefix nothing.

use std::collections::BTreeMap;

use crate::location::Location;
use crate::mistake::{Mistakes, Wrong};
use crate::nearest::nearest;
use crate::pipeline::{Pipeline, Told};
use crate::stack::Stack;

/// A pipeline, and where the text names its places.
pub(super) struct Marked {
    pub(super) pipeline: Pipeline,
    /// Byte offsets by key.
    pub(super) marks: BTreeMap<&'static str, usize>,
    /// Pipelines that it says to take objects before, and where.
    pub(super) before: Vec<(String, usize)>,
    /// Byte offset of the section.
    pub(super) offset: usize,
}

impl Marked {
    fn offset(&self, key: &str) -> usize {
        self.marks.get(key).copied().unwrap_or(self.offset)
    }

    fn name(&self) -> &str {
        &self.pipeline.name
    }

    fn source(&self) -> String {
        self.pipeline.source.location.uri()
    }
}

/// `names` are those of all pipelines, also of those that are not whole.
pub(super) fn check(pipelines: &[Marked], names: &[&str], mistakes: &Mistakes<'_>) {
    for (index, this) in pipelines.iter().enumerate() {
        this.before.iter().for_each(|(name, offset)| stated(this, name, *offset, pipelines, names, mistakes));
        for other in &pipelines[..index] {
            same_objects(this, other, mistakes);
            nested_lakes(this, other, mistakes);
        }
        for writer in pipelines {
            loops(this, writer, mistakes);
            nested_sources(this, writer, mistakes);
            specs(this, writer, mistakes);
        }
    }
}

/// What a stack cannot do with a pipeline.
pub(super) fn stacked(stack: &Stack, this: &Marked, mistakes: &Mistakes<'_>) {
    let pipeline = &this.pipeline;
    let Location::S3 { bucket, .. } = &pipeline.source.location else { return };
    if stack.existing.contains(bucket) && pipeline.trigger.is_notification() {
        let (trigger, name) = (pipeline.trigger.name(), &pipeline.name);
        let message = format!(
            "the bucket {bucket} is there already, and the trigger \"{trigger}\" of `{name}` would replace what it notifies now"
        );
        let hint = "write trigger = \"eventbridge\" or \"step-functions\": EventBridge is switched on beside \
                    whatever a bucket notifies";
        mistakes.wrong(this.offset("trigger"), Wrong::new(message).hint(hint));
    }
}

/// The longest prefix wins, then the longest suffix: only when both are the same nobody does.
fn same_objects(this: &Marked, other: &Marked, mistakes: &Mistakes<'_>) {
    let (these, those) = (&this.pipeline.source.suffixes, &other.pipeline.source.suffixes);
    let shared = these.iter().find(|suffix| those.contains(suffix));
    let tie = shared.is_some() || these.is_empty() && those.is_empty();
    if !tie || this.source() != other.source() {
        return;
    }
    // The later of the two is the one to change.
    let (first, second) =
        if this.offset("source") < other.offset("source") { (this, other) } else { (other, this) };
    let line = mistakes.at(first.offset("source")).line;
    let suffix = shared.map(|suffix| format!(" that end with {suffix}")).unwrap_or_default();
    let message = format!("`{}` takes the same objects as `{}` (line {line})", second.name(), first.name());
    let hint =
        format!("both take those below {}{suffix}: tell them apart by prefix or suffix", first.source());
    mistakes.wrong(second.offset("source"), Wrong::new(message).hint(hint));
}

/// A source inside another one takes objects away from it. Somebody may mean that, and says so with `before`; else
/// a table lacks rows and nobody is told.
fn nested_sources(inner: &Marked, outer: &Marked, mistakes: &Mistakes<'_>) {
    let (this, that) = (inner.source(), outer.source());
    let inside = this.len() > that.len() && this.starts_with(&that);
    let both = ends_meet(&inner.pipeline.source.suffixes, &outer.pipeline.source.suffixes);
    if !inside || !both || inner.before.iter().any(|(name, _)| name == outer.name()) {
        return;
    }
    let line = mistakes.at(outer.offset("source")).line;
    let (inner_name, outer_name) = (inner.name(), outer.name());
    let message = format!(
        "the source of `{inner_name}` is inside the source of `{outer_name}` (line {line}), and takes its objects"
    );
    let hint = format!(
        "the longer prefix wins: write before = \"{outer_name}\" in [pipeline.{inner_name}] if that is meant, or keep \
         the sources apart by prefix or suffix"
    );
    mistakes.wrong(inner.offset("source"), Wrong::new(message).hint(hint));
}

/// Whether a name can end with one of each.
fn ends_meet(these: &[String], those: &[String]) -> bool {
    let meet = |this: &String| those.iter().any(|that| this.ends_with(that.as_str()) || that.ends_with(this));
    these.is_empty() || those.is_empty() || these.iter().any(meet)
}

/// What `before` says must be so, since a reader believes it.
fn stated(
    this: &Marked,
    name: &str,
    offset: usize,
    pipelines: &[Marked],
    names: &[&str],
    mistakes: &Mistakes<'_>,
) {
    let wrong = match pipelines.iter().find(|other| other.name() == name) {
        Some(other) if other.name() != this.name() && this.source().starts_with(&other.source()) => return,
        Some(_) => {
            Wrong::new(format!("the source of `{}` is not inside the source of `{name}`", this.name()))
                .hint("`before` names pipelines whose source holds this one's: leave it away")
        }
        None if names.contains(&name) => return,
        None => {
            let wrong = Wrong::new(format!("there is no pipeline `{name}`"));
            match nearest(name, names.iter().copied()) {
                Some(near) => wrong.hint(format!("did you mean \"{near}\"?")),
                None => wrong,
            }
        }
    };
    mistakes.wrong(offset, wrong);
}

/// Equal lakes are fine: each table has its folder. One inside the other looks like a table of it.
fn nested_lakes(this: &Marked, other: &Marked, mistakes: &Mistakes<'_>) {
    let (these, those) = (this.pipeline.lake.uri(), other.pipeline.lake.uri());
    let (inner, outer) = match () {
        () if these == those => return,
        () if these.starts_with(&those) => (this, other),
        () if those.starts_with(&these) => (other, this),
        () => return,
    };
    let message = format!("the lake of `{}` is inside the lake of `{}`", inner.name(), outer.name());
    let hint =
        format!("{} looks like a table there: use one lake for both, or two apart", inner.pipeline.lake);
    mistakes.wrong(inner.offset("lake"), Wrong::new(message).hint(hint));
}

fn loops(reader: &Marked, writer: &Marked, mistakes: &Mistakes<'_>) {
    let source = reader.source();
    for (key, place) in writer.pipeline.outputs() {
        let output = place.uri();
        let whose = if reader.name() == writer.name() {
            format!("its own `{key}`")
        } else {
            format!("`{key}` of `{}`", writer.name())
        };
        let message = if source.starts_with(&output) {
            format!("a loop: the source of `{}` is below {whose}, {output}", reader.name())
        } else if output.starts_with(&source) {
            format!("a loop: the source of `{}` holds {whose}, {output}", reader.name())
        } else {
            continue;
        };
        let hint = format!(
            "what `{}` writes would come in through `{}` again: keep sources and outputs apart",
            writer.name(),
            reader.name()
        );
        mistakes.wrong(reader.offset("source"), Wrong::new(message).hint(hint));
    }
}

/// A spec or a release that is published below a source would be taken for data.
fn specs(reader: &Marked, other: &Marked, mistakes: &Mistakes<'_>) {
    let (key, taken, what) = match &other.pipeline.told {
        Told::Spec { address, .. } => {
            ("spec", reader.pipeline.source.fit(&address.uri()).is_some(), address.uri())
        }
        Told::Channel { registry, .. } => {
            ("registry", inside(registry, &reader.pipeline.source.location), registry.uri())
        }
        Told::Nothing => return,
    };
    if taken {
        let message = format!("`{}` would take {what} for a source object", reader.name());
        mistakes.wrong(other.offset(key), Wrong::new(message).hint("move it out of the source's prefix"));
    }
}

/// Why nothing may be written to a lake that a person names, for the sake of these pipelines.
pub(super) fn in_the_way<'p>(
    lake: &Location,
    mut pipelines: impl Iterator<Item = &'p Pipeline>,
) -> Option<String> {
    pipelines.find_map(|pipeline| {
        let (name, source, theirs) = (&pipeline.name, &pipeline.source.location, &pipeline.lake);
        if inside(lake, source) {
            return Some(format!("lies where the pipeline {name} reads: its files would be taken in"));
        }
        let nested = lake != theirs && (inside(lake, theirs) || inside(theirs, lake));
        nested.then(|| format!("and {theirs}, the lake of the pipeline {name}, lie one in the other"))
    })
}

fn inside(inner: &Location, outer: &Location) -> bool {
    inner.uri().starts_with(&outer.uri())
}
