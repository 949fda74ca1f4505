//! Keys that sign releases and channels: Ed25519 (RFC 8032), in the files that other tools write too.
//!
//! Not for encryption, nor for who may publish: that is the storage's business. Decisions to know:
//!
//! * `ring` does the arithmetic: TLS links it already, so signing costs no build.
//! * Files are PEM (RFC 7468): PKCS #8 version 1 and SubjectPublicKeyInfo (RFC 8410), so that
//!   `openssl genpkey -algorithm ed25519` makes keys for Lakegate, and `openssl pkeyutl -verify -rawin` checks
//!   what Lakegate signed.
//! * Signed is the exact text as stored. Each text says in itself what kind it is, so a signature of one kind
//!   is of no use as another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use lakegate_base::{Code, Error, Result};
use lakegate_lake::lake::sha256;

/// RFC 8410, section 7: version 0, algorithm 1.3.101.112, and the header of a seed of 32 bytes.
const PRIVATE_PREFIX: [u8; 16] = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// RFC 8410, section 4: algorithm 1.3.101.112, and the header of a key of 32 bytes.
const PUBLIC_PREFIX: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];

const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";

/// A private key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PublicKey([u8; 32]);

/// The keys that a host believes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    keys: Vec<PublicKey>,
}

/// A detached signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Name of the key: the first 16 hexadecimal digits of its SHA-256.
    pub key: String,
    /// 64 bytes in base64.
    pub signature: String,
}

impl SigningKey {
    /// A new key as the text of its two files: private, public.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn generate() -> Result<(String, String)> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|_| Error::new(Code::NoRandomNumbers, "the system gives no random numbers"))?;
        let private = [&PRIVATE_PREFIX[..], &seed].concat();
        let key = Self::from_der(&private)?;
        Ok((pem(PRIVATE, &private), key.public_text()))
    }

    /// Reads a private key file.
    ///
    /// # Errors
    /// `key_unreadable`: it is no Ed25519 key in PEM.
    pub fn parse(text: &str) -> Result<Self> {
        let der = unpem(PRIVATE, text).ok_or_else(|| {
            unreadable(if text.contains(PUBLIC) {
                "it is a public key"
            } else {
                "it is no private key in PEM"
            })
        })?;
        Self::from_der(&der)
    }

    /// Reads a private key file, which nobody but its owner may read: as ssh has it.
    ///
    /// # Errors
    /// `key_open`: others may read it. As [`SigningKey::parse`]; it cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let io = |error| Error::io(&name, error).with_hint("`lakegate keygen --out release.key` makes one");
        let mode = fs::metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 != 0 {
            let what = format!("others may read this private key (mode {:o})", mode & 0o777);
            return Err(Error::new(Code::KeyOpen, what)
                .with_hint(format!("chmod 600 {name}; if somebody may have read it, make another one"))
                .in_file(name));
        }
        Self::parse(&fs::read_to_string(path).map_err(io)?).map_err(|error| error.in_file(name))
    }

    fn from_der(der: &[u8]) -> Result<Self> {
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
            .map(|pair| Self { pair })
            .map_err(|error| unreadable(&format!("it is no Ed25519 key ({error})")))
    }

    fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Its public half as the text of a file.
    pub fn public_text(&self) -> String {
        pem(PUBLIC, &[&PUBLIC_PREFIX[..], &self.public().0].concat())
    }

    /// Name of the key, as signatures have it.
    pub fn id(&self) -> String {
        self.public().id()
    }

    /// The key believed by whoever made it.
    pub fn trust(&self) -> Trust {
        Trust { keys: vec![self.public()] }
    }

    /// Signs the exact bytes.
    pub fn sign(&self, bytes: &[u8]) -> Signature {
        Signature { key: self.id(), signature: BASE64.encode(self.pair.sign(bytes)) }
    }
}

impl PublicKey {
    fn id(&self) -> String {
        sha256(&self.0)[..16].to_string()
    }
}

impl Trust {
    /// Believes the keys of these texts: public key files, which may hold several, or their base64 line alone.
    ///
    /// # Errors
    /// `key_unreadable`: one is no public Ed25519 key.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let keys = texts.into_iter().flat_map(each).map(public_key).collect::<Result<Vec<_>>>()?;
        Ok(Self { keys })
    }

    /// Names of the keys.
    pub fn ids(&self) -> Vec<String> {
        self.keys.iter().map(PublicKey::id).collect()
    }

    /// Believes the keys of both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.keys.extend(other.keys);
        self
    }

    /// True if nobody is believed.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Checks a signature of exactly these bytes. `what` is for messages.
    ///
    /// # Errors
    /// `signature_unknown_key`: its key is not trusted. `signature_wrong`: it is not of these bytes.
    pub fn verify(&self, what: &str, bytes: &[u8], signature: &Signature) -> Result<()> {
        let Some(key) = self.keys.iter().find(|key| key.id() == signature.key) else {
            let known = if self.keys.is_empty() { "none".into() } else { self.ids().join(", ") };
            return Err(Error::new(
                Code::SignatureUnknownKey,
                format!(
                    "{what} is signed by the key {}, which is not trusted (trusted: {known})",
                    signature.key
                ),
            )
            .with_hint(
                "give the public key file of whoever publishes with --trust, or in `trust` of lakegate.toml",
            ));
        };
        let wrong = || {
            Error::new(Code::SignatureWrong, format!("{what} is not what the key {} signed", signature.key))
                .with_hint("it was changed after it was signed; publish or promote again")
        };
        let signed = BASE64.decode(&signature.signature).map_err(|_| wrong())?;
        UnparsedPublicKey::new(&ED25519, &key.0).verify(bytes, &signed).map_err(|_| wrong())
    }
}

