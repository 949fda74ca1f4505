//! What the columns at a node take for certain, judged by a value's kind alone.
//!
//! For: the learner, which has every value's kind at hand and only sends a record to its judge where one may not fit.
//! The decision to know: a set here may be too small, which costs a second walk of the record; it is never too large.

use crate::column::ColumnType;
use crate::json::NOWHERE;
use crate::learn::Kinds;
use crate::limits::RECORD_ROWS_BYTES;

use super::Shredder;
use super::plan::{Plan, Target};

impl Plan {
    /// The kinds of values that nothing at a node could refuse; `fields`: values are CSV fields.
    pub(super) fn sure(&self, node: u32, fields: bool) -> Kinds {
        let Some(plan) = self.nodes.get(node as usize).filter(|plan| plan.known) else { return Kinds::ALL };
        let mut kinds = if plan.targets.is_empty() && (plan.object || plan.rows.is_some()) {
            Kinds::NULL
        } else {
            plan.targets.iter().map(|target| target.sure(fields)).fold(Kinds::ALL, Kinds::common)
        };
        if plan.targets.is_empty() && plan.object {
            kinds = kinds.join(Kinds::OBJECT);
        }
        if plan.targets.is_empty() && plan.rows.is_some() {
            kinds = kinds.join(Kinds::OBJECT).join(Kinds::ARRAY).join(Kinds::ARRAY_OF_OBJECTS);
        }
        kinds
    }

    /// The node below a key, or below the declared key that it means.
    pub(super) fn node_below(&mut self, node: u32, key: &[u8]) -> u32 {
        let Some(plan) = self.nodes.get(node as usize) else { return NOWHERE };
        if let Some(child) = plan.keys.find(key) {
            return child;
        }
        match self.alike(node, key) {
            Some(position) => self.nodes[node as usize].keys.node(position),
            None => NOWHERE,
        }
    }

    /// The node of the elements of an array that makes rows.
    pub(super) fn element_of(&self, node: u32) -> u32 {
        let rows = self.nodes.get(node as usize).and_then(|plan| plan.rows.as_ref());
        rows.map_or(NOWHERE, |(_, element)| *element)
    }
}

impl Shredder {
    /// Whether the rows of a record of so many bytes could be too large: each byte an element, and each element with
    /// all text of the record.
    pub(super) fn may_be_too_large(&self, bytes: usize) -> bool {
        let row: usize = self.batch.tables.iter().map(|table| table.row_bytes).sum();
        bytes.saturating_mul(row.saturating_add(bytes)) > RECORD_ROWS_BYTES
    }
}

impl Target {
    fn sure(&self, fields: bool) -> Kinds {
        let null = Kinds::NULL;
        if self.clean.is_some() {
            // A field that is null elsewhere may be none here.
            return if fields { Kinds::default() } else { null };
        }
        match self.ty {
            ColumnType::String if fields => Kinds::ALL,
            ColumnType::String => Kinds::ALL.without(Kinds::NESTED),
            ColumnType::Json if fields => null,
            ColumnType::Json => Kinds::ALL,
            ColumnType::Boolean => null.join(Kinds::BOOLEAN),
            ColumnType::Bigint => null.join(Kinds::INT53).join(Kinds::INT64),
            ColumnType::Double => null.join(Kinds::INT53).join(Kinds::DOUBLE).join(Kinds::LONG),
            ColumnType::Date if self.format.is_none() => null.join(Kinds::DATE),
            // Near the year 10000, an offset decides.
            ColumnType::Timestamp | ColumnType::TimestampMicros
                if self.format.is_none() && self.tz_offset_ms == 0 =>
            {
                null.join(Kinds::TIMESTAMP).join(Kinds::FINE)
            }
            ColumnType::Date
            | ColumnType::Timestamp
            | ColumnType::TimestampMicros
            | ColumnType::Decimal { .. } => null,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FieldRules, Learner, Scope, Usual};
    use super::*;
    use crate::json::Cursor;
    use crate::learn::Learned;
    use crate::propose;
    use crate::spec::Spec;

    const TYPES: [&str; 10] = [
        "boolean",
        "bigint",
        "double",
        "decimal(9,2)",
        "string",
        "date",
        "timestamp",
        "timestamp(6)",
        "json",
        "bigint\"\nthousands = \",",
    ];

    /// Who judges a column of a type, and who learns without a judge.
    fn both(ty: &str) -> (Shredder, Learner) {
        let text = format!("[[table]]\nname = \"t\"\n[[table.column]]\nname = \"v\"\ntype = \"{ty}\"\n");
        let spec = Spec::parse(&text).unwrap();
        let nothing = Learned::new(&spec.limits);
        let known = [propose::known(&spec.tables[0], "t", None, &nothing)];
        let plan = Plan::new(&spec.tables, &known, Usual { tz_offset_ms: 0, decimal: '.' }).unwrap();
        let scope = Scope::new(&spec.tables, &[None], false);
        (Shredder::new(plan, 64, true), Learner::new(nothing, scope, None, 64))
    }

    fn kinds(learner: &Learner) -> Kinds {
        let node = learner.learned.nodes[0].keys.find(b"v");
        node.map_or(Kinds::default(), |node| learner.learned.nodes[node as usize].kinds)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn what_is_sure_is_taken(
            ty in proptest::sample::select(&TYPES[..]),
            scalar in prop_oneof![
                "-?(0|[1-9][0-9]{0,19})([.][0-9]{1,20})?(e-?[0-9]{1,2})?",
                Just("true".to_owned()), Just("false".to_owned()), Just("null".to_owned()),
                "\"[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9]([.][0-9]{1,9})?)?(Z|[+-]02:00)?)?\"",
                "\"[ a-z0-9,.]{0,6}\"", Just("{\"a\":1}".to_owned()), Just("[1]".to_owned()),
            ],
        ) {
            let (mut judge, mut learner) = both(ty);
            let node = judge.plan.node_below(0, b"v");
            let record = format!("{{\"v\":{scalar}}}");
            let cursor = Cursor { input: record.as_bytes(), complete: true };
            if learner.walk(&cursor, 0).is_ok() {
                learner.commit();
                judge.begin();
                let judged = judge.walk(&cursor, 0);
                prop_assert!(!judge.plan.sure(node, false).has(kinds(&learner)) || judged.is_ok(), "{ty}: {record}");
            }
            let (mut judge, mut learner) = both(ty);
            let field = scalar.trim_matches('"');
            let column = learner.csv_column(b"v").unwrap();
            let null = field.is_empty();
            learner.field(column, field.as_bytes(), null, b'.');
            learner.commit();
            judge.begin();
            let rules = FieldRules { decimal: b'.', nulls: &[], empty_is_text: false };
            let judged = if null { Ok(()) } else { judge.field(node, field.as_bytes(), rules, 0) };
            prop_assert!(!judge.plan.sure(node, true).has(kinds(&learner)) || judged.is_ok(), "{ty}: field {field}");
        }
    }
}
