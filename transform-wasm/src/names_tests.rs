//! Names: the choice for each path, pointers and dotted paths.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::limits::NAME_BYTES;
use crate::names::{
    Naming, choose, column_pointer, is_valid, path_to_pointer, pointer_keys, pointer_push, singular,
    snake_case,
};

fn chosen(pointers: &[&str], rows: Option<&str>, naming: Naming, held: &[&str]) -> (Vec<String>, usize) {
    let pointers: Vec<String> = pointers.iter().map(|p| (*p).to_owned()).collect();
    let held: BTreeSet<String> = held.iter().map(|h| (*h).to_owned()).collect();
    let (names, renamed) = choose(&pointers, rows, naming, &held);
    (names, renamed.len())
}

#[test]
fn keys_become_snake_case() {
    for (key, name) in [
        ("orderId", "order_id"),
        ("HTTPServer", "http_server"),
        ("Größe", "groesse"),
        ("Order Date", "order_date"),
        ("$price", "price"),
        ("a.b", "a_b"),
        ("__x__", "x"),
        ("line2Total", "line2_total"),
    ] {
        assert_eq!(snake_case(key).as_deref(), Some(name), "{key}");
    }
    for key in ["", "__", "日付", "€"] {
        assert_eq!(snake_case(key), None, "{key}");
    }
}

#[test]
fn arrays_have_a_singular() {
    for (many, one) in [
        ("products", "product"),
        ("categories", "category"),
        ("boxes", "box"),
        ("address", "address"),
        ("s", "s"),
    ] {
        assert_eq!(singular(many), one);
    }
}

#[test]
fn leaves_grow_until_they_differ() {
    let pointers = ["/id", "/customer/name", "/products/*/name", "/products/*/price"];
    let (names, renamed) = chosen(&pointers, Some("/products"), Naming::Leaf, &[]);
    assert_eq!(names, ["id", "customer_name", "product_name", "price"]);
    assert_eq!(renamed, 0);
    let (names, _) = chosen(&pointers, Some("/products"), Naming::Path, &[]);
    assert_eq!(names, ["id", "customer_name", "product_name", "product_price"]);
}

#[test]
fn smaller_pointer_keeps_the_name() {
    let (names, renamed) = chosen(&["/id", "/ID"], None, Naming::Leaf, &[]);
    assert_eq!(names[1], "id");
    assert!(names[0].starts_with("id_") && names[0].len() == 9, "{}", names[0]);
    assert_eq!(renamed, 1);
    let (names, renamed) = chosen(&["/a.b", "/a/b"], None, Naming::Path, &[]);
    assert_eq!((names[0].as_str(), renamed), ("a_b", 1));
}

#[test]
fn a_name_with_a_hash_is_never_anothers_plain_one() {
    let hash = crate::contract::digest(b"/a");
    let plain = format!("/A_{}", &hash[..6]);
    // Plain names come first; the clash takes a digit more.
    let (names, renamed) = chosen(&["/A", "/a", &plain], None, Naming::Path, &[]);
    assert_eq!(names, ["a".to_owned(), format!("a_{}", &hash[..7]), format!("a_{}", &hash[..6])]);
    assert_eq!(renamed, 1);
    // As with a name that is held; with all of them held another hash is taken.
    let held: Vec<String> =
        (6..=64).map(|digits| format!("a_{}", &hash[..digits])).chain(["a".to_owned()]).collect();
    let held: Vec<&str> = held.iter().map(String::as_str).collect();
    let (names, _) = chosen(&["/a"], None, Naming::Path, &held);
    assert!(is_valid(&names[0]) && !held.contains(&names[0].as_str()), "{}", names[0]);
}

#[test]
fn held_names_are_never_taken() {
    let (names, _) = chosen(&["/customer/name"], None, Naming::Leaf, &["name"]);
    assert_eq!(names, ["customer_name"]);
    let (names, renamed) = chosen(&["/name"], None, Naming::Leaf, &["name"]);
    assert!(names[0].starts_with("name_"));
    assert_eq!(renamed, 1);
}

#[test]
fn element_scalars_are_named_by_the_path() {
    assert_eq!(chosen(&["/a/tags/*"], Some("/a/tags"), Naming::Path, &[]).0, ["a_tags"]);
}

#[test]
fn paths_of_specs() {
    assert_eq!(path_to_pointer("customer.name"), "/customer/name");
    assert_eq!(path_to_pointer("/a.b"), "/a.b");
    for (path, pointer) in [
        ("products.price", "/products/*/price"),
        ("/products/*/price", "/products/*/price"),
        ("products", "/products/*"),
        ("products_x", "/products_x"),
        ("id", "/id"),
    ] {
        assert_eq!(column_pointer(path, Some("/products")), pointer);
    }
}

proptest! {
    #[test]
    fn pointers_give_their_keys_back(keys in proptest::collection::vec("\\PC{0,8}", 1..5)) {
        let mut pointer = String::new();
        keys.iter().for_each(|key| pointer_push(&mut pointer, key));
        prop_assert_eq!(pointer_keys(&pointer), keys);
    }

    #[test]
    fn snake_case_is_valid_and_settled(key in "\\PC{0,300}") {
        if let Some(name) = snake_case(&key) {
            prop_assert!(is_valid(&name), "{}", name);
            prop_assert_eq!(snake_case(&name), Some(name));
        }
    }

    #[test]
    fn names_are_valid_distinct_and_free_of_order(
        paths in proptest::collection::btree_set(proptest::collection::vec("[aAbB_.é日]{0,3}|x{250,260}", 1..4), 1..12),
        held in proptest::collection::btree_set("[ab]{1,2}", 0..4),
        leaf in any::<bool>(),
    ) {
        let naming = if leaf { Naming::Leaf } else { Naming::Path };
        let pointers: Vec<String> = paths.iter().map(|keys| {
            let mut pointer = String::new();
            keys.iter().for_each(|key| pointer_push(&mut pointer, key));
            pointer
        }).collect();
        let (names, _) = choose(&pointers, None, naming, &held);
        let distinct: BTreeSet<&String> = names.iter().collect();
        prop_assert_eq!(distinct.len(), names.len());
        for name in &names {
            prop_assert!(is_valid(name) && name.len() <= NAME_BYTES, "{}", name);
            prop_assert!(!held.contains(name), "{}", name);
        }
        let backwards: Vec<String> = pointers.iter().rev().cloned().collect();
        let (mut again, _) = choose(&backwards, None, naming, &held);
        again.reverse();
        prop_assert_eq!(again, names);
    }
}
