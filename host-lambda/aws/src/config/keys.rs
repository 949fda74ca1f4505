//! The keys of each section, and what to say about one that is none of them.
//!
//! Not for values. The decision to know: an unknown key is always a mistake, since a misspelt one that is
//! ignored loses data or money silently; the hint names the nearest key, or the place where it belongs.

/// The keys of one section.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Keys {
    /// How messages call the section.
    pub(super) title: &'static str,
    /// What may stand in it.
    pub(super) names: &'static [&'static str],
}

pub(super) static TOP: Keys =
    Keys { title: "the configuration", names: &["version", "defaults", "pipeline"] };

pub(super) static PIPELINE: Keys = Keys {
    title: "[pipeline.NAME]",
    names: &[
        "source",
        "suffix",
        "spec",
        "channel",
        "registry",
        "trust",
        "min_sequence",
        "accept_sequence",
        "key",
        "table",
        "lake",
        "contract",
        "paused",
        "catalog",
        "notify",
        "failed",
        "output",
        "limits",
        "lineage",
    ],
};

pub(super) static CATALOG: Keys = Keys {
    title: "[pipeline.NAME.catalog]",
    names: &["kind", "database", "table_prefix", "projection", "quarantine", "crawler", "wait"],
};

pub(super) static PROJECTION: Keys = Keys {
    title: "[pipeline.NAME.catalog.projection.COLUMN]",
    names: &["type", "values", "range", "format", "interval", "unit", "digits"],
};

pub(super) static NOTIFY: Keys = Keys {
    title: "[pipeline.NAME.notify]",
    names: &["success", "failure", "quarantine", "quarantine_above"],
};

pub(super) static FAILED: Keys = Keys { title: "[pipeline.NAME.failed]", names: &["copy_to"] };

pub(super) static OUTPUT: Keys =
    Keys { title: "[pipeline.NAME.output]", names: &["encryption", "kms_key", "storage_class"] };

pub(super) static LIMITS: Keys = Keys {
    title: "[pipeline.NAME.limits]",
    names: &[
        "memory_bytes",
        "step_seconds",
        "object_seconds",
        "output_bytes",
        "parts",
        "open_parts",
        "quarantine_bytes",
        "staging_bytes",
        "spill_bytes",
        "max_object_bytes",
    ],
};

pub(super) static LINEAGE: Keys =
    Keys { title: "[pipeline.NAME.lineage]", names: &["write_to", "namespace"] };

static SECTIONS: [&Keys; 9] =
    [&TOP, &PIPELINE, &CATALOG, &PROJECTION, &NOTIFY, &FAILED, &OUTPUT, &LIMITS, &LINEAGE];

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
    /// What to do about `key`, which is none of these.
    pub(super) fn hint(&self, key: &str) -> String {
        if let Some(near) = nearest(key, self.names.iter().copied()) {
            return format!("did you mean `{near}`?");
        }
        if SPEC.contains(&key) {
            return "it belongs into the spec: what a transform does is said there and only there".into();
        }
        match SECTIONS.iter().find(|section| section.names.contains(&key)) {
            Some(section) => format!("it belongs into {}", section.title),
            None => format!("here are {}", self.names.join(", ")),
        }
    }
}

/// The one that `text` most likely was meant to be: a third of it may differ, two swapped letters are one
/// difference.
pub(super) fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let text = plain(text);
    let allowed = (text.chars().count() / 3).max(1);
    let ranked = names.map(|name| (distance(&text, &plain(name)), name));
    let (distance, name) = ranked.min()?;
    (distance <= allowed).then_some(name)
}

/// Optimal string alignment distance.
fn distance(this: &str, that: &str) -> usize {
    let (this, that): (Vec<char>, Vec<char>) = (this.chars().collect(), that.chars().collect());
    let mut rows = vec![(0..=that.len()).collect::<Vec<usize>>()];
    for (i, &a) in this.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in that.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == that[j - 1] && b == this[i - 1] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[this.len()][that.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let cases = [
            ("sorce", Some("source")),
            ("soruce", Some("source")),
            ("Lake", Some("lake")),
            ("pausd", Some("paused")),
            ("suffixes", Some("suffix")),
            ("x", None),
            ("notification", None),
            ("tabel", Some("table")),
        ];
        for (text, expected) in cases {
            assert_eq!(nearest(text, PIPELINE.names.iter().copied()), expected, "{text}");
        }
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }

    #[test]
    fn a_key_is_sent_where_it_belongs() {
        assert_eq!(PIPELINE.hint("database"), "it belongs into [pipeline.NAME.catalog]");
        assert!(PIPELINE.hint("partition_by").contains("spec"));
        assert_eq!(FAILED.hint("zzz"), "here are copy_to");
    }
}
