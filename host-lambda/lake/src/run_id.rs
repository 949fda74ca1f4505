//! The id of a run: one generation of one source object under one pipeline.
//!
//! For: the one id that stands in log lines, commit record, load history, failure record, lineage, notices and
//! quarantine, so that whoever has it from one finds the others. Not for `run` of a commit record, which names one
//! attempt at making it. Decisions to know:
//!
//! * *It is a UUID of version 8* (RFC 9562, section 5.8), as lineage wants one, and can be taken apart: what stands for
//!   the object in keys and the generation are in it, so that records are found by their keys. The generation is its
//!   last six digits.
//! * *It follows from pipeline, object and generation alone*: a retry, and whoever completes a commit of others, says
//!   the same. An object that failed has the id of the generation that it would have become; mended and run again it
//!   keeps it. Two lakes may have one id for the same object.
//! * The pipeline's name is in it by 34 bits of its digest: enough to tell a lake's pipelines apart, and the record says
//!   its name in full.
//!
//! ```text
//! oooooooo-oooo-8ooo-xxpp-ppppppgggggg    o: object, p: pipeline, g: generation;
//!                                         x: the variant, the last four bits of o and the first two of p
//! ```

use std::fmt;

use sha2::{Digest, Sha256};

use crate::keys::object_key;

const GENERATION_BITS: u32 = 24;
const PIPELINE_BITS: u32 = 34;
/// The last generation that has an id of its own: later ones share it.
const LAST: u32 = (1 << GENERATION_BITS) - 1;
const VERSION: u64 = 8;
const VARIANT: u64 = 0b10;

/// A run's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    object: u64,
    pipeline: u64,
    generation: u32,
}

impl RunId {
    /// The run that makes, or would make, a generation of a source object.
    pub fn of(pipeline: &str, uri: &str, generation: u32) -> Self {
        let object = u64::from_str_radix(&object_key(uri), 16).unwrap_or_default();
        Self { object, pipeline: bits_of(pipeline), generation: generation.min(LAST) }
    }

    /// From its text, in digits of either case; `None` if it is no such id.
    pub fn parse(text: &str) -> Option<Self> {
        let dashes = [8, 13, 18, 23];
        let plain = text.bytes().enumerate().all(|(at, byte)| match dashes.contains(&at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        });
        if !plain || text.len() != 36 {
            return None;
        }
        let bits = u128::from_str_radix(&text.replace('-', ""), 16).ok()?;
        let (high, low) = ((bits >> 64) as u64, bits as u64);
        if high >> 12 & 0xf != VERSION || low >> 62 != VARIANT {
            return None;
        }
        let object = (high >> 16) << 16 | (high & 0xfff) << 4 | low >> 58 & 0xf;
        let pipeline = low >> GENERATION_BITS & ((1 << PIPELINE_BITS) - 1);
        let generation = u32::try_from(low & u64::from(LAST)).ok()?;
        Some(Self { object, pipeline, generation })
    }

    /// What stands for the source object in keys, as [`object_key`] has it.
    pub fn object(&self) -> String {
        format!("{:016x}", self.object)
    }

    /// The generation, from 1.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether it may be one of this pipeline: another's name has the same bits once in 17 thousand million.
    pub fn may_be_of(&self, pipeline: &str) -> bool {
        self.pipeline == bits_of(pipeline)
    }

    /// Puts it into all that is logged from now on in the current span, if that has a place for it.
    pub(crate) fn note(&self, source: &str) {
        let span = tracing::Span::current();
        span.record("id", tracing::field::display(self));
        span.record("source", source);
    }
}

fn bits_of(pipeline: &str) -> u64 {
    let digest = Sha256::digest(pipeline.as_bytes());
    digest[..5].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)) >> (40 - PIPELINE_BITS)
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let high = (self.object >> 16) << 16 | VERSION << 12 | self.object >> 4 & 0xfff;
        let low = VARIANT << 62
            | (self.object & 0xf) << 58
            | self.pipeline << GENERATION_BITS
            | u64::from(self.generation);
        let (high, low) = (format!("{high:016x}"), format!("{low:016x}"));
        write!(f, "{}-{}-{}-{}-{}", &high[..8], &high[8..12], &high[12..], &low[..4], &low[4..])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_uuid_of_version_8_that_shows_object_and_generation() {
        let id = RunId::of("orders", "s3://raw/orders/x.json", 3);
        let (text, object) = (id.to_string(), object_key("s3://raw/orders/x.json"));
        assert_eq!(text, "52797132-652b-85bc-9470-5a2b6c000003");
        assert_eq!(text.replace('-', "")[..12], object[..12]);
        assert_eq!((&text[14..15], &text[15..18]), ("8", &object[12..15]));
        assert!(text.ends_with("000003"), "{text}");
        assert!("89ab".contains(&text[19..20]), "the variant of RFC 9562: {text}");
        assert_eq!((id.object(), id.generation()), (object, 3));
        assert!(id.may_be_of("orders") && !id.may_be_of("order"));
        assert_eq!(RunId::parse(&text.to_uppercase()), Some(id));
    }

    #[test]
    fn each_generation_object_and_pipeline_has_its_own() {
        let mut seen = BTreeSet::new();
        for pipeline in ["orders", "order", "orders2"] {
            for uri in ["s3://raw/a.json", "s3://raw/b.json", "/in/a.json", "resubmit:ab"] {
                for generation in [1, 2, 3, LAST - 1, LAST] {
                    assert!(seen.insert(RunId::of(pipeline, uri, generation).to_string()));
                }
            }
        }
        assert_eq!(RunId::of("p", "u", LAST), RunId::of("p", "u", u32::MAX), "the last one is shared");
    }

    #[test]
    fn every_id_is_read_back_and_nothing_else_is_one() {
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = move || {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            seed
        };
        for _ in 0..10_000 {
            let id = RunId {
                object: random(),
                pipeline: random() >> (64 - PIPELINE_BITS),
                generation: (random() >> (64 - GENERATION_BITS)) as u32,
            };
            let text = id.to_string();
            assert_eq!(RunId::parse(&text), Some(id), "{text}");
            // One digit of version or variant changed: another kind of UUID.
            for (at, digit) in [(14, "4"), (14, "7"), (19, "0"), (19, "c")] {
                let other = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
                assert_eq!(RunId::parse(&other), None, "{other}");
            }
            let cut = random() as usize % text.len();
            for broken in
                [&text[..cut], &format!("{text}0"), &text.replacen('-', "", 1), &text.replace('-', "_")]
            {
                assert_eq!(RunId::parse(broken), None, "{broken}");
            }
        }
        for strange in ["", "orders", "ä".repeat(18).as_str(), "+0000000-0000-8000-8000-000000000001"] {
            assert_eq!(RunId::parse(strange), None, "{strange}");
        }
    }
}
