//! The resources of a rendered template, each with its text, for saying what changed.
//!
//! The decision to know: this reads the form that [`yaml`](crate::yaml) writes and no other; what somebody changed by
//! hand shows as changed.

use std::collections::BTreeMap;

/// Texts of resources by logical id.
pub fn resources(template: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut inside = false;
    let mut current: Option<String> = None;
    for line in template.lines() {
        let indent = line.len() - line.trim_start().len();
        let text = line.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match indent {
            0 => {
                inside = text == "Resources:";
                current = None;
            }
            2 if inside => {
                let id = text.trim_end_matches(':').to_owned();
                found.insert(id.clone(), String::new());
                current = Some(id);
            }
            _ => {
                if let Some(there) = current.as_ref().and_then(|id| found.get_mut(id)) {
                    there.push_str(line);
                    there.push('\n');
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_found_by_their_indent() {
        let text = "# x\nOutputs:\n  Put:\n    Value: 1\n\nResources:\n\n  # said\n  A:\n    Type: T\n  B:\n    Type: U\n    Properties:\n      X: 1\n";
        let found = resources(text);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(found["B"], "    Type: U\n    Properties:\n      X: 1\n");
        assert!(resources("").is_empty());
    }
}
