//! Releases in a folder: what is loaded as it was published, and what is refused by which name.

use super::*;
use crate::fixture::Fixture;
use crate::keys::manifest_key;
use crate::manifest::Pinned;
use crate::signatures::signature_key;
use crate::{Channel, CodeKey, Draft, Promotion, Release, Trust, publish};
use lakegate_sandbox::{Limits, Sandbox, compile_for, native_target};

fn code<T>(result: Result<T>) -> String {
    result.err().map_or_else(|| "none".into(), |error| error.name().to_string())
}

fn load(fixture: &Fixture, version: &str) -> Result<Release> {
    fixture.loader().load("orders", &version.parse().unwrap())
}

/// Where the fixture's own signature of a release is.
fn signature_of(fixture: &Fixture, version: &str) -> String {
    let version = version.parse().unwrap();
    let bytes = std::fs::read(fixture.path(&manifest_key("orders", &version))).unwrap();
    signature_key("orders", &version, &sha256(&bytes), &fixture.key.id())
}

#[test]
fn a_release_is_loaded_as_it_was_published() {
    let Some(fixture) = Fixture::new() else { return };
    let pinned = fixture.publish("1.0.0");
    assert_eq!(fixture.publish("1.0.0"), pinned, "the same again changes nothing");
    let release = load(&fixture, "1.0.0").unwrap();
    assert_eq!((release.id().as_str(), &release.pinned), ("orders@1.0.0", &pinned));
    assert_eq!(release.manifest.samples.len(), 1);
    assert_eq!(release.manifest.samples[0].outputs.len(), 1);
    let plan = release.plan(Some(3)).unwrap();
    assert_eq!(plan.release.unwrap().manifest, pinned.manifest);
    assert_eq!(fixture.registry.names().unwrap(), ["orders"]);
    let other = Draft { spec: Fixture::spec(""), ..fixture.draft("1.0.0") };
    assert_eq!(code(publish(&fixture.registry, &fixture.sandbox, &other, &fixture.key)), "release_exists");
    let missing = load(&fixture, "1.0.1").err().unwrap();
    assert_eq!(
        (missing.name(), missing.hint()),
        (
            "release_missing",
            Some(
                "versions of orders there: 1.0.0; `lakegate registry copy orders@1.0.1 --from REGISTRY` brings it back from \
                 another registry"
            )
        )
    );
}

#[test]
fn versions_are_in_their_order() {
    let Some(fixture) = Fixture::new() else { return };
    for version in ["1.10.0", "1.9.0", "2.0.0-rc.1"] {
        fixture.publish(version);
    }
    let versions: Vec<String> =
        fixture.registry.versions("orders").unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(versions, ["1.9.0", "1.10.0", "2.0.0-rc.1"]);
}

#[test]
fn a_flipped_bit_is_found_wherever_it_is() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let manifest = load(&fixture, "1.0.0").unwrap().manifest;
    let blobs = [&manifest.component.blob, &manifest.spec, &manifest.samples[0].input];
    for blob in blobs {
        let key = blob_key(blob);
        fixture.flip(&key);
        assert_eq!(code(load(&fixture, "1.0.0")), "blob_damaged", "{key}");
        fixture.flip(&key);
    }
    let place = manifest_key("orders", &manifest.version);
    fixture.flip(&place);
    assert_eq!(code(load(&fixture, "1.0.0")), "signature_wrong");
    fixture.flip(&place);
    load(&fixture, "1.0.0").unwrap();

    fixture.promote("1.0.0");
    let place = channel_key("orders");
    let channel = || fixture.registry.channel("orders", &fixture.key.trust());
    channel().unwrap();
    fixture.replace(&place, "\\\"sequence\\\":1", "\\\"sequence\\\":9");
    assert_eq!(code(channel()), "signature_wrong");
    std::fs::write(fixture.path(&place), "{}").unwrap();
    assert_eq!(code(channel()), "channel_damaged");
    std::fs::remove_file(fixture.path(&place)).unwrap();
    assert_eq!(code(channel()), "channel_missing");
}

