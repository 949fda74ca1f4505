//! `lakegate serve` as a process, and the plainest of HTTP clients.
//!
//! For: tests of what a browser, a program or somebody hostile can do at that port. The decision to know: a
//! request is written byte by byte as the test says, since a proper client refuses to send most of what must be
//! refused here.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::binary;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server; killed when dropped.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    /// What it said as it began.
    pub began: Value,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status code.
    pub status: u16,
    /// Head, lower case.
    pub head: String,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Status and the code of the problem.
    #[must_use]
    pub fn problem(&self) -> (u16, String) {
        (self.status, self.json()["problem"]["code"].as_str().unwrap_or_default().to_owned())
    }

    /// A header of the answer.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Serving {
    /// Starts on a free port in a folder.
    ///
    /// # Panics
    /// Where it does not start.
    #[must_use]
    pub fn start(folder: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(binary())
            .args(["serve", "--port", "0", "--json"])
            .args(args)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let began: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("did not start: {line}"));
        let port = began["port"].as_u64().and_then(|port| u16::try_from(port).ok());
        Self { child, port: port.unwrap_or_else(|| panic!("did not start: {began}")), began }
    }

    /// Sends exactly these bytes and reads the answer until the server closes; `None` where there was none.
    ///
    /// # Panics
    /// Where it does not listen.
    #[must_use]
    pub fn raw(&self, bytes: &[u8]) -> Option<Reply> {
        self.exchange(bytes, false)
    }

    /// The same, and says that nothing follows: a client that goes away.
    ///
    /// # Panics
    /// Where it does not listen.
    #[must_use]
    pub fn cut(&self, bytes: &[u8]) -> Option<Reply> {
        self.exchange(bytes, true)
    }

    fn exchange(&self, bytes: &[u8], ends: bool) -> Option<Reply> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may have answered and closed before all of a refused body was sent.
        let _sent = stream.write_all(bytes);
        if ends {
            let _closed = stream.shutdown(Shutdown::Write);
        }
        let mut answer = Vec::new();
        let _read = stream.read_to_end(&mut answer);
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some(Reply { status, head, body: answer[end + 4..].to_vec() })
    }

    /// A request with its headers and body.
    ///
    /// # Panics
    /// Where there is no answer.
    #[must_use]
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        let mut text = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            text.push_str(&format!("Host: 127.0.0.1:{}\r\n", self.port));
        }
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.raw(&[text.as_bytes(), body].concat())
            .unwrap_or_else(|| panic!("no answer to {method} {target}"))
    }

    /// What a GET answers.
    ///
    /// # Panics
    /// Where it fails.
    #[must_use]
    pub fn get(&self, target: &str) -> Value {
        let reply = self.ask("GET", target, &[], b"");
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.json()
    }

    /// Uploads to a target below `/api/raw/` and waits until it is through.
    ///
    /// # Panics
    /// Where it is refused.
    #[must_use]
    pub fn upload(&self, target: &str, body: &[u8]) -> Value {
        let reply = self.ask("PUT", &format!("/api/raw/{target}"), &[], body);
        assert_eq!(reply.status, 202, "{target}: {reply:?}");
        self.follow(reply.json()["id"].as_str().unwrap())
    }

    /// Waits until an upload is through.
    ///
    /// # Panics
    /// Where it takes a minute.
    #[must_use]
    pub fn follow(&self, id: &str) -> Value {
        let target = format!("/api/uploads/{id}");
        until("the upload to be through", || {
            Some(self.get(&target)).filter(|told| told["state"] == "done" || told["state"] == "failed")
        })
    }

    /// Ctrl-C, and how it ended.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn interrupt(&mut self) -> ExitStatus {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        until("the server to end", || self.child.try_wait().unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _killed = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Asks again until there is something.
///
/// # Panics
/// After a minute.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
