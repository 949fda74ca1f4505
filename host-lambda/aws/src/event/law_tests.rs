//! Laws that hold for every key and every sequencer, over seeded random cases.

use serde_json::json;

use super::*;
use crate::random::Random;

impl Random {
    fn text(&mut self, alphabet: &[&str], longest: usize) -> String {
        (0..=self.below(longest)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

/// What decoding goes wrong with: signs of form encoding, text that looks encoded, other scripts, controls.
const KEY_PARTS: [&str; 22] = [
    "a", "Z", "0", "-", "_", ".", "/", " ", "+", "%", "%20", "%2B", "%ZZ", "é", "日本", "🦆", "=", "&", "?",
    "#", "\"", "\n",
];

/// As S3 writes keys into notifications: unreserved signs and `/` as they are, space as `+`, else `%XX`.
fn encode(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => {
                (byte as char).to_string()
            }
            b' ' => "+".to_owned(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn key_of(event: &Value) -> String {
    let delivery = parse(event).deliveries.remove(0);
    match (&delivery.items[..], &delivery.error) {
        ([Item::Object(object)], None) => object.key.clone(),
        _ => panic!("no object in {event}: {delivery:?}"),
    }
}

#[test]
fn a_key_survives_every_road() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..1_500 {
        let key = random.text(&KEY_PARTS, 12);
        let (bucket, size) = (json!({"name": "raw"}), 1);
        let notification = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": bucket, "object": {"key": encode(&key), "size": size}}}]});
        let bridged = json!({"source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": bucket, "object": {"key": key, "size": size}}});
        let request = json!({"bucket": "raw", "key": key, "size": size});
        for event in [notification, bridged, request] {
            let wrapped = json!({"Type": "Notification", "Message": event.to_string()});
            let queued = |body: &Value| json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": body.to_string()}]});
            for road in [&event, &wrapped, &queued(&event), &queued(&wrapped)] {
                assert_eq!(key_of(road), key);
            }
        }
    }
}

/// S3's rule in other words: digits as a number, after padding on the right.
fn padded(digits: &str) -> Vec<u32> {
    let digits = digits.chars().map(|c| c.to_digit(16).unwrap());
    digits.chain(std::iter::repeat(0)).take(20).collect()
}

#[test]
fn sequencers_are_in_a_total_order() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let hex = ["0", "0", "1", "9", "a", "A", "f", "F"];
    let parse = |text: &str| Sequencer::parse(text).unwrap();
    for _ in 0..20_000 {
        let texts: Vec<String> = (0..3).map(|_| random.text(&hex, 5)).collect();
        let [a, b, c] = [parse(&texts[0]), parse(&texts[1]), parse(&texts[2])];
        assert_eq!(a.cmp(&b), padded(&texts[0]).cmp(&padded(&texts[1])), "{texts:?}");
        assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        assert_eq!(a == b, a.cmp(&b).is_eq());
        assert_eq!(a, parse(&format!("{}000", texts[0])));
        if a <= b && b <= c {
            assert!(a <= c, "{texts:?}");
        }
    }
}

#[test]
fn a_longer_sequencer_is_not_a_later_one() {
    let parse = |text: &str| Sequencer::parse(text).unwrap();
    assert!(parse("0055AED6DCD90281E5") < parse("0055AED6DCD90281E6"));
    assert!(parse("0055aed6dcd90281e501") < parse("0055AED6DCD90281E6"));
    assert!(parse("1") > parse("0FFF"));
    assert_eq!([Sequencer::parse(""), Sequencer::parse("0x1"), Sequencer::parse("é")], [None, None, None]);
    let stored = serde_json::to_string(&parse("00a1")).unwrap();
    assert_eq!(stored, "\"00A1\"");
    assert_eq!(serde_json::from_str::<Sequencer>(&stored).unwrap(), parse("00A1"));
    assert!(serde_json::from_str::<Sequencer>("\"later\"").is_err());
}
