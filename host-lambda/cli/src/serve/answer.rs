//! Answers: JSON, files, problems, and the headers that go with each of them.
//!
//! Not for what is said. The decision to know: a problem reads here as it does from every command with `--json`,
//! and its status follows from its code or whose fault it is; so a new problem needs no line here.

use crate::show::problem;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use lakegate_base::{Code, Error, Fault};
use serde_json::{Value, json};

/// What is sent.
pub type Sent = Response<Full<Bytes>>;

/// An answer, or why there is none.
pub type Answered = Result<Sent, Error>;

/// What is no page needs no right to load anything.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// With every answer, whatever it is.
const ALWAYS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    // The page uploads at a click: nobody may show it inside of theirs. A policy in a meta tag cannot say so.
    ("x-frame-options", "DENY"),
];

/// Bytes of a type, with the headers that all answers have.
pub fn of_bytes(status: StatusCode, kind: &'static str, bytes: Bytes) -> Sent {
    let mut sent = Response::new(Full::new(bytes));
    *sent.status_mut() = status;
    let headers = sent.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CONTENT_SECURITY_POLICY, NOTHING);
    sent
}

/// One JSON object.
pub fn of_json(status: StatusCode, value: &Value) -> Sent {
    of_bytes(status, "application/json", Bytes::from(format!("{value}\n")))
}

/// A problem.
pub fn of_problem(error: &Error) -> Sent {
    of_json(status(error), &json!({ "problem": problem::json(error) }))
}

fn status(error: &Error) -> StatusCode {
    match error.code() {
        Code::HostForeign | Code::OriginForeign => StatusCode::FORBIDDEN,
        Code::UnknownPath
        | Code::UnknownUpload
        | Code::NoPage
        | Code::ReleaseMissing
        | Code::SpecUnknown
        | Code::ChannelMissing => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::SpecDiffers => StatusCode::CONFLICT,
        Code::UploadTooLarge | Code::SpecTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UploadStalled => StatusCode::REQUEST_TIMEOUT,
        Code::ServerStops => StatusCode::SERVICE_UNAVAILABLE,
        Code::DiskFull | Code::StorageFull => StatusCode::INSUFFICIENT_STORAGE,
        _ => match error.fault() {
            Fault::Usage => StatusCode::BAD_REQUEST,
            Fault::Input | Fault::Spec | Fault::Limit | Fault::Transform | Fault::Release => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Fault::Environment | Fault::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_the_headers() {
        for sent in [of_json(StatusCode::OK, &json!({})), of_problem(&Error::new(Code::UnknownPath, "no"))] {
            for (name, value) in ALWAYS {
                assert_eq!(sent.headers()[name], value);
            }
            assert_eq!(sent.headers()["content-security-policy"], "default-src 'none'");
            assert!(!sent.headers().keys().any(|name| name.as_str().starts_with("access-control")));
        }
    }

    #[test]
    fn the_status_says_whose_fault_it_is() {
        let of = |code| status(&Error::new(code, "")).as_u16();
        let all = [Code::Usage, Code::SyntaxError, Code::SignatureWrong, Code::Io, Code::Panic];
        assert_eq!(all.map(of), [400, 422, 422, 500, 500]);
        assert_eq!(status(&Error::new(Code::HostForeign, "")).as_u16(), 403);
    }
}
