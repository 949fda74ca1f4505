//! Texts that others write: contracts, events, manifests, channels, configurations.
//!
//! What is read is written and read again, and must then be the same; what is refused names its mistakes.

use std::path::PathBuf;

use lakegate_aws::event::{self, Item, Shape};
use lakegate_config::{Config, Origin};
use lakegate_model::Contract;
use lakegate_release::{Back, Channel, Manifest, Pinned, Promotion, Share};
use serde_json::Value;

use crate::drive::Ask;

use super::{in_pieces, kind_of, outcome};

/// Tokens of contracts.
pub(super) const CONTRACT: &[&str] = &[
    "\"version\":1",
    "\"table\":\"t\"",
    "\"rows\":\"/items\"",
    "\"rows\":null",
    "\"columns\":[",
    "\"nulls\":[",
    "\"partition_by\":[",
    "{\"name\":\"a\",\"type\":\"bigint\",\"pointer\":\"/a\"}",
    "{\"name\":\"b\",\"type\":\"double\",\"sql\":\"a * 2\"}",
    "{\"name\":\"p\",\"type\":\"string\",\"sql\":\"a\"}",
    "\"decimal(38,38)\"",
    "\"json\"",
    "\"/items/*/a\"",
    "~1",
    "~0",
    "*",
    "/",
    ",",
    "]",
    "}",
];

/// Tokens of events.
pub(super) const EVENT: &[&str] = &[
    "\"Records\":[",
    "\"eventSource\":\"aws:s3\"",
    "\"eventSource\":\"aws:sqs\"",
    "\"EventSource\":\"aws:sns\"",
    "\"body\":\"",
    "\"Message\":\"",
    "\"s3\":{",
    "\"bucket\":{\"name\":\"b\"}",
    "\"object\":{\"key\":\"a+b%20c\"}",
    "\"detail-type\":\"Object Created\"",
    "\"detail\":{",
    "\"Items\":[",
    "\"bucket\":\"b\"",
    "\"key\":\"k\"",
    "\"Event\":\"s3:TestEvent\"",
    "\"sequencer\":\"0A\"",
    "\"size\":-1",
    "%",
    "%FF",
    "%00",
    "null",
    "\"Type\":\"Notification\"",
    "\\\"",
    "{",
    "}",
    "[",
    "]",
];

/// Tokens of manifests and channels.
pub(super) const RELEASE: &[&str] = &[
    "\"kind\":\"lakegate.channel/1\"",
    "\"kind\":\"lakegate.release/1\"",
    "\"version\":\"1.0.0-rc.1+x\"",
    "\"sequence\":18446744073709551615",
    "\"permille\":65535",
    "\"canary\":null",
    "\"shadow\":null",
    "\"history\":[",
    "\"change\":\"rollback\"",
    "\"change\":\"promote\"",
    "-1",
    "null",
    ",",
    "{",
    "}",
];

/// Tokens of configurations.
pub(super) const CONFIGURATION: &[&str] = &[
    "[pipeline.a]\n",
    "[pipeline.b.catalog]\n",
    "[pipeline.a.limits]\n",
    "[pipeline.a.notify]\n",
    "source = \"s3://raw/a/\"\n",
    "lake = \"s3://lake/\"\n",
    "channel = \"a\"\n",
    "spec = \"a.toml\"\n",
    "version = 1\n",
    "../",
    "s3://",
    "*",
    "\"",
    "'",
    "[[",
    "]]",
    "=",
    "é",
    "\n",
    "#",
    "{",
    "}",
    "0x",
    "1e9",
];

/// A contract: read, written, read again; and as the live one of a table.
pub(super) fn contract(data: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let parsed = match Contract::parse(text) {
        Ok(contract) => {
            let written = contract.to_text();
            assert_eq!(Contract::parse(&written).as_ref(), Ok(&contract), "written and read again");
            "read".to_owned()
        }
        Err(failure) => kind_of(&failure.to_string()),
    };
    let contracts = vec![("t".to_owned(), text.to_owned())];
    let ask = Ask { spec: String::new(), table: Some("t".to_owned()), contracts };
    let input = b"{\"a\":1,\"b\":\"2025-01-31\",\"items\":[{\"a\":1.5}]}\n{\"a\":null}\n{\"c\":[1]}\n";
    format!("{parsed} | {}", outcome(&in_pieces(&ask, input, 11)))
}

