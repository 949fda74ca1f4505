//! From a request to its answer: the interface of the page, on one screen.
//!
//! Not for what is answered. The decision to know: whatever touches the lake runs on a thread that may block; the
//! asynchronous part only moves bytes.

use lakegate_base::{Code, Error};
use std::convert::Infallible;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, StatusCode};
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::serve::again::{Again, Only};
use crate::serve::answer::{Answered, Sent, of_json, of_problem};
use crate::serve::queue::Waiting;
use crate::serve::target::{decoded, digest, limit, parameters, upload_name};
use crate::serve::{Server, following, guard, receive, releases, views};
use lakegate_lake::keys::spec_key;
use lakegate_lake::operate::retract;

/// Entries of a list where the request does not say how many.
const LISTED: usize = 50;

/// The answer to a request that came in at `port`.
///
/// # Errors
/// Never: a problem is an answer.
pub async fn answer(server: Arc<Server>, port: u16, request: Request<Incoming>) -> Result<Sent, Infallible> {
    let (parts, body) = request.into_parts();
    let allowed = allowed(parts.uri.path());
    let answered = match guard::check(&parts, port) {
        Ok(()) => routed(server, parts, body).await,
        Err(problem) => Err(problem),
    };
    Ok(answered.unwrap_or_else(|problem| {
        let mut sent = of_problem(&problem);
        if problem.code() == Code::MethodNotAllowed {
            sent.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
        }
        sent
    }))
}

async fn routed(server: Arc<Server>, parts: Parts, body: Incoming) -> Answered {
    let path = parts.uri.path();
    let Some(call) = path.strip_prefix("/api/") else {
        return match parts.method {
            Method::GET | Method::HEAD => page(server, path.to_owned(), parts.headers).await,
            _ => Err(wrong_method()),
        };
    };
    if let Some(segment) = call.strip_prefix("raw/") {
        return match parts.method {
            Method::PUT => upload(server, segment, parts.uri.query(), body).await,
            _ => Err(wrong_method()),
        };
    }
    if call == "failures" && parts.method == Method::POST {
        return take_again(server, parts.uri.query(), body).await;
    }
    if call == "retract" {
        return match parts.method {
            Method::POST => take_out(server, parts.uri.query(), body).await,
            _ => Err(wrong_method()),
        };
    }
    if call == "specs" {
        return match parts.method {
            Method::POST => keep_spec(server, parts.uri.query(), body).await,
            _ => Err(wrong_method()),
        };
    }
    if parts.method != Method::GET && parts.method != Method::HEAD {
        return Err(wrong_method());
    }
    let (call, query) = (call.to_owned(), parts.uri.query().map(str::to_owned));
    blocking(move || view(&server, &call, query.as_deref())).await
}

/// What only reads.
fn view(server: &Server, call: &str, query: Option<&str>) -> Answered {
    let listed = || {
        let [text, after] = parameters(query, ["limit", "after"])?;
        Ok(views::Paged { limit: limit(text, LISTED)?, after })
    };
    let plain = || parameters(query, []).map(|[]| ());
    let words: Vec<String> = call.split('/').map(decoded).collect::<Result<_, _>>()?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["about"] => plain().and_then(|()| views::about(server)),
        ["contracts"] => plain().and_then(|()| views::contracts(server)),
        ["tables"] => plain().and_then(|()| views::tables(server)),
        ["failures"] => listed().and_then(|page| views::failures(server, &page)),
        ["commits"] => listed().and_then(|page| views::commits(server, &page)),
        ["quarantine"] => listed().and_then(|page| views::quarantine(server, &page)),
        ["uploads", id] => {
            plain().and_then(|()| server.queue.tell(id)).map(|told| of_json(StatusCode::OK, &told))
        }
        ["following"] => plain().and_then(|()| following::following(server)),
        ["shadows"] => plain().and_then(|()| following::shadows(server)),
        ["shadows", name, version] => {
            listed().and_then(|page| following::reports(server, name, version, &page))
        }
        ["releases"] => plain().and_then(|()| releases::list(server)),
        ["releases", name, version, "component"] => {
            plain().and_then(|()| releases::component(server, name, version))
        }
        ["releases", name, version, "spec"] => plain().and_then(|()| releases::spec(server, name, version)),
        _ => Err(Error::new(Code::UnknownPath, "there is no such call")),
    }
}

