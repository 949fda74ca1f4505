//! Sockets and connections: this machine's own addresses, until somebody says stop.
//!
//! Not for requests (`route`). The decision to know: nothing but the loopback addresses is ever bound, whatever
//! the command line says.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};

use crate::serve::{Server, route};

/// Requests that are under way have so long to end; an upload that takes longer leaves nothing.
const GRACE: Duration = Duration::from_secs(5);

/// Pause where no connection can be taken, for example because too many files are open.
const PAUSE: Duration = Duration::from_millis(100);

/// Binds 127.0.0.1, and ::1 where that is to be had; 0 is a free port. The port.
///
/// # Errors
/// The port is taken, or nobody may have it.
pub async fn bind(port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let first = TcpListener::bind((IpAddr::from(Ipv4Addr::LOCALHOST), port)).await?;
    let port = first.local_addr()?.port();
    let second = TcpListener::bind((IpAddr::from(Ipv6Addr::LOCALHOST), port)).await;
    Ok((std::iter::once(first).chain(second.ok()).collect(), port))
}

/// Answers until `stop`, then lets requests end that are under way.
pub async fn serve(
    server: Arc<Server>,
    listeners: Vec<TcpListener>,
    port: u16,
    stop: impl Future<Output = ()>,
) {
    let graceful = Arc::new(GracefulShutdown::new());
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(accept(listener, server.clone(), port, graceful.clone())))
        .collect();
    stop.await;
    for task in accepting {
        task.abort();
        // It was aborted: that is what it ends with.
        let _aborted = task.await;
    }
    if let Ok(graceful) = Arc::try_unwrap(graceful) {
        // What is not through by then is cut off.
        let _late = tokio::time::timeout(GRACE, graceful.shutdown()).await;
    }
}

async fn accept(listener: TcpListener, server: Arc<Server>, port: u16, graceful: Arc<GracefulShutdown>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => connection(stream, server.clone(), port, &graceful),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

fn connection(stream: TcpStream, server: Arc<Server>, port: u16, graceful: &GracefulShutdown) {
    let service = service_fn(move |request| route::answer(server.clone(), port, request));
    // The timer ends connections that send no whole request head within 30 seconds.
    let connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A client that went away: its request has told so, or had its answer.
        let _gone = connection.await;
    });
}
