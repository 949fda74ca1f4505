//! Paths that no contract has, as a report names them: how many times one was met, and the first few.

/// Paths that are named.
const NAMED: usize = 10;

/// Bytes of a path that are shown.
const SHOWN: usize = 100;

/// Paths that records were rejected for.
#[derive(Debug, Default)]
pub struct UnknownPaths {
    /// How often one was met.
    pub count: u64,
    named: Vec<String>,
    more: bool,
}

impl UnknownPaths {
    /// One was met.
    pub fn add(&mut self, path: &str) {
        self.count += 1;
        let shown = match (0..=SHOWN.min(path.len())).rev().find(|&end| path.is_char_boundary(end)) {
            Some(end) if end < path.len() => format!("{}…", &path[..end]),
            _ => path.to_owned(),
        };
        if self.named.contains(&shown) {
            return;
        }
        if self.named.len() < NAMED {
            self.named.push(shown);
        } else {
            self.more = true;
        }
    }

    /// The named ones, in the order they were met.
    pub fn list(&self) -> String {
        let mut list = self.named.join(", ");
        if self.more {
            list.push_str(" and others");
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_stays_short_whatever_comes() {
        let mut paths = UnknownPaths::default();
        for path in ["/b", "/a", "/b"] {
            paths.add(path);
        }
        assert_eq!((paths.count, paths.list().as_str()), (3, "/b, /a"));
        (0..1000).for_each(|i| paths.add(&format!("/{i}{}", "ä".repeat(1000))));
        assert_eq!(paths.count, 1003);
        assert!(paths.list().ends_with("… and others") && paths.list().len() < 1200, "{}", paths.list());
    }
}