/// An event: whatever it is, its shape and its deliveries fit together.
pub(super) fn event(data: &[u8]) -> String {
    let Ok(value) = serde_json::from_slice::<Value>(data) else { return "no JSON".to_owned() };
    let parsed = event::parse(&value);
    let again: Value = serde_json::from_str(&value.to_string()).unwrap();
    assert_eq!(event::parse(&again), parsed, "written and read again");
    if parsed.shape != Shape::Sqs {
        assert_eq!(parsed.deliveries.len(), 1, "one delivery unless it is a batch of messages");
    }
    let mut word = format!("{:?}", parsed.shape);
    for delivery in parsed.deliveries.iter().take(3) {
        for item in delivery.items.iter().take(3) {
            word += match item {
                Item::Object(object) => {
                    assert!(!object.bucket.is_empty() && !object.key.is_empty(), "{object:?}");
                    " object"
                }
                Item::CrawlerEnded(_) => " crawler",
                Item::Ignored { .. } => " ignored",
            };
        }
        word += &delivery.error.as_deref().map_or(String::new(), |error| format!(" {}", kind_of(error)));
    }
    word
}

/// A manifest: read, written, read again.
pub(super) fn manifest(data: &[u8]) -> String {
    match Manifest::parse("m", data) {
        Ok(manifest) => {
            let written = manifest.to_bytes().unwrap();
            assert_eq!(Manifest::parse("m", &written).unwrap(), manifest, "written and read again");
            assert!(manifest.is_same_as(&manifest));
            format!("read {} {}", manifest.samples.len().min(3), manifest.bundle.is_some())
        }
        Err(error) => kind_of(&error.to_string()),
    }
}

/// A channel: promoted and rolled back; its number only grows.
pub(super) fn channel(data: &[u8]) -> String {
    let channel = match Channel::parse("c", data) {
        Ok(channel) => channel,
        Err(error) => return kind_of(&error.to_string()),
    };
    let written = serde_json::to_vec(&channel).unwrap();
    assert_eq!(Channel::parse("c", &written).unwrap(), channel, "written and read again");
    let back = match channel.rollback(&Back::default(), "now") {
        Ok((next, withdrawn)) => {
            assert!(next.sequence > channel.sequence, "{next:?}");
            assert!(next.stable.release.version != withdrawn.version || channel.canary.is_some());
            "back"
        }
        Err(_) => "nothing before",
    };
    let pinned = Pinned { version: "9.9.9".parse().unwrap(), manifest: "m".to_owned() };
    for promotion in
        [Promotion::Stable, Promotion::Canary(Share { permille: 1, ..Share::default() }), Promotion::Shadow]
    {
        let next = Channel::promote(Some(&channel), "orders", pinned.clone(), promotion, "now").unwrap();
        assert!(next.releases().any(|release| *release == pinned), "{next:?}");
    }
    format!("read, {back}, {} {}", channel.canary.is_some(), channel.shadow.is_some())
}

/// A configuration: it routes, or says where it is wrong.
pub(super) fn configuration(data: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(data) else { return "no text".to_owned() };
    let origin = Origin::File(PathBuf::from("/srv/lakegate/lakegate.toml"));
    match Config::parse(text, &origin) {
        Ok(config) => {
            for key in ["orders/a.json", "", "/", "lake/t/part.parquet", "_lakegate/x"] {
                let route = config.route("raw", key);
                assert_eq!(route, config.route("raw", key));
            }
            format!("read {}", config.pipelines.len().min(4))
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty(), "refused for nothing");
            let lines = text.split('\n').count() as u64;
            for mistake in &mistakes {
                assert!((1..=lines + 1).contains(&mistake.line) && mistake.column > 0, "{mistake:?}");
            }
            mistakes.iter().take(2).map(|mistake| kind_of(&mistake.message)).collect::<Vec<_>>().join(" | ")
        }
    }
}
