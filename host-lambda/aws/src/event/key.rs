//! Keys as S3 notifications write them: form-encoded.
//!
//! Not for EventBridge, whose keys are raw. The decision to know: a key is decoded exactly once, and a `%`
//! that no two hex digits follow stays as it is, since peers of S3 and events made by hand do not encode.

use percent_encoding::percent_decode_str;

/// The key itself: `+` is a space, `%XX` a byte. `None` when the bytes are not UTF-8, which no key of S3 is.
pub(super) fn decode(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn keys_are_decoded_once() {
        let cases = [
            ("red+flower.jpg", "red flower.jpg"),
            ("order_date%3D2025-01-01/a%2Bb.json", "order_date=2025-01-01/a+b.json"),
            ("%E6%97%A5%E6%9C%AC/%c3%a9.json", "日本/é.json"),
            ("100%25.json", "100%.json"),
            ("100%2525.json", "100%25.json"),
            ("100%.json", "100%.json"),
            ("end%2", "end%2"),
            ("end%", "end%"),
        ];
        for (encoded, key) in cases {
            assert_eq!(decode(encoded).as_deref(), Some(key), "{encoded}");
        }
        assert_eq!(decode("a%FFb"), None);
    }
}