#[test]
fn a_channel_of_another_registry_is_not_in_use() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.promote("1.0.0");
    let trust = fixture.key.trust();
    let mut channel = fixture.registry.channel("orders", &trust).unwrap();
    assert_eq!(channel.registry, "folder");
    // Signed by the same key, for a bucket of its own, and copied here.
    channel.registry = "s3://staging/releases".into();
    let payload = String::from_utf8(to_json(&channel).unwrap()).unwrap();
    let signed = to_json(&Signed::new(payload, &fixture.key)).unwrap();
    std::fs::write(fixture.path(&channel_key("orders")), signed).unwrap();
    assert_eq!(code(fixture.registry.channel("orders", &trust)), "channel_foreign");
    // Promoted here, it is in use here.
    fixture.promote("1.0.0");
    assert_eq!(fixture.registry.channel("orders", &trust).unwrap().registry, "folder");
}

#[test]
fn a_blob_that_is_gone_is_named() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let manifest = load(&fixture, "1.0.0").unwrap().manifest;
    std::fs::remove_file(fixture.path(&blob_key(&manifest.spec))).unwrap();
    assert_eq!(code(load(&fixture, "1.0.0")), "blob_missing");
}

#[test]
fn only_what_a_trusted_key_signed_is_believed() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.promote("1.0.0");
    let other = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
    for trust in [other.trust(), Trust::default()] {
        let loader = super::super::Loader { trust: trust.clone(), ..fixture.loader() };
        assert_eq!(code(loader.load("orders", &"1.0.0".parse().unwrap())), "signature_unknown_key");
        assert_eq!(code(fixture.registry.channel("orders", &trust)), "signature_unknown_key");
    }
    // A manifest that somebody else signed is no release of ours, whatever its signature file says of the key.
    let place = signature_of(&fixture, "1.0.0");
    let signature = Signature { key: fixture.key.id(), ..other.sign(b"anything") };
    std::fs::write(fixture.path(&place), to_json(&signature).unwrap()).unwrap();
    assert_eq!(code(load(&fixture, "1.0.0")), "signature_wrong");
    std::fs::remove_file(fixture.path(&place)).unwrap();
    assert_eq!(code(load(&fixture, "1.0.0")), "release_unsigned");
    fixture.publish("1.0.0");
    load(&fixture, "1.0.0").unwrap();
}

#[test]
fn several_keys_sign_one_release() {
    let Some(fixture) = Fixture::new() else { return };
    let pinned = fixture.publish("1.0.0");
    let other = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
    let loads = |trust: &Trust| {
        let loader = super::super::Loader { trust: trust.clone(), ..fixture.loader() };
        code(loader.load("orders", &"1.0.0".parse().unwrap()))
    };
    assert_eq!(loads(&other.trust()), "signature_unknown_key");
    // The same bytes once more, by somebody else: a signature is added, and nothing else changes.
    let again = publish(&fixture.registry, &fixture.sandbox, &fixture.draft("1.0.0"), &other).unwrap();
    assert_eq!((again.pinned, again.fresh), (pinned.clone(), false));
    assert_eq!([loads(&other.trust()), loads(&fixture.key.trust())], ["none", "none"]);
    let third = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
    let version = "1.0.0".parse().unwrap();
    assert_eq!(
        code(fixture.registry.add_signature("orders", &version, &third.trust(), &third)),
        "signature_unknown_key",
        "nobody signs what they do not trust"
    );
    fixture.registry.add_signature("orders", &version, &fixture.key.trust(), &third).unwrap();
    assert_eq!(loads(&third.trust()), "none");
    let mut signers = fixture.registry.signers("orders", &pinned).unwrap();
    signers.sort();
    let mut wanted = vec![fixture.key.id(), other.id(), third.id()];
    wanted.sort();
    assert_eq!(signers, wanted);
}

#[test]
fn what_cannot_be_compiled_or_opened_is_not_published() {
    let Some(fixture) = Fixture::new() else { return };
    let unknown = Draft { targets: vec!["nowhere-at-all".into()], ..fixture.draft("1.0.0") };
    let open = |spec: &str| Draft { spec: spec.into(), samples: Vec::new(), ..fixture.draft("1.0.0") };
    let derive = "[[table.derive]]\nname = \"x\"\nsql = \"no_such_column + 1\"\n";
    for draft in [unknown, open(&Fixture::spec(derive)), open("[[table]]\nname = \"orders\"\nmode = 7\n")] {
        publish(&fixture.registry, &fixture.sandbox, &draft, &fixture.key).err().unwrap();
        assert!(fixture.registry.versions("orders").unwrap().is_empty(), "{}", draft.spec);
        assert!(fixture.registry.names().unwrap().is_empty());
    }
    fixture.publish("1.0.0");
}

