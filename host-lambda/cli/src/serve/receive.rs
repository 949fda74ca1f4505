//! From a request's body to the disk or to a short text.
//!
//! Not for what follows an upload (`queue`). Decisions to know: a body is written as it comes, into the lake's
//! staging, where nothing sees it and `lakegate fsck` finds what a kill left; and only a body that came whole goes
//! on, so that a client which goes away leaves nothing.

use lakegate_base::{Code, Error};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::serve::Server;
use crate::serve::queue::Waiting;
use lakegate_lake::keys::raw_key;

/// Largest upload. What S3 takes in one PUT, which is where the same page uploads to in production.
pub const UPLOAD_BYTES: u64 = 5 << 30;

/// Longest spec: two thousand columns with all that can be said of them take a quarter of it.
pub const SPEC_BYTES: usize = 1 << 20;

/// Pieces between the network and the disk; a piece is what one read of the network gives, at most 400 KiB or so.
const PIECES: usize = 8;

/// A client that sends nothing for so long is gone.
const STALLED: Duration = Duration::from_secs(60);

/// Bytes of a refused body that are read and dropped: a browser shows the answer only if it may finish sending.
const DROPPED_BYTES: usize = 16 << 20;

enum Piece {
    Bytes(Bytes),
    End,
}

/// Takes an upload in; its id.
///
/// # Errors
/// It is too large, stalls, is cut short, or cannot be written; nothing is left then.
pub async fn upload(server: Arc<Server>, waiting: Waiting, body: Incoming) -> Result<String, Error> {
    // Never closed: the server outlives its requests.
    let _turn = server.receiving.acquire().await.ok();
    if body.size_hint().lower() > UPLOAD_BYTES {
        return Err(too_large());
    }
    let (pieces, receiver) = mpsc::channel(PIECES);
    let writer = spawn_blocking({
        let server = server.clone();
        move || write(&server, waiting, receiver)
    });
    // Without its end the writer throws away what it has; waited for, so that it is gone when this answers.
    let forwarded = forward(body, pieces).await;
    let kept = writer.await;
    forwarded?;
    kept.unwrap_or_else(|_| Err(Error::new(Code::Panic, "Lakegate itself failed here")))
}

/// Hands a body over, piece by piece, and at last its end.
async fn forward(mut body: Incoming, pieces: mpsc::Sender<Piece>) -> Result<(), Error> {
    let mut bytes = 0u64;
    loop {
        let piece = match timeout(STALLED, body.frame()).await {
            Err(_) => {
                return Err(Error::new(Code::UploadStalled, "nothing came for 60 seconds; nothing was kept"));
            }
            Ok(None) => Piece::End,
            Ok(Some(Err(_))) => return Err(cut()),
            Ok(Some(Ok(frame))) => match frame.into_data() {
                Ok(data) => Piece::Bytes(data),
                Err(_trailers) => continue,
            },
        };
        let is_end = matches!(piece, Piece::End);
        if let Piece::Bytes(data) = &piece {
            bytes += data.len() as u64;
        }
        if bytes > UPLOAD_BYTES {
            return Err(too_large());
        }
        // Not taken where the writer has failed: it says why.
        if pieces.send(piece).await.is_err() || is_end {
            return Ok(());
        }
    }
}

/// On a thread that may block: dropped before the end, the staged file goes.
fn write(server: &Server, mut waiting: Waiting, mut pieces: mpsc::Receiver<Piece>) -> Result<String, Error> {
    let storage = server.lake.storage();
    let fail = |error: lakegate_lake::storage::StorageError| Error::from(error);
    let mut stage = storage.stage(&raw_key(&waiting.name)).map_err(fail)?;
    let mut hash = Sha256::new();
    loop {
        match pieces.blocking_recv() {
            Some(Piece::Bytes(bytes)) => {
                hash.update(&bytes);
                stage.write(&bytes).map_err(fail)?;
            }
            Some(Piece::End) => break,
            None => return Err(cut()),
        }
    }
    let staged = stage.finish().map_err(fail)?;
    waiting.digest = hex::encode(hash.finalize());
    waiting.bytes = staged.bytes;
    server.queue.accept(waiting, staged)
}

/// A spec's text.
///
/// # Errors
/// It is too large, empty, or no UTF-8 text.
pub async fn spec(body: Incoming) -> Result<String, Error> {
    let too_large = || {
        Error::new(Code::SpecTooLarge, "the spec is larger than 1 MiB")
            .with_hint("a spec has names and types, no data")
    };
    if body.size_hint().lower() > SPEC_BYTES as u64 {
        discard(body).await;
        return Err(too_large());
    }
    let read = timeout(STALLED, Limited::new(body, SPEC_BYTES).collect()).await;
    let bytes = match read {
        Ok(Ok(collected)) => collected.to_bytes(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Ok(Err(_)) | Err(_) => return Err(cut()),
    };
    let text = String::from_utf8(bytes.into())
        .map_err(|_| Error::new(Code::SpecNotUtf8, "the spec is not UTF-8 text"))?;
    if text.trim().is_empty() {
        return Err(Error::new(Code::SpecEmpty, "the spec is empty")
            .with_hint("leave `spec` away: then types are learned"));
    }
    Ok(text)
}

/// Reads a body that is refused, as far as that is cheap.
pub async fn discard(body: Incoming) {
    // What it held does not matter, nor whether it came whole.
    let _dropped = timeout(Duration::from_secs(5), drained(body)).await;
}

async fn drained(mut body: Incoming) {
    let mut bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
        if bytes > DROPPED_BYTES {
            return;
        }
    }
}

fn too_large() -> Error {
    Error::new(Code::UploadTooLarge, "the file is larger than 5 GiB")
        .with_hint("`lakegate run FILE` takes files of any size")
}

fn cut() -> Error {
    Error::new(Code::UploadCut, "the upload ended before all of it was there; nothing was kept")
}
