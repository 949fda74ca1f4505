//! Encodings of one byte a character to UTF-8: runs of ASCII are copied, other bytes are looked up.

use super::BROKEN;
use super::tables::TABLES;

/// The number of the table that has this name or label.
pub(super) fn named(label: &str) -> Option<u8> {
    let number = TABLES.iter().position(|table| table.name == label || table.labels.contains(&label))?;
    u8::try_from(number).ok()
}

pub(super) fn name(table: u8) -> &'static str {
    TABLES[usize::from(table)].name
}

/// Appends `bytes` as UTF-8.
pub(super) fn append(table: u8, mut bytes: &[u8], out: &mut Vec<u8>) {
    let upper = TABLES[usize::from(table)].upper;
    // Where each character stands in the table, once for all of them.
    let mut places = [0u16; 129];
    for (place, (at, _)) in places.iter_mut().zip(upper.char_indices()) {
        *place = at as u16;
    }
    places[128] = upper.len() as u16;
    while !bytes.is_empty() {
        let ascii = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
        let (run, rest) = bytes.split_at(ascii);
        out.extend_from_slice(run);
        let high = rest.iter().take_while(|byte| !byte.is_ascii()).count();
        for byte in &rest[..high] {
            let number = usize::from(byte & 0x7f);
            let sign = &upper.as_bytes()[usize::from(places[number])..usize::from(places[number + 1])];
            if sign == "\u{fffd}".as_bytes() { out.push(BROKEN) } else { out.extend_from_slice(sign) }
        }
        bytes = &rest[high..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_a_character_a_byte_and_its_own_names() {
        let mut names = std::collections::BTreeSet::new();
        for (number, table) in TABLES.iter().enumerate() {
            assert_eq!(table.upper.chars().count(), 128, "{}", table.name);
            for label in table.labels.iter().chain([&table.name]) {
                assert!(names.insert(*label), "{label} twice");
                assert_eq!(named(label), Some(number as u8));
            }
            let mut out = Vec::new();
            append(number as u8, &(0..=255).collect::<Vec<u8>>(), &mut out);
            let text = String::from_utf8_lossy(&out);
            assert_eq!(text.chars().count(), 256, "{}", table.name);
            let expected: Vec<char> = (0..128u8).map(char::from).chain(table.upper.chars()).collect();
            assert_eq!(text.chars().collect::<Vec<_>>(), expected);
        }
    }
}
