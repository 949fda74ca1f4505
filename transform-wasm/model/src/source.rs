//! Facts about a source object, as JSON from a host to the transform (`options.source` of the WIT).
//!
//! They enter the output only if the spec asks for them. New facts are new keys and no new interface: what is
//! unknown is left out, and a key that the transform does not know is refused, since a fact that is ignored
//! would be a wrong answer to a spec that asks for it.

use serde::{Deserialize, Serialize};

use crate::code::Code;
use crate::failure::Failure;

/// Where the input came from, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SourceFacts {
    /// URI of the source object, for `source_uri()`.
    pub uri: String,
    /// Time of the event that announced the object, in milliseconds since 1970-01-01 UTC, for `event_time()`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_time_ms: Option<i64>,
    /// Hive partitions found in the object's path, name and value, for `source_partition('name')`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<(String, String)>,
    /// When the object was taken into the lake, in milliseconds since 1970-01-01 UTC: fixed before its first
    /// pass and kept in its commit record, so that files made again hold the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loaded_ms: Option<i64>,
    /// Its size as stored, compressed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Its file name, without folders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// From so many stored bytes on an object takes some tens of MiB of memory.
const LARGE: u64 = 4 << 20;

impl SourceFacts {
    /// Whether it is worth memory that is made ready at once: the transform takes it, the host puts it into large pages.
    pub fn is_large(&self) -> bool {
        self.bytes.is_some_and(|bytes| bytes >= LARGE)
    }
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

#[derive(Serialize)]
struct Text<'a> {
    version: u64,
    #[serde(flatten)]
    facts: &'a SourceFacts,
}

impl SourceFacts {
    /// The JSON text.
    pub fn to_text(&self) -> String {
        // Strings and numbers: there is nothing that JSON cannot say.
        serde_json::to_string(&Text { version: 1, facts: self }).unwrap_or_default()
    }

    /// Reads the JSON text.
    ///
    /// # Errors
    /// Fault `spec`, code `source_invalid`: no JSON, another version, an unknown key, a wrong type.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let bad = |what: String| {
            Failure::spec(Code::SourceInvalid, format!("the facts about the source object: {what}"))
        };
        let mut value: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let version: Version = serde_json::from_value(serde_json::Value::Object(value.clone()))
            .map_err(|error| bad(error.to_string()))?;
        if version.version != 1 {
            return Err(bad(format!("their version is {}, this transform reads 1", version.version))
                .hint("a newer host wrote them: build the transform with that version of Lakegate"));
        }
        value.remove("version");
        serde_json::from_value(serde_json::Value::Object(value)).map_err(|error| bad(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_written_as_they_were_read_and_all_may_be_missing() {
        let all = r#"{"version":1,"uri":"s3://b/k","event_time_ms":-1,"partitions":[["day","2025-01-01"]],"loaded_ms":2,"bytes":3,"name":"k"}"#;
        assert_eq!(SourceFacts::parse(all).unwrap().to_text(), all);
        assert_eq!(SourceFacts::parse(r#"{"version":1}"#).unwrap(), SourceFacts::default());
        assert_eq!(SourceFacts::default().to_text(), r#"{"version":1,"uri":""}"#);
        let null = SourceFacts::parse(r#"{"uri":"u","loaded_ms":null,"version":1}"#).unwrap();
        assert_eq!((null.uri.as_str(), null.loaded_ms), ("u", None));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (text, told) in [
            ("", "EOF"),
            ("[]", "invalid type"),
            ("{}", "missing field `version`"),
            (r#"{"version":2,"uri":"u","colour":"red"}"#, "their version is 2"),
            (r#"{"version":1,"uri":"u","colour":"red"}"#, "unknown field `colour`"),
            (r#"{"version":1,"uri":7}"#, "invalid type"),
            (r#"{"version":1,"bytes":-7}"#, "invalid value"),
            (r#"{"version":1,"partitions":[["a"]]}"#, "invalid length"),
        ] {
            let failure = SourceFacts::parse(text).unwrap_err();
            assert_eq!((failure.code, failure.fault), ("source_invalid", crate::GuestFault::Spec), "{text}");
            assert!(failure.message.contains(told), "{text}: {}", failure.message);
        }
    }
}
