//! Folders and prefixes that `run` learns as one, each into a table of its name.
//!
//! Not for learning (`lakegate_lake::run::learn_together`). Decisions to know: a file that is named for itself stays what
//! it was, a source of its own; and a table that is there already is not learned anew, its contract grows with each file.

use crate::args::inputs::{Input, Named};
use crate::args::transform::Chosen;
use crate::show::made::Made;
use crate::show::progress::Bar;
use crate::show::render::Screen;
use lakegate_base::Error;
use lakegate_lake::Lake;
use lakegate_lake::run::{Folder, Member, Plan, Progress, SAMPLE_BYTES, learn_together};
use lakegate_lake::source::default_table;

/// Files that go into one table.
pub(super) struct Group {
    pub(super) table: String,
    /// What the folders are called.
    folders: Vec<String>,
    pub(super) members: Vec<Member>,
}

/// The folders of a command line by their tables: each its own, unless one is named for all.
pub(super) fn groups(named: &[Named], table: Option<&str>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut at = 0;
    for Named { inputs, folder } in named {
        let first = at;
        at += inputs.len();
        let Some(folder) = folder.as_ref().filter(|_| !inputs.is_empty()) else { continue };
        let table = table.map_or_else(|| default_table(folder), str::to_owned);
        let members = inputs.iter().enumerate().map(|(number, input)| Member {
            name: input.name(),
            bytes: input.bytes(),
            at: first + number,
        });
        match groups.iter_mut().find(|group| group.table == table) {
            Some(group) => {
                group.members.extend(members);
                group.folders.push(folder.clone());
            }
            None => {
                groups.push(Group { table, folders: vec![folder.clone()], members: members.collect() });
            }
        }
    }
    groups
}

/// Learns each group whose table is not there yet, all of them before anything is agreed. `named` says that the person
/// wants everything in the table that is named.
///
/// # Errors
/// Files of a folder are of different kinds: nothing was changed.
pub(super) fn learn(
    groups: &[Group],
    inputs: &[Input],
    lake: &Lake,
    chosen: &Chosen,
    named: bool,
    screen: Screen,
    made: &mut Made,
) -> Result<(), Error> {
    let Chosen::Component(transform) = chosen else { return Ok(()) };
    let mut joined = Vec::new();
    for group in groups {
        if lake.contract(&group.table)?.is_some() {
            continue;
        }
        let plan = Plan::new("", Some(group.table.clone()))?;
        let name = group.folders.join(", ");
        let open = |at: usize| inputs[at].open(None);
        let folder = Folder { name: &name, members: &group.members, open: &open, any_kind: named };
        let bytes: u64 = group.members.iter().map(|member| member.bytes).sum();
        let bar = Bar::new(screen, bytes.min(SAMPLE_BYTES), group.members.len());
        let mut before: Option<&Input> = None;
        let learned = learn_together(transform, &plan, &folder, &mut |at, progress| {
            if matches!(progress, Progress::Pass { number: 1, .. })
                && let Some(before) = before.replace(&inputs[at])
            {
                bar.done(&format!("{} (learning)", before.name()), before.bytes());
            }
            bar.update(&format!("{} (learning)", inputs[at].name()), &progress);
        });
        bar.finish();
        joined.extend(learned?.map(|learned| (group, name, learned)));
    }
    for (group, name, learned) in joined {
        made.learned(&group.table, &name, learned.agree(lake, transform)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(folder: Option<&str>, files: &[&str]) -> Named {
        let inputs = files.iter().map(|file| Input::File((*file).into(), 1)).collect();
        Named { inputs, folder: folder.map(str::to_owned) }
    }

    #[test]
    fn folders_make_tables_of_their_names_and_files_none() {
        let all = [
            named(None, &["a.json"]),
            named(Some("Web Orders"), &["x/1.json", "x/2.json"]),
            named(Some("items"), &["y/1.json"]),
            named(Some("empty"), &[]),
            named(Some("web-orders"), &["z/1.json"]),
        ];
        let told = |table| -> Vec<(String, Vec<usize>)> {
            let of = |group: Group| (group.table, group.members.iter().map(|member| member.at).collect());
            groups(&all, table).into_iter().map(of).collect()
        };
        assert_eq!(told(None), [("web_orders".to_owned(), vec![1, 2, 4]), ("items".to_owned(), vec![3])]);
        assert_eq!(told(Some("t")), [("t".to_owned(), vec![1, 2, 3, 4])]);
    }
}
