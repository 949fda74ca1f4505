//! Tells Lambda why the function cannot start.
//!
//! Not for errors of events: `lambda_runtime` posts those, and has nothing public for this one. The decision to
//! know: the runtime's interface is plain HTTP/1.1 on the same machine, so that one request over a socket will
//! do; whatever goes wrong with it is only logged, since the function ends anyway.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::json;

use lakegate_aws::deployed::Refusal;

/// The interface is local: a second is plenty, and Lambda waits for no longer than ten in all.
const PATIENCE: Duration = Duration::from_secs(1);
const PATH: &str = "/2018-06-01/runtime/init/error";

/// Posts the reason to the runtime's interface, if there is one.
pub(super) fn tell(refusal: &Refusal) {
    let Ok(api) = std::env::var("AWS_LAMBDA_RUNTIME_API") else { return };
    if let Err(error) = post(&api, refusal) {
        tracing::warn!(
            code = "runtime_api",
            "Lambda could not be told why the function cannot start: {error}"
        );
    }
}

/// `api` is `host:port`, or has a path after it, as local stand-ins do.
fn post(api: &str, refusal: &Refusal) -> io::Result<()> {
    let (host, base) = match api.split_once('/') {
        Some((host, base)) => (host, format!("/{}", base.trim_end_matches('/'))),
        None => (api, String::new()),
    };
    let address = host.to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "it has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let body =
        json!({"errorType": refusal.name(), "errorMessage": refusal.message, "stackTrace": []}).to_string();
    let request = format!(
        "POST {base}{PATH} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/vnd.aws.lambda.error+json\r\n\
         Lambda-Runtime-Function-Error-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        refusal.name(),
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let mut status = [0; 12];
    stream.read_exact(&mut status)?;
    match status.get(9..) {
        Some([b'2', ..]) => Ok(()),
        _ => Err(io::Error::other(String::from_utf8_lossy(&status).into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    /// Takes one request, answers with this status, and returns what came.
    fn interface(status: &'static str) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut came = Vec::new();
            let mut buffer = [0; 1024];
            while !came.ends_with(b"}") {
                let count = stream.read(&mut buffer).unwrap();
                came.extend_from_slice(&buffer[..count]);
            }
            // In one piece: the client closes as soon as it has the status.
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(came).unwrap()
        });
        (api, server)
    }

    #[test]
    fn the_reason_is_posted_by_its_stable_name() {
        let (api, server) = interface("202 Accepted");
        post(&api, &Refusal::own("the spec \"a.toml\" is missing".into())).unwrap();
        let came = server.join().unwrap();
        let (head, body) = came.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("\r\nLambda-Runtime-Function-Error-Type: Lakegate.OwnFault\r\n"), "{head}");
        assert!(head.contains(&format!("\r\nContent-Length: {}\r\n", body.len())), "{head}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        let told = json!({"errorType": "Lakegate.OwnFault", "errorMessage": "the spec \"a.toml\" is missing", "stackTrace": []});
        assert_eq!(body, told);
    }

    #[test]
    fn a_refusal_and_a_silence_are_errors_that_end() {
        let (api, server) = interface("403 Forbidden");
        let error = post(&format!("{api}/.rt/"), &Refusal::own("no".into())).unwrap_err();
        assert_eq!(error.to_string(), "HTTP/1.1 403");
        assert!(server.join().unwrap().starts_with("POST /.rt/2018-06-01/runtime/init/error "));
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let began = std::time::Instant::now();
        assert!(post(&silent.local_addr().unwrap().to_string(), &Refusal::own("no".into())).is_err());
        assert!(began.elapsed() < 5 * PATIENCE);
    }
}
