//! Generated records: enough alike to make tables, enough unlike to drift.
//!
//! For: the differential test and the laws. Not for: broken grammar (a fixed list has those). The
//! decision to know: a data set first draws a palette (which kinds of value each key takes, two at
//! most), then its records: values drawn one by one would make every column a string.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;

/// A kind of value of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Integers that a double holds, some at its edge.
    Small,
    /// Integers beyond 2^53.
    Wide,
    /// Integers beyond 64 bits.
    Beyond,
    /// Numbers with fraction or exponent.
    Fraction,
    /// `true`, `false`
    Boolean,
    /// Texts, also empty, escaped, non-ASCII.
    Text,
    /// Arrays of scalars.
    List,
    /// An object of one or two scalars.
    Object,
    /// Arrays of objects, with null elements, empty or null.
    Items,
}

const SCALARS: [Shape; 6] =
    [Shape::Small, Shape::Wide, Shape::Beyond, Shape::Fraction, Shape::Boolean, Shape::Text];

/// A set of records, each as JSON text on one line; the last is always a good one, since an object
/// without any fails as a whole.
pub fn records() -> impl Strategy<Value = Vec<String>> {
    let drawn = palette().prop_flat_map(|palette| vec(record(palette), 1..25));
    drawn.prop_map(|records| [records, vec!["{\"last\":1}".to_owned()]].concat())
}

/// Keys and the kinds of value they take here.
type Palette = Vec<(&'static str, Vec<Shape>)>;

fn palette() -> impl Strategy<Value = Palette> {
    let scalar = || vec(select(&SCALARS[..]), 1..3);
    let top =
        ["id", "ID", "name", "createdAt", "a.b", "total amount", "ünit"].map(|key| (Just(key), scalar()));
    let mixed =
        (Just("mixed"), vec(select(vec![Shape::Small, Shape::Text, Shape::List, Shape::Object]), 1..3));
    let customer = (Just("customer"), Just(vec![Shape::Object]));
    let tags = (Just("tags"), Just(vec![Shape::List]));
    let items = (Just("items"), Just(vec![Shape::Items]));
    let coupons = (Just("coupons"), Just(vec![Shape::Items]));
    (top, proptest::option::of(mixed), customer, tags, items, proptest::option::weighted(0.3, coupons))
        .prop_map(|(top, mixed, customer, tags, items, coupons)| {
            top.into_iter().chain(mixed).chain([customer, tags, items]).chain(coupons).collect()
        })
}

/// One record: each key there or not, a value of one of its kinds or null.
fn record(palette: Palette) -> impl Strategy<Value = String> {
    let members: Vec<BoxedStrategy<Option<String>>> = palette
        .into_iter()
        .map(|(key, shapes)| {
            let value = one_of(&shapes);
            proptest::option::weighted(0.8, value)
                .prop_map(move |value| value.map(|value| format!("{}:{value}", quoted(key))))
                .boxed()
        })
        .collect();
    (members, 0..40u8).prop_map(|(members, spoilt)| {
        let mut members: Vec<String> = members.into_iter().flatten().collect();
        match spoilt {
            0 => members.insert(0, "\"twice\":1,\"twice\":2".to_owned()),
            1 => members.insert(0, "\"surrogate\":\"\\ud800\"".to_owned()),
            2 => members.insert(0, "\"infinite\":1e999".to_owned()),
            3 => return "[1]".to_owned(),
            _ => {}
        }
        format!("{{{}}}", members.join(","))
    })
}

fn one_of(shapes: &[Shape]) -> BoxedStrategy<String> {
    let mut choices: Vec<(u32, BoxedStrategy<String>)> =
        shapes.iter().map(|shape| (4, value(*shape))).collect();
    choices.push((1, Just("null".to_owned()).boxed()));
    Union::new_weighted(choices).boxed()
}

fn value(shape: Shape) -> BoxedStrategy<String> {
    let texts =
        |texts: &[&str]| select(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed();
    match shape {
        Shape::Small => prop_oneof![
            4 => (-1000i64..1000).prop_map(|number| number.to_string()),
            1 => texts(&["9007199254740992", "-9007199254740992", "0", "-0"]),
        ]
        .boxed(),
        Shape::Wide => texts(&["9007199254740993", "-9223372036854775808", "9223372036854775807"]),
        Shape::Beyond => texts(&["9223372036854775808", "-100000000000000000000"]),
        Shape::Fraction => prop_oneof![
            3 => (-1e6f64..1e6).prop_map(|number| format!("{number:.2}")),
            1 => texts(&["1e3", "-0.0", "2.50", "1E-7", "3.0", "1.7976931348623157e308", "5e-324"]),
        ]
        .boxed(),
        Shape::Boolean => texts(&["true", "false"]),
        Shape::Text => prop_oneof![
            "[a-z]{0,6}".prop_map(|text| quoted(&text)),
            "\\PC{0,4}".prop_map(|text| quoted(&text)),
            texts(&[
                "\"12\"",
                "\"true\"",
                "\"\"",
                "\"a\\u0000b\"",
                "\"\\ud83d\\ude00\"",
                "\"\\\"\\\\\"",
                "\"007\""
            ]),
        ]
        .boxed(),
        Shape::List => vec(prop_oneof![value(Shape::Small), value(Shape::Text)], 0..3)
            .prop_map(|items| format!("[{}]", items.join(", ")))
            .boxed(),
        Shape::Object => (one_of(&[Shape::Text]), proptest::option::of(one_of(&[Shape::Small])))
            .prop_map(|(name, id)| {
                let id = id.map_or(String::new(), |id| format!(",\"id\": {id}"));
                format!("{{\"name\":{name}{id}}}")
            })
            .boxed(),
        Shape::Items => vec(element(), 0..4).prop_map(|items| format!("[{}]", items.join(","))).boxed(),
    }
}

fn element() -> BoxedStrategy<String> {
    let object = (one_of(&[Shape::Text]), one_of(&[Shape::Small, Shape::Fraction]), one_of(&[Shape::List]))
        .prop_map(|(name, price, subs)| format!("{{\"name\":{name},\"price\":{price},\"subs\":{subs}}}"));
    prop_oneof![8 => object, 1 => Just("null".to_owned()), 1 => Just("{\"price\":1}".to_owned())].boxed()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