/// The keys of a text, each with what stands before it; a text without any is one that is wrong.
fn each(text: &str) -> Vec<&str> {
    let end = format!("-----END {PUBLIC}-----");
    if !text.contains(&end) {
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        return if lines.len() > 1 && !text.contains("-----") { lines } else { vec![text] };
    }
    text.split_inclusive(end.as_str()).filter(|piece| piece.contains(&end)).collect()
}

fn public_key(text: &str) -> Result<PublicKey> {
    let der = unpem(PUBLIC, text).or_else(|| BASE64.decode(text.trim()).ok());
    let key = der.as_deref().and_then(|der| der.strip_prefix(&PUBLIC_PREFIX[..]));
    let key = key.and_then(|key| <[u8; 32]>::try_from(key).ok()).map(PublicKey);
    key.ok_or_else(|| {
        unreadable(if text.contains(PRIVATE) {
            "it is a private key: trust the .pub file beside it"
        } else {
            "it is no public Ed25519 key in PEM"
        })
    })
}

fn unreadable(why: &str) -> Error {
    Error::new(Code::KeyUnreadable, format!("the key cannot be used: {why}"))
        .with_hint("`lakegate keygen --out release.key` makes release.key and release.key.pub")
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

/// RFC 7468 with one block; text around it is allowed.
fn unpem(label: &str, text: &str) -> Option<Vec<u8>> {
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    BASE64.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_these_bytes_by_this_key() {
        let (private, public) = SigningKey::generate().unwrap();
        let key = SigningKey::parse(&private).unwrap();
        let trust = Trust::parse([public.as_str()]).unwrap();
        assert_eq!(key.public_text(), public);
        assert_eq!(trust.ids(), [key.id()]);
        let signature = key.sign(b"text");
        trust.verify("it", b"text", &signature).unwrap();
        let code = |result: Result<()>| result.unwrap_err().name().to_string();
        assert_eq!(code(trust.verify("it", b"texT", &signature)), "signature_wrong");
        let torn = Signature { signature: signature.signature[1..].into(), ..signature.clone() };
        assert_eq!(code(trust.verify("it", b"text", &torn)), "signature_wrong");
        let (_, other) = SigningKey::generate().unwrap();
        let others = Trust::parse([other.as_str()]).unwrap();
        assert_eq!(code(others.verify("it", b"text", &signature)), "signature_unknown_key");
        assert_eq!(code(Trust::default().verify("it", b"text", &signature)), "signature_unknown_key");
        others.and(trust).verify("it", b"text", &signature).unwrap();
    }

    /// RFC 8032, section 7.1, test 1; the file is what `openssl pkey` writes for that seed.
    #[test]
    fn keys_and_signatures_are_those_of_the_standard() {
        let private = "-----BEGIN PRIVATE KEY-----\n\
                       MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n\
                       -----END PRIVATE KEY-----\n";
        let key = SigningKey::parse(private).unwrap();
        let public = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        assert!(key.public_text().contains(public));
        let signature = BASE64.decode(key.sign(b"").signature).unwrap();
        assert!(hex::encode(&signature).starts_with("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974"));
        Trust::parse([public]).unwrap().verify("it", b"", &key.sign(b"")).unwrap();
    }

    #[test]
    fn a_file_may_hold_several_keys() {
        let made: Vec<(String, String)> = (0..3).map(|_| SigningKey::generate().unwrap()).collect();
        let ids: Vec<String> =
            made.iter().map(|(private, _)| SigningKey::parse(private).unwrap().id()).collect();
        let pems: String = made.iter().map(|(_, public)| format!("# somebody\n{public}\n")).collect();
        assert_eq!(Trust::parse([pems.as_str()]).unwrap().ids(), ids);
        let line = |public: &String| public.lines().nth(1).unwrap().to_owned();
        let lines: Vec<String> = made.iter().map(|(_, public)| line(public)).collect();
        assert_eq!(Trust::parse([lines.join("\n").as_str()]).unwrap().ids(), ids);
        assert!(Trust::parse([format!("{}\nnonsense", lines[0]).as_str()]).is_err());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.key");
        fs::write(&path, SigningKey::generate().unwrap().0).unwrap();
        let with = |mode: u32| {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            SigningKey::read(&path).err().map(|error| error.name().to_owned())
        };
        assert_eq!([with(0o600), with(0o400)], [None, None]);
        for mode in [0o644, 0o640, 0o604, 0o660] {
            assert_eq!(with(mode).as_deref(), Some("key_open"));
        }
    }

    #[test]
    fn a_wrong_file_is_named() {
        let (private, public) = SigningKey::generate().unwrap();
        let told = |error: Error| error.to_string();
        assert!(told(SigningKey::parse(&public).err().unwrap()).contains("it is a public key"));
        assert!(told(Trust::parse([private.as_str()]).unwrap_err()).contains("trust the .pub file"));
        for text in ["", "hello", "-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----"] {
            assert_eq!(Trust::parse([text]).unwrap_err().name(), "key_unreadable");
        }
    }
}
