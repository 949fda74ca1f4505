//! What holds of every edit of every spec: it is in the text afterwards, nothing else is other than before, and the
//! same edit once more changes nothing.

use lakegate_model::{Edit, Fix};
use proptest::prelude::*;

use super::apply;

#[test]
fn edits_are_minimal() {
    let column =
        |name: &str, key, value: &str| Edit::column("t", name, Some(format!("x.{name}")), key, value);
    for (before, edit, after) in [
        ("", Edit::input("records", "\"data\""), "[input]\nrecords = \"data\"\n"),
        ("", Edit::table("t", "rows", "\"items\""), "[[table]]\nrows = \"items\"\n"),
        (
            "",
            column("a", "type", "\"json\""),
            "[[table]]\n\n[[table.column]]\nname = \"a\"\nfrom = \"x.a\"\ntype = \"json\"\n",
        ),
        (
            "# mine\n[[table]] # one\nname = \"t\"\n",
            Edit::input("delimiter", "\"|\""),
            "# mine\n[[table]] # one\nname = \"t\"\n\n[input]\ndelimiter = \"|\"\n",
        ),
        (
            "[input]\ndelimiter = \";\"   # of old\nheader = true\n",
            Edit::input("delimiter", "\"|\""),
            "[input]\ndelimiter = \"|\"   # of old\nheader = true\n",
        ),
        (
            "[[table]]\nname = \"t\"\n\n[[table.column]]\nname = \"a\"\ntype = \"string\"\n\n# next\n[[table.column]]\nname = \"b\"\n",
            column("a", "type", "\"double\""),
            "[[table]]\nname = \"t\"\n\n[[table.column]]\nname = \"a\"\ntype = \"double\"\n\n# next\n[[table.column]]\nname = \"b\"\n",
        ),
        (
            "[[table]]\n\n[[table.column]]\nname = \"b\"\nfrom = \"x.a\"\n\n[[table.check]]\nname = \"c\"\nsql = \"b > 0\"\n",
            column("a", "type", "\"json\""),
            "[[table]]\n\n[[table.column]]\nname = \"b\"\nfrom = \"x.a\"\ntype = \"json\"\n\n[[table.check]]\nname = \"c\"\nsql = \"b > 0\"\n",
        ),
        (
            "table = [{ name = \"t\", column = [{ name = \"b\" }] }] # all\n",
            column("a", "type", "\"json\""),
            "table = [{ name = \"t\", column = [{ name = \"b\" }, { name = \"a\", from = \"x.a\", type = \"json\" }] }] # all\n",
        ),
        ("input.header = true\n", Edit::input("header", "false"), "input.header = false\n"),
    ] {
        let fix = Fix(vec![edit]);
        let once = apply(before, &fix).unwrap();
        assert_eq!(once, after);
        assert_eq!(apply(&once, &fix).unwrap(), after, "once more");
    }
}

#[test]
fn what_has_no_place_is_said() {
    for (spec, edit, said) in [
        ("[input", Edit::input("records", "\"a\""), "before its mistake is mended"),
        ("input = 3", Edit::input("records", "\"a\""), "`input` is no table"),
        ("", Edit::input("records", "a b"), "no value that a spec can have"),
        ("[table]\nname = \"t\"\n", Edit::table("t", "rows", "\"a\""), "`table` is no list"),
        ("[[table]]\nname = \"u\"\n", Edit::table("t", "rows", "\"a\""), "no table `t`"),
        ("[[table]]\ncolumn = 3\n", Edit::column("t", "a", None, "type", "\"date\""), "`column` is no list"),
    ] {
        let told = apply(spec, &Fix(vec![edit])).unwrap_err();
        assert!(told.contains(said), "{told}");
    }
}

