//! A registry in a folder with a key, releases and what spoils them, for tests of this module.

use std::path::PathBuf;
use std::sync::Arc;

use crate::*;
use lakegate_base::Result;
use lakegate_lake::storage::LocalFolder;
use lakegate_sandbox::{Limits, Sandbox, Transform};

pub(super) const SAMPLE: &[u8] = b"{\"id\":1,\"price\":2}\n{\"id\":2,\"price\":null}\n";

pub(super) struct Fixture {
    pub(super) folder: tempfile::TempDir,
    pub(super) registry: Registry,
    pub(super) key: SigningKey,
    pub(super) sandbox: Sandbox,
}

impl Fixture {
    /// `None`, and the test is skipped, in a build without a component.
    pub(super) fn new() -> Option<Self> {
        if Transform::shipped_bytes().is_err() {
            lakegate_skipped::skipped("this build carries no component");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::over(Arc::new(LocalFolder::new(folder.path()).unwrap()));
        let key = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
        let sandbox = Sandbox::new(Limits::default()).unwrap();
        Some(Self { folder, registry, key, sandbox })
    }

    pub(super) fn spec(derive: &str) -> String {
        format!(
            "[[table]]\nname = \"orders\"\nmode = \"freeze\"\n\
             [[table.column]]\nname = \"id\"\ntype = \"bigint\"\n\
             [[table.column]]\nname = \"price\"\ntype = \"double\"\n{derive}"
        )
    }

    pub(super) fn draft(&self, version: &str) -> Draft {
        // The same component under each version, told something else.
        let derive = format!("[[table.derive]]\nname = \"made_by\"\nsql = \"'{version}'\"\n");
        Draft {
            name: "orders".into(),
            version: version.parse().unwrap(),
            component: Transform::shipped_bytes().unwrap().to_vec(),
            spec: Self::spec(&derive),
            samples: vec![("orders.ndjson".into(), SAMPLE.to_vec())],
            targets: Vec::new(),
        }
    }

    pub(super) fn publish(&self, version: &str) -> Pinned {
        publish(&self.registry, &self.sandbox, &self.draft(version), &self.key).unwrap().pinned
    }

    pub(super) fn promote(&self, version: &str) -> Channel {
        let pinned =
            self.registry.manifest("orders", &version.parse().unwrap(), &self.key.trust()).unwrap().1;
        self.change(|before| {
            Channel::promote(before, "orders", pinned.clone(), Promotion::Stable, "now")
                .map(|next| (next, ()))
        })
    }

    pub(super) fn change(&self, change: impl Fn(Option<&Channel>) -> Result<(Channel, ())>) -> Channel {
        self.registry.change_channel("orders", &self.key, &self.key.trust(), change).unwrap().0
    }

    pub(super) fn loader(&self) -> Loader {
        Loader {
            registry: self.registry.clone(),
            trust: self.key.trust(),
            sandbox: self.sandbox.clone(),
            declared: true,
            lake: None,
        }
    }

    pub(super) fn path(&self, key: &str) -> PathBuf {
        self.folder.path().join(key)
    }

    /// Flips one bit in the middle of a stored object.
    pub(super) fn flip(&self, key: &str) {
        let path = self.path(key);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }

    pub(super) fn replace(&self, key: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(key)).unwrap();
        assert!(text.contains(from), "{from} in {text}");
        std::fs::write(self.path(key), text.replace(from, to)).unwrap();
    }
}
