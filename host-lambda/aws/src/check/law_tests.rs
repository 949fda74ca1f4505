//! What a check accepts, a start accepts: over generated configurations.

use crate::check::check;
use crate::client::Aws;
use crate::deployed::{Deployed, Home};
use crate::random::Random;
use lakegate_config::{Config, Location, Origin};
use lakegate_sandbox::{Limits, Sandbox, Transform};
use std::fs;
use tokio::runtime::Runtime;

impl Random {
    /// Most often the first, which is right.
    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        if self.below(6) == 0 { of[self.below(of.len())] } else { of[0] }
    }
}

const DECLARED: &str = "mode = 'freeze'\n[[table.column]]\nname = 'id'\ntype = 'bigint'\n";

/// A configuration of up to three pipelines. Most of what each may say is right, so that many are right as a whole.
fn text(random: &mut Random) -> String {
    let mut text = String::new();
    if random.below(8) == 0 {
        text.push_str("[defaults]\ncontract = 'learn'\n");
    }
    let in_s3 = random.below(2) == 0;
    for name in &["a", "b", "c"][..=random.below(3)] {
        let own = format!("{}{name}/", if in_s3 { "s3://raw/" } else { "in/" });
        let source = random.one(&[&own, "s3://raw/", "s3://raw/a*", "in/", "../in/", "s3:/raw/"]);
        let deep = format!("s3://lake/{}/", "x".repeat(100 + 50 * random.below(9)));
        let lake = if in_s3 { "s3://lake/t/" } else { "lake/" };
        let lake = random.one(&[lake, &deep, "lake", "../lake/", "in/lake/", "s3//lake/"]);
        text.push_str(&format!("[pipeline.{name}]\nsource = '{source}'\nlake = '{lake}'\n"));
        let long = "t".repeat(200);
        let table = random.one(&[name, "t", "_t", &long]);
        let nameless = format!("spec = 'nameless.toml'\ntable = '{table}'\n");
        let spec = format!("spec = '{name}.toml'\n");
        let learns = format!("table = '{}'\ncontract = 'learn'\n", random.one(&[name, "shared", "_t"]));
        let open = "spec = 'open.toml'\ncontract = 'learn'\n";
        let told = [&spec, &learns, open, &nameless][random.below(4)];
        let lines = [
            told,
            "spec = 'open.toml'\n",
            "spec = 'broken.toml'\n",
            "spec = 'gone.toml'\n",
            "spec = 'empty.toml'\n",
            "spec = '../a.toml'\n",
            "",
        ];
        text.push_str(random.one(&lines));
        let glue = "catalog = { kind = 'glue', database = 'x' }\n";
        text.push_str(random.one(&["", glue, "catalog = { kind = 'crawler', crawler = 'x' }\n"]));
        text.push_str(random.one(&["", "suffix = '.json'\n", "suffix = ['.csv', 'x.json']\n"]));
        text.push_str(random.one(&["", "before = 'a'\n", "before = ['b', 'd']\n"]));
        text.push_str(random.one(&["", "lineage.write_to = 's3://events/'\n", "lineage.write_to = 'e/'\n"]));
        text.push_str(random.one(&["", "failed.copy_to = 's3://failed/'\n", "failed.copy_to = 'f'\n"]));
        text.push_str(random.one(&["", "limits.memory_bytes = '64 MiB'\n", "limits.step_seconds = 0\n"]));
    }
    text
}

#[test]
fn what_a_check_accepts_a_start_accepts() {
    let sandbox = Sandbox::new(Limits::default()).unwrap();
    let shipped = match Transform::shipped(&sandbox) {
        Ok(shipped) => shipped,
        Err(error) => {
            assert!(std::env::var_os("LAKEGATE_NEEDS_COMPONENT").is_none(), "{error}");
            lakegate_skipped::skipped("this build carries no component");
            return;
        }
    };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    for name in ["a", "b", "c"] {
        write(&format!("{name}.toml"), &format!("[[table]]\nname = '{name}'\n{DECLARED}"));
    }
    write("nameless.toml", &format!("[[table]]\n{DECLARED}"));
    write("open.toml", "[[table]]\nname = 'open'\n");
    write("broken.toml", "[[table]]\nname = 'broken'\nrwos = 'items'\n");
    write("empty.toml", "\n");
    let runtime = Runtime::new().unwrap();
    // Nothing is asked of it: specs lie in the folder, and lakes are only named.
    let aws = Aws::of_tests(runtime.handle().clone(), "http://127.0.0.1:9");
    let origin = Origin::File(folder.path().join("lakegate.toml"));
    let (mut random, mut started, mut refused) = (Random(0x9e37_79b9_7f4a_7c15), [0, 0], 0);
    for _ in 0..400 {
        let text = text(&mut random);
        let checked = check(&text, &origin, &|| Ok(shipped.clone()), None).unwrap();
        let config = match Config::parse(&text, &origin) {
            Ok(config) => config,
            Err(mistakes) => {
                assert!(checked.findings.len() >= mistakes.len(), "{text}\n{:?}", checked.findings);
                continue;
            }
        };
        let deployed = Deployed::start(aws.clone(), config.clone(), Home::Command).unwrap();
        for pipeline in config.pipelines.values() {
            let ready = deployed.pipeline(&pipeline.name);
            if checked.findings.is_empty() {
                assert!(ready.is_ok(), "{text}\n{:?}", ready.err());
                started[usize::from(matches!(pipeline.lake, Location::Local(_)))] += 1;
            } else {
                refused += usize::from(ready.is_err());
            }
        }
    }
    // It says something of both kinds of places, and of what a start refuses.
    assert!(started.iter().all(|count| *count > 20) && refused > 20, "{started:?} {refused}");
}
