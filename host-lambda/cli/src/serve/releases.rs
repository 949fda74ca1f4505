//! What a registry has: releases and channels that verify, and those that do not.
//!
//! Not for using them: that is the flow's. The decision to know: every byte that goes to the page was verified on
//! its way, by the keys that this server trusts; a release that fails is named with its reason and never sent.

use crate::show::problem;
use bytes::Bytes;
use hyper::StatusCode;
use lakegate_base::{Code, Error};
use serde_json::{Value, json};

use crate::args::registry::{check_name, parse_version};
use crate::serve::Server;
use crate::serve::answer::{Answered, of_bytes, of_json};
use lakegate_release::{Loader, Manifest};

/// `GET /api/releases`.
pub fn list(server: &Server) -> Answered {
    let Loader { registry, trust, .. } = loader(server)?;
    let (mut releases, mut channels, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for name in registry.names()? {
        for version in registry.versions(&name)?.iter().rev() {
            match verified(server, &name, &version.to_string()) {
                Ok(Verified { manifest, digest, .. }) => releases.push(json!({
                    "name": name, "version": version.to_string(), "manifest": digest,
                    "component": manifest.component.blob.digest, "spec": manifest.spec.digest,
                    "created": manifest.published,
                })),
                Err(problem) => refused.push(refusal(&name, Some(&version.to_string()), &problem)),
            }
        }
        match registry.channel(&name, trust) {
            Ok(channel) => channels.push(json!({
                "name": name, "sequence": channel.sequence, "stable": channel.stable.release.version.to_string(),
                "canary": channel.canary.map(|canary| canary.entry.release.version.to_string()),
                "shadow": channel.shadow.map(|shadow| shadow.release.version.to_string()),
            })),
            Err(error) if error.code() == Code::ChannelMissing => {}
            Err(error) => refused.push(refusal(&name, None, &error)),
        }
    }
    Ok(of_json(StatusCode::OK, &json!({"releases": releases, "channels": channels, "refused": refused})))
}

/// `GET /api/releases/NAME/VERSION/component`.
pub fn component(server: &Server, name: &str, version: &str) -> Answered {
    let Verified { component, .. } = verified(server, name, version)?;
    Ok(of_bytes(StatusCode::OK, "application/wasm", Bytes::from(component)))
}

/// `GET /api/releases/NAME/VERSION/spec`.
pub fn spec(server: &Server, name: &str, version: &str) -> Answered {
    let Verified { spec, .. } = verified(server, name, version)?;
    Ok(of_bytes(StatusCode::OK, "text/plain; charset=utf-8", Bytes::from(spec)))
}

/// A release whose signature and blobs are right.
struct Verified {
    manifest: Manifest,
    /// Of the manifest.
    digest: String,
    component: Vec<u8>,
    spec: Vec<u8>,
}

fn verified(server: &Server, name: &str, version: &str) -> Result<Verified, Error> {
    check_name(name)?;
    let version = parse_version(version)?;
    let Loader { registry, trust, .. } = loader(server)?;
    let found = registry.manifest(name, &version, trust);
    let (manifest, pinned) = found?;
    let blob = |blob, what| {
        let what = format!("the {what} of {}", manifest.id());
        registry.blob(blob, &what)
    };
    let (component, spec) = (blob(&manifest.component.blob, "component")?, blob(&manifest.spec, "spec")?);
    Ok(Verified { manifest, digest: pinned.manifest, component, spec })
}

fn refusal(name: &str, version: Option<&str>, problem: &Error) -> Value {
    json!({"name": name, "version": version, "problem": problem::json(problem)})
}

fn loader(server: &Server) -> Result<&Loader, Error> {
    server.chosen.loader().ok_or_else(|| {
        Error::new(Code::UnknownPath, "this server has no registry")
            .with_hint("`lakegate serve --registry DIR --transform NAME`")
    })
}
