//! A proxy that loses replies: what a network does once in a million times, on demand.
//!
//! Not for slow networks. The decision to know: it works on bytes, below HTTP, and decides by the first
//! line of a request, so that it stands before any S3.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::s3::suite::peers::runtime;

/// What happens to the answer of the next request that starts with these words.
#[derive(Clone)]
pub(super) struct Fault {
    /// As `PUT /`, or a part of the first line.
    pub(super) first_line: &'static str,
    /// Bytes of the answer that come through before the connection is cut.
    pub(super) let_through: usize,
}

pub(super) struct Proxy {
    pub(super) endpoint: String,
    next: Arc<Mutex<Option<Fault>>>,
}

impl Proxy {
    pub(super) fn before(endpoint: &str) -> Self {
        let upstream = endpoint.trim_start_matches("http://").trim_end_matches('/').to_string();
        let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let next = Arc::new(Mutex::new(None));
        let faults = next.clone();
        runtime().spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&upstream).await.unwrap();
                tokio::spawn(relay(client, server, faults.clone()));
            }
        });
        Self { endpoint, next }
    }

    /// Arms the proxy: the fault happens once.
    pub(super) fn inject(&self, first_line: &'static str, let_through: usize) {
        *self.next.lock().unwrap() = Some(Fault { first_line, let_through });
    }

    /// True once the fault has happened.
    pub(super) fn is_spent(&self) -> bool {
        self.next.lock().unwrap().is_none()
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, next: Arc<Mutex<Option<Fault>>>) {
    let (mut from_client, mut from_server) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut fault: Option<Fault> = None;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(count @ 1..) = read else { return };
                let line = String::from_utf8_lossy(&from_client[..count.min(2000)]).into_owned();
                let line = line.lines().next().unwrap_or_default();
                fault = taken(&next, line).or(fault);
                if server.write_all(&from_client[..count]).await.is_err() { return }
            }
            read = server.read(&mut from_server) => {
                let Ok(count @ 1..) = read else { return };
                // An interim answer asks for the body; it is not the reply.
                let interim = from_server[..count].starts_with(b"HTTP/1.1 100");
                let through = match &mut fault {
                    Some(fault) if !interim => {
                        let through = fault.let_through.min(count);
                        fault.let_through -= through;
                        through
                    }
                    _ => count,
                };
                if client.write_all(&from_server[..through]).await.is_err() || through < count { return }
            }
        }
    }
}

/// The armed fault, if it is for this line.
fn taken(next: &Mutex<Option<Fault>>, line: &str) -> Option<Fault> {
    let mut armed = next.lock().unwrap();
    if armed.as_ref().is_some_and(|armed| line.contains(armed.first_line)) { armed.take() } else { None }
}