/// Publishing again completes what a kill left, and never signs what somebody put there meanwhile.
#[test]
fn nothing_is_signed_that_was_not_published() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    std::fs::remove_file(fixture.path(&signature_of(&fixture, "1.0.0"))).unwrap();
    fixture.replace("releases/orders/1.0.0.json", "{\n", "{\n  \"more\": true,\n");
    let draft = fixture.draft("1.0.0");
    assert_eq!(code(publish(&fixture.registry, &fixture.sandbox, &draft, &fixture.key)), "release_exists");
    assert_eq!(code(load(&fixture, "1.0.0")), "release_unsigned");
}

#[test]
fn a_manifest_under_another_name_is_refused() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let (from, to) = (fixture.path("releases/orders/1.0.0.json"), fixture.path("releases/orders/1.0.1.json"));
    std::fs::copy(&from, &to).unwrap();
    let signed = signature_of(&fixture, "1.0.0");
    let beside = fixture.path(&signed.replace("1.0.0", "1.0.1"));
    std::fs::create_dir_all(beside.parent().unwrap()).unwrap();
    std::fs::copy(fixture.path(&signed), beside).unwrap();
    assert_eq!(code(load(&fixture, "1.0.1")), "manifest_damaged");
}

#[test]
fn a_sample_that_comes_out_otherwise_stops_a_release() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let (mut manifest, _) =
        fixture.registry.manifest("orders", &"1.0.0".parse().unwrap(), &fixture.key.trust()).unwrap();
    manifest.version = "1.0.1".parse().unwrap();
    manifest.samples[0].outputs[0].digest = "0".repeat(64);
    fixture.registry.put_manifest(&manifest, &fixture.key).unwrap();
    assert_eq!(code(load(&fixture, "1.0.1")), "sample_differs");
    manifest.version = "1.0.2".parse().unwrap();
    manifest.samples[0].input = fixture.registry.put_blob(b"[{\"id\":").unwrap();
    fixture.registry.put_manifest(&manifest, &fixture.key).unwrap();
    assert_eq!(code(load(&fixture, "1.0.2")), "sample_fails");
}

/// What cannot be a transform is refused when it is published, and when a host loads it.
#[test]
fn a_component_that_imports_or_speaks_another_version_is_refused() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let clocks = r#"(component (import "wasi:clocks/monotonic-clock@0.2.0" (instance)))"#;
    let other = r#"(component (instance $i) (export "lakegate:transform/transform@2.0.0" (instance $i)))"#;
    for (text, wanted, version) in
        [(clocks, "component_imports", "1.0.1"), (other, "component_interface", "1.0.2")]
    {
        let component = wat::parse_str(text).unwrap();
        let draft = Draft { component: component.clone(), ..fixture.draft(version) };
        assert_eq!(code(publish(&fixture.registry, &fixture.sandbox, &draft, &fixture.key)), wanted);
        // Signed all the same, by a publisher that does not look.
        let (mut manifest, _) =
            fixture.registry.manifest("orders", &"1.0.0".parse().unwrap(), &fixture.key.trust()).unwrap();
        manifest.version = version.parse().unwrap();
        manifest.component.blob = fixture.registry.put_blob(&component).unwrap();
        fixture.registry.put_manifest(&manifest, &fixture.key).unwrap();
        let refused = load(&fixture, version).err().unwrap();
        assert_eq!(refused.name(), wanted);
        assert!(refused.to_string().contains(if version == "1.0.1" { "wasi:clocks" } else { "@2.0.0" }));
    }
}