/// `PUT /api/raw/NAME`.
async fn upload(server: Arc<Server>, segment: &str, query: Option<&str>, body: Incoming) -> Answered {
    match waiting(&server, segment, query).await {
        Ok(waiting) => {
            let id = receive::upload(server, waiting, body).await?;
            Ok(of_json(StatusCode::ACCEPTED, &json!({ "id": id })))
        }
        Err(problem) => {
            receive::discard(body).await;
            Err(problem)
        }
    }
}

async fn waiting(server: &Arc<Server>, segment: &str, query: Option<&str>) -> Result<Waiting, Error> {
    let name = upload_name(segment)?;
    let [spec, receipt] = parameters(query, ["spec", "receipt"])?;
    let (spec, promised) = (digest("spec", spec)?, digest("receipt", receipt)?);
    let (server, checked) = (server.clone(), spec.clone());
    blocking(move || server.check_spec(checked.as_deref())).await?;
    Ok(Waiting { version: 1, name, spec, promised, ..Waiting::default() })
}

/// `POST /api/failures`: all of it, what failed under one release, or one source object.
async fn take_again(server: Arc<Server>, query: Option<&str>, body: Incoming) -> Answered {
    let [release, source] = parameters(query, ["release", "source"])?;
    receive::discard(body).await;
    let Again { ids, left } = blocking(move || server.take_failed(&Only { release, source })).await?;
    Ok(of_json(StatusCode::ACCEPTED, &json!({ "ids": ids, "left": left })))
}

/// `POST /api/retract`: takes the rows of one source object of a pipeline out of the tables again.
async fn take_out(server: Arc<Server>, query: Option<&str>, body: Incoming) -> Answered {
    let [pipeline, source] = parameters(query, ["pipeline", "source"])?;
    receive::discard(body).await;
    let missing = || Error::usage("`pipeline` and `source` say what is taken out");
    let (pipeline, source) = (pipeline.ok_or_else(missing)?, source.ok_or_else(missing)?);
    blocking(move || {
        let Some(record) = retract(&server.lake, &pipeline, &source)? else {
            return Err(Error::new(Code::NothingToRetract, "nothing of it is in the tables").in_file(source));
        };
        Ok(of_json(StatusCode::OK, &json!({ "generation": record.generation })))
    })
    .await
}

/// `POST /api/specs`.
async fn keep_spec(server: Arc<Server>, query: Option<&str>, body: Incoming) -> Answered {
    let [] = parameters(query, [])?;
    let text = receive::spec(body).await?;
    blocking(move || {
        let digest = server.lake.keep_text(spec_key, text.as_bytes())?;
        Ok(of_json(StatusCode::OK, &json!({ "digest": digest })))
    })
    .await
}

async fn page(server: Arc<Server>, path: String, headers: HeaderMap) -> Answered {
    blocking(move || server.page.answer(&path, &headers)).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let failed = |_| Err(Error::new(Code::Panic, "Lakegate itself failed here"));
    spawn_blocking(work).await.unwrap_or_else(failed)
}

/// Methods of an address.
fn allowed(path: &str) -> &'static str {
    match path.strip_prefix("/api/") {
        Some(call) if call.starts_with("raw/") => "PUT",
        Some("specs" | "retract") => "POST",
        Some("failures") => "GET, HEAD, POST",
        _ => "GET, HEAD",
    }
}

fn wrong_method() -> Error {
    Error::new(Code::MethodNotAllowed, "this address does not answer to that method")
}
