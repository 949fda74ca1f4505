//! Which names AWS takes: buckets, topics, keys, databases.
//!
//! Not for asking whether they exist. The decision to know: a name is refused only for a documented rule,
//! and an ARN only for what can be seen from outside, so that a new region or partition passes.

use crate::mistake::Wrong;

/// S3's rules for general purpose buckets.
pub(super) fn bucket(name: &str) -> Result<(), Wrong> {
    let signs = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let legal = (3..=63).contains(&name.len())
        && name.bytes().all(signs)
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err();
    if legal {
        return Ok(());
    }
    Err(Wrong::new(format!("`{name}` is no bucket name"))
        .hint("3 to 63 lower-case letters, digits, `-` and `.`, with a letter or digit at both ends"))
}

/// Names of pipelines and channels: they stand in keys, metrics and command lines.
pub(super) fn plain(what: &str, name: &str) -> Result<(), Wrong> {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    if (1..=64).contains(&name.len()) && name.bytes().all(sign) && edge(name.as_bytes().first()) {
        return Ok(());
    }
    Err(Wrong::new(format!("`{name}` is no name of a {what}"))
        .hint("lower-case letters, digits, `_` and `-`, at most 64, a letter or digit first"))
}

/// Names in a catalog: what Athena takes without quotes.
pub(super) fn catalog(what: &str, name: &str) -> Result<(), Wrong> {
    let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=255).contains(&name.len()) && name.bytes().all(sign) {
        return Ok(());
    }
    Err(Wrong::new(format!("`{name}` is no name of a {what}"))
        .hint("Athena wants lower-case letters, digits and `_`, at most 255"))
}

/// A crawler's name: one line of up to 255 characters.
pub(super) fn crawler(name: &str) -> Result<String, Wrong> {
    if name.chars().count() <= 255 && !name.chars().any(char::is_control) {
        return Ok(name.to_owned());
    }
    Err(Wrong::new("a crawler's name is one line of at most 255 characters"))
}

/// The resource of `arn:partition:service:region:account:resource`.
fn arn<'a>(service: &str, text: &'a str) -> Option<&'a str> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [scheme, partition, of, region, account, resource] = parts[..] else { return None };
    let word = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let whose = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let plausible = scheme == "arn" && partition.starts_with("aws") && word(partition) && of == service;
    (plausible && word(region) && whose).then_some(resource)
}

/// A standard SNS topic: its ARN, or its name where it is in the account and region that the host runs in.
pub(super) fn topic(text: &str) -> Result<String, Wrong> {
    let resource = if text.contains(':') { arn("sns", text) } else { Some(text) };
    let resource = resource.ok_or_else(|| {
        Wrong::new("this is no ARN of an SNS topic")
            .hint("it reads arn:aws:sns:REGION:ACCOUNT:TOPIC, with the account's twelve digits")
    })?;
    let sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if resource.ends_with(".fifo") {
        return Err(Wrong::new("a FIFO topic needs a message group, which notices do not have")
            .hint("use a standard topic"));
    }
    if resource.is_empty() || resource.len() > 256 || !resource.bytes().all(sign) {
        return Err(Wrong::new(format!("`{resource}` is no name of an SNS topic")).hint(
            "letters, digits, `-` and `_`, at most 256; the ARN of a subscription is not one of a topic",
        ));
    }
    Ok(text.to_owned())
}

/// The ARN of a KMS key, as a policy names it.
pub(super) fn kms_key_arn(text: &str) -> Result<String, Wrong> {
    if arn("kms", text).is_some_and(|resource| resource.starts_with("key/")) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new("a stack names its key by ARN: policies take no alias")
        .hint("write arn:aws:kms:REGION:ACCOUNT:key/ID"))
}

/// A KMS key: its ARN, the ARN of an alias, `alias/…`, or its id.
pub(super) fn kms_key(text: &str) -> Result<String, Wrong> {
    let resource = if text.starts_with("arn:") { arn("kms", text) } else { Some(text) };
    let id = |id: &str| id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let legal = resource.is_some_and(|resource| match resource.split_once('/') {
        Some(("alias", name)) => !name.is_empty(),
        Some(("key", name)) => text.starts_with("arn:") && id(name),
        Some(_) => false,
        None => !text.starts_with("arn:") && id(resource),
    });
    if legal {
        return Ok(text.to_owned());
    }
    Err(Wrong::new("this names no KMS key")
        .hint("write its ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), alias/NAME, or its id"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names() {
        for legal in ["raw", "my-bucket.2025", "0ab", &"a".repeat(63)] {
            assert_eq!(bucket(legal), Ok(()), "{legal}");
        }
        for illegal in [
            "",
            "ab",
            "Raw",
            "raw_data",
            "-raw",
            "raw-",
            "raw.",
            "a..b",
            "192.168.0.1",
            "raw/x",
            &"a".repeat(64),
        ] {
            assert!(bucket(illegal).is_err(), "{illegal}");
        }
    }

    #[test]
    fn topics() {
        for legal in [
            "done",
            "arn:aws:sns:eu-central-1:111122223333:done",
            "arn:aws-us-gov:sns:us-gov-west-1:111122223333:Done_2-x",
            "arn:aws-iso-b:sns:us-isob-east-1:111122223333:d",
        ] {
            assert!(topic(legal).is_ok(), "{legal}");
        }
        for illegal in [
            "two words",
            "done.fifo",
            "arn:aws:sqs:eu-central-1:111122223333:done",
            "arn:aws:sns:eu-central-1:1111:done",
            "arn:aws:sns::111122223333:done",
            "arn:aws:sns:eu-central-1:111122223333:",
            "arn:aws:sns:eu-central-1:111122223333:done.fifo",
            "arn:aws:sns:eu-central-1:111122223333:done:21be56ed-a058-49f5-8c98-aedd2564c486",
            "arn:gcp:sns:eu-central-1:111122223333:done",
        ] {
            assert!(topic(illegal).is_err(), "{illegal}");
        }
    }

    #[test]
    fn kms_keys() {
        for legal in [
            "alias/lake",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-central-1:111122223333:alias/lake",
        ] {
            assert!(kms_key(legal).is_ok(), "{legal}");
        }
        for illegal in [
            "lake",
            "alias/",
            "key/x",
            "arn:aws:kms:eu-central-1:111122223333:1234abcd-12ab-34cd-56ef-1234567890ab",
        ] {
            assert!(kms_key(illegal).is_err(), "{illegal}");
        }
    }
}