/// Compiled code counts only when it is signed and for exactly this engine.
#[test]
fn compiled_code_is_for_exactly_this_engine() {
    let Some(fixture) = Fixture::new() else { return };
    let component = wat::parse_str("(component)").unwrap();
    fixture.publish("1.0.0");
    let (mut manifest, _) =
        fixture.registry.manifest("orders", &"1.0.0".parse().unwrap(), &fixture.key.trust()).unwrap();
    manifest.component.blob = Blob::of(&component);
    let (registry, trust) = (&fixture.registry, fixture.key.trust());
    let key = CodeKey::of_target(None);
    assert_eq!(registry.code(&manifest, &key, &trust).unwrap(), None);
    let compiled = compile_for(&native_target(), &component).unwrap();
    let statement = registry.put_code(&manifest, key.clone(), &compiled, &fixture.key).unwrap();
    assert_eq!(registry.code(&manifest, &key, &trust).unwrap().unwrap(), compiled);

    let place = format!(
        "releases/orders/1.0.0/code/{}.json",
        registry.code_places("orders", &manifest.version).unwrap()[0]
    );
    let stored = std::fs::read_to_string(fixture.path(&place)).unwrap();
    let restore = || std::fs::write(fixture.path(&place), &stored).unwrap();
    // Changed after it was signed.
    fixture.replace(&place, "48.0", "47.0");
    assert_eq!(code(registry.code(&manifest, &key, &trust)), "signature_wrong");
    // Signed, and about another engine or component.
    let other = CodeKey { wasmtime: "47.0.1".into(), ..key.clone() };
    let say = |statement: &super::super::CodeStatement| {
        let payload = serde_json::to_string(statement).unwrap();
        registry.put_signed(&place, payload, &fixture.key).unwrap();
        let error = registry.code(&manifest, &key, &trust).unwrap_err();
        (error.code().to_string(), error.to_string())
    };
    let (named, message) = say(&super::super::CodeStatement { key: other, ..statement.clone() });
    assert_eq!(named, "code_mismatch");
    assert!(message.contains("wasmtime 47.0.1"), "{message}");
    let (named, _) = say(&super::super::CodeStatement { component: "0".repeat(64), ..statement.clone() });
    assert_eq!(named, "code_mismatch");
    restore();
    let blob = blob_key(&statement.code);
    fixture.flip(&blob);
    assert_eq!(code(registry.code(&manifest, &key, &trust)), "blob_damaged");
}

/// A host that never compiles: no code, no release; code that the engine refuses, no release.
#[test]
fn a_host_that_cannot_compile_needs_compiled_code() {
    let Some(fixture) = Fixture::new() else { return };
    // A component of its own, which no cache has: an empty custom section more.
    let mut component = lakegate_sandbox::Transform::shipped_bytes().unwrap().to_vec();
    let unique = sha256(fixture.folder.path().as_os_str().as_encoded_bytes());
    component.extend([0, 17, 16]);
    component.extend(&unique.as_bytes()[..16]);
    let draft = Draft { component: component.clone(), samples: Vec::new(), ..fixture.draft("1.0.0") };
    let sandbox = Sandbox::that_never_compiles(Limits::default()).unwrap();
    let strict = crate::Loader { sandbox, ..fixture.loader() };
    let version: semver::Version = "1.0.0".parse().unwrap();
    // Published elsewhere: this machine's cache of compiled code knows nothing of it.
    let (mut manifest, _) = {
        fixture.publish("0.9.0");
        fixture.registry.manifest("orders", &"0.9.0".parse().unwrap(), &fixture.key.trust()).unwrap()
    };
    manifest.version = version.clone();
    manifest.component.blob = fixture.registry.put_blob(&component).unwrap();
    manifest.samples.clear();
    manifest.spec = fixture.registry.put_blob(draft.spec.as_bytes()).unwrap();
    fixture.registry.put_manifest(&manifest, &fixture.key).unwrap();
    assert_eq!(code(strict.load("orders", &version)), "code_missing");
    let key = CodeKey::of_target(None);
    fixture.registry.put_code(&manifest, key.clone(), b"no code at all", &fixture.key).unwrap();
    assert_eq!(code(strict.load("orders", &version)), "code_refused");
    let compiled = compile_for(&native_target(), &component).unwrap();
    fixture.registry.put_code(&manifest, key, &compiled, &fixture.key).unwrap();
    assert_eq!(strict.load("orders", &version).unwrap().transform.digest(), manifest.component.blob.digest);
}

#[test]
fn changes_of_a_channel_are_never_lost() {
    let Some(fixture) = Fixture::new() else { return };
    let versions = ["1.0.0", "1.0.1"];
    let pinned: Vec<Pinned> = versions.iter().map(|version| fixture.publish(version)).collect();
    fixture.promote("1.0.0");
    std::thread::scope(|scope| {
        for pinned in pinned.iter().cycle().take(4) {
            let fixture = &fixture;
            scope.spawn(move || {
                for _ in 0..5 {
                    fixture.change(|before| {
                        Channel::promote(before, "orders", pinned.clone(), Promotion::Stable, "now")
                            .map(|next| (next, ()))
                    });
                }
            });
        }
    });
    let channel = fixture.registry.channel("orders", &fixture.key.trust()).unwrap();
    assert_eq!((channel.sequence, channel.history.len()), (21, 21));
}
