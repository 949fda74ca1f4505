//! Keys that are data: ids and dates, which other records have others of.
//!
//! The decision to know: it is judged by the key's form alone. What is not recognised here is still one column once
//! there are too many of them; what is recognised wrongly is kept as JSON, and said.

/// Fewest digits that end an id after a word, as in `user_10023`.
const ID_DIGITS: usize = 4;

/// Fewest hexadecimal digits that are taken for an id, where one of them at least is a decimal digit.
const HEX_DIGITS: usize = 8;

/// Length of a word of letters and digits without any meaning, and the fewest digits in it.
const RANDOM: (usize, usize) = (16, 4);

/// Whether a key looks like an id, a date, an address or a path.
pub(super) fn is_data(key: &[u8]) -> bool {
    let Ok(key) = str::from_utf8(key) else { return true };
    is_number_or_date(key)
        || is_address(key)
        || is_random(key)
        || key.split(is_separator).any(is_hex)
        || ends_in_id(key)
}

fn is_separator(c: char) -> bool {
    matches!(c, '-' | '_' | ':' | '/' | '.' | '#')
}

/// `42`, `2025-01-31`, `2025/01`, `20250131T10:00:00Z`, `10.0.0.1`, `2025-W05`.
fn is_number_or_date(key: &str) -> bool {
    let digits = key.bytes().filter(u8::is_ascii_digit).count();
    let others = || key.bytes().all(|byte| byte.is_ascii_digit() || b"-/._: TZWQ+".contains(&byte));
    digits == key.len() && digits > 0 || digits >= ID_DIGITS && key.as_bytes()[0].is_ascii_digit() && others()
}

/// A mail address, a URI, a resource name of a cloud.
fn is_address(key: &str) -> bool {
    let mail = key.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    mail || key.contains("://") || key.starts_with("arn:")
}

/// A part of an UUID or of an instance's id.
fn is_hex(part: &str) -> bool {
    part.len() >= HEX_DIGITS
        && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        && part.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_random(key: &str) -> bool {
    let (length, digits) = RANDOM;
    key.len() >= length
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && key.bytes().filter(u8::is_ascii_digit).count() >= digits
}

fn ends_in_id(key: &str) -> bool {
    let Some((word, number)) = key.rsplit_once(is_separator) else { return false };
    !word.is_empty() && number.len() >= ID_DIGITS && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::is_data;

    #[test]
    fn ids_and_dates_are_told_from_names() {
        for key in [
            "42",
            "0",
            "2025-01-31",
            "2025/01",
            "2025",
            "20250131T100000Z",
            "2025-01-31T10:00:00.000Z",
            "2025-W05",
            "10.0.0.1",
            "5a68fdc3615eda645bc6bdec",
            "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
            "i-0abc12345def67890",
            "user_10023",
            "order-5512",
            "ada@example.org",
            "https://example.org/",
            "arn:aws:s3:::bucket",
            "AROAEXAMPLEID12345",
            "cus9s6XKzkNRiz8i3",
        ] {
            assert!(is_data(key.as_bytes()), "{key}");
        }
        for key in [
            "id",
            "a1",
            "address_1",
            "line2",
            "p95",
            "md5",
            "sha256",
            "utf8",
            "ipv4",
            "http_404",
            "x-amz-id-2",
            "iso8601",
            "v1.0",
            "24h",
            "@type",
            "$oid",
            "name",
            "größe",
            "feedback",
            "x509_certificate_chain",
            "",
        ] {
            assert!(!is_data(key.as_bytes()), "{key}");
        }
    }
}
