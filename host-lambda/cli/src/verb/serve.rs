//! `lakegate serve`: the browser page and the local lake in one command.
//!
//! For: arguments, start and stop. Not for: requests and uploads (`crate::serve`). The decision to know: what can
//! be wrong is found before the port is open, and one line then says where it is; Ctrl-C ends the upload in hand
//! whole, a second one leaves at once, which is as safe as a crash.

use crate::args::lake::LakeArg;
use crate::args::plans::Plans;
use crate::args::transform::TransformArg;
use crate::context::Context;
use crate::place::Place;
use crate::serve;
use crate::serve::{Events, Page, Server, check_origin};
use crate::show::output;
use crate::show::output::{Answer, Outcome};
use crate::show::problem;
use crate::show::progress::{Bar, telling};
use crate::show::render::{Tone, count};
use clap::Args;
use lakegate_base::{Code, Error};
use serde_json::{Value, json};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How a process ends that was interrupted, as shells have it: 128 and the number of SIGINT.
const INTERRUPTED: i32 = 130;

/// Arguments of `serve`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Examples:
  lakegate serve                                         the page at http://127.0.0.1:8420/, the lake in ./lake
  lakegate serve --spec orders.toml --lake /data/lake    every upload under one spec
  lakegate serve --registry releases --transform orders --trust release.key.pub   what the channel orders says
  lakegate serve --upload-to https://bucket.s3.eu-central-1.amazonaws.com   the page may upload to a bucket too
  curl -T orders.json http://127.0.0.1:8420/api/raw/     an upload without the page

Only this machine can connect, and only its own page may write. An upload of a name that is there already is the next generation of that file.")]
pub struct ServeArgs {
    #[command(flatten)]
    lake: LakeArg,
    /// Spec that every upload is taken under; without one, the spec that comes with each upload, or none
    #[arg(long, value_name = "FILE | S3 URI")]
    spec: Option<Place>,
    #[command(flatten)]
    transform: TransformArg,
    /// Port on 127.0.0.1; 0 for a free one
    #[arg(long, value_name = "NUMBER", default_value_t = 8420)]
    port: u16,
    /// Serve the page from this folder instead of the one in this command
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// Origin of a bucket that the page may upload to besides; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    upload_to: Vec<String>,
}

/// Runs `serve`.
pub fn run(args: &ServeArgs, context: &Context) -> Outcome {
    let origins = args.upload_to.iter().map(|text| check_origin(text)).collect::<Result<Vec<_>, _>>()?;
    let lake = args.lake.open()?;
    // For its problems only: it is read anew for each upload.
    Plans::new(args.spec.as_ref(), None, false)?;
    let events = Events::new();
    let listener = events.hearing(telling(context.err, context.json));
    let chosen = args.transform.choose_for_long(&lake, listener)?;
    chosen.check_alone(args.spec.as_ref(), None)?;
    let page = Page::new(args.page.as_deref(), origins)?;
    let has_page = page.is_there();
    let component = chosen.digest();
    let shown = lake.shown.display().to_string();
    let server = Arc::new(Server::new(&lake, chosen, args.spec.as_ref(), page, events));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Error::io("threads", error))?;
    let (listeners, port) =
        runtime.block_on(serve::bind(args.port)).map_err(|error| taken(args.port, error))?;
    let stop = signals(&runtime)?;
    server.resume()?;
    let worker = worker(&server, context)?;
    output::begun(&begun(&shown, port, has_page, &component, context), context.json);
    let stopped = Arc::clone(&server);
    runtime.block_on(serve::serve(Arc::clone(&server), listeners, port, async move {
        let mut stop = stop;
        stop.first().await;
        stopped.stop();
        tokio::spawn(async move {
            stop.first().await;
            std::process::exit(INTERRUPTED);
        });
    }));
    // The worker ends with the upload that it has in hand; the signals are still heard meanwhile.
    let ended = worker.join();
    runtime.shutdown_timeout(Duration::from_secs(1));
    match ended {
        Ok(0) => Ok(Answer { json: Value::Null, ..Answer::default() }),
        Ok(left) => {
            let left = count(left as u64, "upload", "uploads");
            let text = format!("{left} kept: the next `lakegate serve` on this lake takes them\n");
            Ok(Answer { text, json: Value::Null, ..Answer::default() })
        }
        Err(_) => Err(Error::new(Code::Panic, "the thread that takes uploads failed")),
    }
}

/// What is said once the port is open.
fn begun(lake: &str, port: u16, has_page: bool, component: &str, context: &Context) -> Answer {
    let address = format!("http://127.0.0.1:{port}/");
    let mut text =
        format!("{} serves the lake {lake}; Ctrl-C stops it\n", context.out.paint(Tone::Name, &address));
    if !has_page {
        text.push_str(&problem::render(&Page::missing(), context.out));
    }
    let json = json!({
        "address": address, "port": port, "lake": lake, "page": has_page, "component": component,
    });
    Answer { text, json, ..Answer::default() }
}

type Worker = thread::JoinHandle<usize>;

/// The thread that takes uploads, one after the other.
fn worker(server: &Arc<Server>, context: &Context) -> Result<Worker, Error> {
    let (server, screen, quiet) = (Arc::clone(server), context.err, context.json);
    let say = move |line: &str| {
        if !quiet {
            Bar::new(screen, 0, 0).say(line);
        }
    };
    thread::Builder::new()
        .name("lakegate-uploads".into())
        .spawn(move || server.work(&say))
        .map_err(|error| Error::io("threads", error))
}

/// Ctrl-C, and what a service manager sends.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    async fn first(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn signals(runtime: &Runtime) -> Result<Signals, Error> {
    let _inside = runtime.enter();
    let hear = |kind| signal(kind).map_err(|error| Error::io("signals", error));
    Ok(Signals { interrupt: hear(SignalKind::interrupt())?, terminate: hear(SignalKind::terminate())? })
}

fn taken(port: u16, error: io::Error) -> Error {
    let place = format!("127.0.0.1:{port}");
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            Error::new(Code::PortInUse, format!("{place} is in use by another program"))
                .with_hint("another `lakegate serve`? else --port NUMBER, or --port 0 for a free one")
        }
        _ => Error::io(&place, error),
    }
}
