//! Tests of the page's files: nothing outside its folder, and the headers that go along.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

const HTML: &str =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; connect-src 'self'\" />";

fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("site");
    fs::create_dir_all(site.join("assets")).unwrap();
    fs::write(site.join("index.html"), HTML).unwrap();
    fs::write(site.join("assets/a-1.js"), "let a = 1;").unwrap();
    fs::write(site.join(".secret"), "s").unwrap();
    fs::write(folder.path().join("outside.txt"), "secret").unwrap();
    symlink(folder.path().join("outside.txt"), site.join("link.txt")).unwrap();
    symlink(folder.path(), site.join("up")).unwrap();
    symlink(site.join("assets/a-1.js"), site.join("inner.js")).unwrap();
    folder
}

fn page(folder: &tempfile::TempDir, origins: &[&str]) -> Page {
    let origins = origins.iter().map(|origin| (*origin).to_string()).collect();
    Page::new(Some(&folder.path().join("site")), origins).unwrap()
}

fn headers(encoding: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(encoding).unwrap());
    headers
}

#[test]
fn a_folder_beside_the_page_says_where_it_is() {
    let folder = site();
    let problem = Page::new(Some(folder.path()), Vec::new()).err().unwrap();
    let site = folder.path().canonicalize().unwrap().join("site");
    assert_eq!(problem.name(), "unknown_path");
    assert_eq!(problem.hint(), Some(&*format!("the page is in {}", site.display())));
    let empty = tempfile::tempdir().unwrap();
    let problem = Page::new(Some(empty.path()), Vec::new()).err().unwrap();
    assert!(problem.hint().unwrap().contains("cargo xtask web"), "{problem:?}");
}

#[test]
fn a_folder_gives_its_own_files_only() {
    let folder = site();
    let page = page(&folder, &[]);
    let found = |path: &str| page.answer(path, &HeaderMap::new()).is_ok();
    for path in ["/", "/index.html", "/assets/a-1.js", "/assets/a%2D1.js", "/inner.js"] {
        assert!(found(path), "{path}");
    }
    for path in [
        "/link.txt",
        "/up/outside.txt",
        "/../outside.txt",
        "/assets/../../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/assets%2f..%2f..%2foutside.txt",
        "//etc/passwd",
        "/%2fetc/passwd",
        "/.secret",
        "/assets",
        "/assets/",
        "/a%00",
        "/none",
    ] {
        assert!(!found(path), "{path}");
    }
}

#[test]
fn a_file_is_sent_with_the_policy_and_as_the_client_takes_it() {
    let folder = site();
    let page = page(&folder, &["https://b.example"]);
    let policy = "default-src 'none'; connect-src 'self' https://b.example";
    for (path, kind, keep) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/assets/a-1.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
    ] {
        let plain = page.answer(path, &headers("br, gzip;q=0")).unwrap();
        assert_eq!(plain.headers()["content-security-policy"], policy);
        assert_eq!(
            (&plain.headers()["content-type"], &plain.headers()["cache-control"]),
            (&HeaderValue::from_static(kind), &HeaderValue::from_static(keep))
        );
        assert!(!plain.headers().contains_key("content-encoding"));
        let packed = page.answer(path, &headers("deflate, GZIP;q=0.5")).unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        assert_eq!(packed.headers()["vary"], "accept-encoding");
    }
    let (index, _) = page.index().unwrap();
    assert!(index.contains(policy), "the page reads where it may upload from its own tag");
}

#[test]
fn a_folder_without_the_page_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Page::new(Some(folder.path()), vec![]).err().unwrap().name(), "unknown_path");
    fs::write(folder.path().join("index.html"), "<p>").unwrap();
    assert_eq!(Page::new(Some(folder.path()), vec![]).err().unwrap().name(), "page_without_policy");
    assert_eq!(Page::new(Some(&folder.path().join("no")), vec![]).err().unwrap().name(), "not_found");
}

#[test]
fn packing_is_undone() {
    let bytes = b"some bytes".repeat(100);
    assert_eq!(unpacked(&packed(&bytes).unwrap()).unwrap(), bytes);
    assert_eq!(unpacked(b"no gzip").unwrap_err().name(), "page_damaged");
}
