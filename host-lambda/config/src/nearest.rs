//! The name that somebody most likely meant.
//!
//! Not for deciding what a wrong name leads to. The decision to know: letters are compared, not meanings.

/// The one that `text` most likely was meant to be: a third of it may differ, two swapped letters are one
/// difference.
pub(super) fn nearest<'n>(text: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let text = plain(text);
    let allowed = (text.chars().count() / 3).max(1);
    let ranked = names.map(|name| (distance(&text, &plain(name)), name));
    let (distance, name) = ranked.min()?;
    (distance <= allowed).then_some(name)
}

/// Optimal string alignment distance.
fn distance(this: &str, that: &str) -> usize {
    let (this, that): (Vec<char>, Vec<char>) = (this.chars().collect(), that.chars().collect());
    let mut rows = vec![(0..=that.len()).collect::<Vec<usize>>()];
    for (i, &a) in this.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &b) in that.iter().enumerate() {
            let mut least = (rows[i][j] + usize::from(a != b)).min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == that[j - 1] && b == this[i - 1] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[this.len()][that.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found() {
        let names = ["source", "suffix", "lake", "paused", "table", "notify"];
        let cases = [
            ("sorce", Some("source")),
            ("soruce", Some("source")),
            ("Lake", Some("lake")),
            ("pausd", Some("paused")),
            ("suffixes", Some("suffix")),
            ("x", None),
            ("notification", None),
            ("tabel", Some("table")),
        ];
        for (text, expected) in cases {
            assert_eq!(nearest(text, names.into_iter()), expected, "{text}");
        }
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
