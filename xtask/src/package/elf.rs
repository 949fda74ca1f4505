//! Which symbol versions a program asks of its libraries: `.gnu.version_r` of an ELF file.
//!
//! Not a general reader: 64 bits, little-endian, as both of Lambda's processors are. The decision to know: it is
//! our own, since the crate that the lock file has is wasmtime's, and another set of its features would
//! compile wasmtime twice. Layout: "Linux Standard Base Core", Symbol Versioning.

use anyhow::{Context, Result, ensure};

/// Section type of version needs.
const VERNEED: u32 = 0x6fff_fffe;
/// All references are weak: the loader starts the program without this version.
const WEAK: u16 = 2;

/// A version that must be there.
#[derive(Debug, PartialEq, Eq)]
pub struct Needed {
    /// The library, for example `libc.so.6`.
    pub library: String,
    /// The version, for example `GLIBC_2.34`.
    pub name: String,
}

/// The symbol versions without which the program does not start.
pub fn needed_versions(program: &[u8]) -> Result<Vec<Needed>> {
    ensure!(program.starts_with(b"\x7fELF\x02\x01"), "this is no 64-bit little-endian ELF file");
    let file = Bytes(program);
    let (table, size, count) = (file.u64(0x28)?, file.u16(0x3a)?, file.u16(0x3c)?);
    let section = |index: u64| table + index * u64::from(size);
    let mut needed = Vec::new();
    for index in 0..u64::from(count) {
        let header = section(index);
        if file.u32(header + 0x04)? != VERNEED {
            continue;
        }
        let names = file.u64(section(file.u32(header + 0x28)?.into()) + 0x18)?;
        needs(&file, file.u64(header + 0x18)?, file.u32(header + 0x2c)?, names, &mut needed)?;
    }
    Ok(needed)
}

/// Walks `count` libraries from `at`, each with its chain of versions; `names` is the string table.
fn needs(file: &Bytes<'_>, mut at: u64, count: u32, names: u64, needed: &mut Vec<Needed>) -> Result<()> {
    for _library in 0..count {
        let library = file.text(names + u64::from(file.u32(at + 4)?))?;
        let mut version = at + u64::from(file.u32(at + 8)?);
        for _version in 0..file.u16(at + 2)? {
            if file.u16(version + 4)? & WEAK == 0 {
                let name = file.text(names + u64::from(file.u32(version + 8)?))?;
                needed.push(Needed { library: library.clone(), name });
            }
            version += u64::from(file.u32(version + 12)?);
        }
        at += u64::from(file.u32(at + 12)?);
    }
    Ok(())
}

/// `2.34` and `2.2.5` → major and minor.
pub fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn array<const N: usize>(&self, at: u64) -> Result<[u8; N]> {
        let from = usize::try_from(at)?;
        let found = from.checked_add(N).and_then(|to| self.0.get(from..to));
        Ok(found.context("the ELF file is cut short")?.try_into()?)
    }

    fn u16(&self, at: u64) -> Result<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&self, at: u64) -> Result<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn u64(&self, at: u64) -> Result<u64> {
        self.array(at).map(u64::from_le_bytes)
    }

    fn text(&self, at: u64) -> Result<String> {
        let rest = self.0.get(usize::try_from(at)?..).context("the ELF file is cut short")?;
        let end = rest.iter().position(|&byte| byte == 0).context("a name in the ELF file has no end")?;
        Ok(String::from_utf8_lossy(&rest[..end]).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::needed_versions;

    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn this_very_program_needs_some_glibc() {
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let needed = needed_versions(&program).unwrap();
        let libc: Vec<_> = needed.iter().filter(|needed| needed.library == "libc.so.6").collect();
        assert!(libc.iter().any(|needed| needed.name.starts_with("GLIBC_2.")), "{needed:?}");
        assert!(needed_versions(&program[..program.len() / 2]).is_err());
        assert!(needed_versions(b"PK").is_err());
    }
}