/// Specs in several ways of writing, with comments and blank lines about.
fn spec() -> impl Strategy<Value = String> {
    let remark =
        prop_oneof![Just(""), Just("# a remark\n"), Just("\n"), Just("\n\n# [output]\n# of two lines\n")];
    let name = prop_oneof![Just("a"), Just("b"), Just("ä \\\"c")];
    let column =
        (remark.clone(), name, any::<bool>(), remark.clone()).prop_map(|(before, name, typed, behind)| {
            let ty = if typed { "type   =  'string' # as it came\n" } else { "" };
            format!("{before}[[table.column]]\nname = \"{name}\"\n{behind}{ty}")
        });
    let inline = proptest::collection::vec(any::<bool>(), 0..3).prop_map(|columns| {
        let columns: Vec<&str> = columns
            .iter()
            .map(|last| if *last { "{ name = 'a', type = 'date' }" } else { "{name='b'}" })
            .collect();
        format!("table = [ {{ rows = 'x', column = [{}] }}, ] # inline\n", columns.join(" , "))
    });
    let tables = (remark.clone(), proptest::collection::vec(column, 0..4), any::<bool>()).prop_map(
        |(remark, columns, named)| {
            let name = if named { "name = \"t\"\n" } else { "" };
            format!("[[table]]\n{name}{remark}{}", columns.concat())
        },
    );
    let input = prop_oneof![
        Just(""),
        Just("[input]\n"),
        Just("[input] # read so\nformat = 'csv'\n# none\nheader = true\n"),
    ];
    (remark, input, prop_oneof![Just(String::new()), tables, inline]).prop_map(|(remark, input, table)| {
        if table.starts_with("table") {
            format!("{remark}{table}{input}")
        } else {
            format!("{remark}{input}{table}")
        }
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let value = prop_oneof![Just("\"x\""), Just("false"), Just("'#'"), Just("[\"a\", \"b\"]")];
    prop_oneof![
        value.clone().prop_map(|value| Edit::input("header", value)),
        value.clone().prop_map(|value| Edit::input("records", value)),
        value.clone().prop_map(|value| Edit::table("t", "rows", value)),
        (prop_oneof![Just("a"), Just("b"), Just("new")], value).prop_map(|(name, value)| Edit::column(
            "t",
            name,
            Some("p.q".into()),
            "type",
            value
        )),
    ]
}

/// The value that an edit speaks of.
fn edited<'a>(spec: &'a toml::Table, edit: &Edit) -> Option<&'a toml::Value> {
    let Some(_) = edit.table else { return spec.get("input")?.get(&*edit.key) };
    let table = spec.get("table")?.get(0)?;
    let Some(name) = &edit.column else { return table.get(&*edit.key) };
    let columns = table.get("column")?.as_array()?;
    columns
        .iter()
        .find(|column| column.get("name").and_then(toml::Value::as_str) == Some(name))?
        .get(&*edit.key)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_is_made_and_nothing_else(spec in spec(), edit in edit()) {
        // A column twice is refused by the transform, and may be so by TOML.
        let Ok(_) = spec.parse::<toml::Table>() else { return Ok(()) };
        let fix = Fix(vec![edit.clone()]);
        let once = apply(&spec, &fix).unwrap();
        let after: toml::Table = once.parse().unwrap();
        let wanted: toml::Table = format!("v = {}", edit.value).parse().unwrap();
        prop_assert_eq!(edited(&after, &edit), wanted.get("v"), "{}", once);
        prop_assert_eq!(&apply(&once, &fix).unwrap(), &once);
        // One line may be another one, and lines come in one place; all others are there, in their order.
        let (before, behind): (Vec<&str>, Vec<&str>) = (spec.lines().collect(), once.lines().collect());
        let same = before.iter().zip(&behind).take_while(|(one, other)| one == other).count();
        let ends = before[same..].iter().rev().zip(behind[same..].iter().rev());
        let alike = ends.take_while(|(one, other)| one == other).count();
        prop_assert!(before.len() - same - alike <= 1, "{spec}\nin\n{once}");
        prop_assert_eq!(once.matches('#').count() - edit.value.matches('#').count(), spec.matches('#').count());
    }
}
