//! Guests that misbehave, written by hand: each must end in a clear failure of its object only.
//!
//! Not for the shipped component. The decision to know: a guest here is a core module in `.wat` whose
//! `step` is given; `wit-component` makes it a component of the real interface.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::{JobOptions, Limits, Sandbox, Seats, Step, TableContract, Transform, runaways};
use lakegate_base::{Error, Kind};

/// The core module: `step` writes its answer at 1024. Result and variant tags lie at 0 and 8, payloads
/// at 16. Text of use: `orders` at 0, a report at 2048.
fn guest(step: &str, extra: &str) -> Vec<u8> {
    encode(wat::parse_str(guest_text(step, extra)).unwrap())
}

fn guest_text(step: &str, extra: &str) -> String {
    format!(
        r#"(module
  (import "[export]lakegate:transform/transform@1.0.0" "[resource-new]job" (func $new (param i32) (result i32)))
  {extra}
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 0) "orders")
  (data (i32.const 2048) "{{\"version\":1,\"records\":10,\"accepted\":9,\"rejected\":0}}")
  (data (i32.const 3072) "../../etc=1/")
  (data (i32.const 3200) "nonsense\0a")
  (data (i32.const 3300) "{{\"record\":0}}\0a")
  (data (i32.const 3400) "{{\"code\":\"x\",\"record\":1}}\0a")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 32)))))
    (local.get $at))
  (func (export "lakegate:transform/transform@1.0.0#describe") (result i32) (i32.const 512))
  (func (export "lakegate:transform/transform@1.0.0#[static]job.open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (i32.store8 (i32.const 768) (i32.const 0))
    (i32.store (i32.const 776) (call $new (i32.const 1)))
    (i32.const 768))
  (func (export "lakegate:transform/transform@1.0.0#[method]job.push") (param i32 i32 i32))
  (func (export "lakegate:transform/transform@1.0.0#[method]job.end") (param i32))
  (func $answer (param $tag i32) (result i32)
    (i32.store8 (i32.const 1024) (i32.const 0))
    (i32.store8 (i32.const 1032) (local.get $tag))
    (i32.const 1024))
  (func $open (param $partition i32) (param $length i32) (result i32)
    (i32.store (i32.const 1040) (i32.const 0))
    (i32.store (i32.const 1044) (i32.const 0))
    (i32.store (i32.const 1048) (i32.const 6))
    (i32.store (i32.const 1052) (local.get $partition))
    (i32.store (i32.const 1056) (local.get $length))
    (call $answer (i32.const 2)))
  (func $reject (param $at i32) (param $length i32) (result i32)
    (i32.store (i32.const 1040) (local.get $at))
    (i32.store (i32.const 1044) (local.get $length))
    (call $answer (i32.const 5)))
  (func $bytes (param $length i32) (result i32)
    (i32.store (i32.const 1040) (i32.const 0))
    (i32.store (i32.const 1044) (i32.const 0))
    (i32.store (i32.const 1048) (local.get $length))
    (call $answer (i32.const 3)))
  (func (export "lakegate:transform/transform@1.0.0#[method]job.step") (param i32) (result i32)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    {step}))"#
    )
}

fn encode(mut module: Vec<u8>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../transform-wasm/wit");
    let (package, _) = resolve.push_path(folder).unwrap();
    let world = resolve.select_world(&[package], Some("lakegate-transform")).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().encode().unwrap()
}

fn limits() -> Limits {
    Limits {
        step_seconds: 1,
        memory_bytes: 16 << 20,
        output_bytes: 1 << 20,
        idle_steps: 1000,
        ..Limits::default()
    }
}

/// Steps until something goes wrong.
fn fails(step: &str) -> Error {
    let sandbox = Sandbox::new(limits()).unwrap();
    let transform = Transform::from_bytes(&sandbox, "hostile.wasm", &guest(step, "")).unwrap();
    let contracts = vec![TableContract { table: "orders".into(), text: "{}".into() }];
    let mut session = transform.open(JobOptions { contracts, ..JobOptions::default() }).unwrap();
    session.push(b"{}").unwrap();
    session.end().unwrap();
    for _ in 0..100_000 {
        match session.step() {
            Ok(Step::Done(_) | Step::Widen(_)) => panic!("the guest got away with it"),
            Ok(_) => {}
            Err(error) => {
                // The host lives and the same transform serves the next object.
                assert!(transform.open(JobOptions::default()).is_ok());
                return error;
            }
        }
    }
    panic!("the guest went on for ever");
}

#[test]
fn a_host_that_never_compiles_refuses_what_has_no_code() {
    let sandbox = Sandbox::that_never_compiles(limits()).unwrap();
    let error = Transform::from_bytes(&sandbox, "hostile.wasm", &guest("(unreachable)", "")).err().unwrap();
    assert_eq!((error.name(), error.kind()), ("compiler_missing", Kind::Own), "{error}");
}

#[test]
fn an_endless_loop_meets_its_deadline() {
    let started = Instant::now();
    let error = fails("(loop $l (br $l)) (unreachable)");
    assert_eq!((error.name(), error.kind()), ("transform_deadline", Kind::Own), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(error.to_string(), "the transform ran longer than 1 s (step_seconds)");
}

#[test]
fn no_call_outlives_the_time_of_whoever_waits() {
    let sandbox = Sandbox::new(Limits { step_seconds: 60, ..limits() }).unwrap();
    let bytes = guest("(loop $l (br $l)) (unreachable)", "");
    let transform = Transform::from_bytes(&sandbox, "slow.wasm", &bytes).unwrap();
    let started = Instant::now();
    let bounded = transform.clone().until(Some(started + Duration::from_millis(300)));
    let mut session = bounded.open(JobOptions::default()).unwrap();
    let error = session.step().unwrap_err();
    assert_eq!((error.name(), error.kind()), ("time_up", Kind::Passing), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    // The clock that ends calls ticks twenty times a second.
    std::thread::sleep(Duration::from_millis(100));
    // Time is up: nothing begins any more, and the same transform has all of it again for whoever comes next.
    assert_eq!(bounded.open(JobOptions::default()).err().unwrap().name(), "time_up");
    assert!(transform.open(JobOptions::default()).is_ok());
}

#[test]
fn a_quarantine_line_without_end_meets_its_limit() {
    let error = fails("(call $reject (i32.const 0) (i32.const 3000))");
    assert!(error.to_string().contains("quarantine_line"), "{error}");
}

#[test]
fn nothing_comes_after_the_end() {
    let sandbox = Sandbox::new(limits()).unwrap();
    let step = "(i32.store (i32.const 1040) (i32.const 2112)) (i32.store (i32.const 1044) (i32.const 52))
        (call $answer (i32.const 7))";
    let more = r#"(data (i32.const 2112) "{\"version\":1,\"records\":9,\"accepted\":9,\"rejected\":00}")"#;
    let transform = Transform::from_bytes(&sandbox, "again.wasm", &guest(step, more)).unwrap();
    let mut session = transform.open(JobOptions::default()).unwrap();
    session.end().unwrap();
    // Whether its report is taken or not: it is over.
    let _first = session.step();
    let error = session.step().unwrap_err();
    assert!(error.to_string().contains("it went on after its end"), "{error}");
}

#[test]
fn a_trap_is_a_crash_of_that_object() {
    let error = fails("(unreachable)");
    assert_eq!((error.name(), error.kind()), ("transform_crashed", Kind::Own));
    assert!(error.to_string().starts_with("the transform crashed while it was asked to step"), "{error}");
}

#[test]
fn what_a_guest_says_of_its_panic_is_told_in_one_bounded_line() {
    let sandbox = Sandbox::new(limits()).unwrap();
    for (length, told) in [("\\09", Some("no\u{fffd} scale")), ("\\00", None)] {
        let words =
            format!(r#"(data (i32.const 4096) "\00lakegate-panic\00{length}\00\00\00no\ff\0ascale")"#);
        let transform = Transform::from_bytes(&sandbox, "x.wasm", &guest("(unreachable)", &words)).unwrap();
        let error = drive(&transform).unwrap_err();
        // Not in the message, which goes to logs.
        assert!(error.panic() == told && error.to_string().ends_with("instruction executed"), "{error:?}");
    }
}

#[test]
fn each_call_may_crash_and_the_next_object_is_made() {
    let sandbox = Sandbox::new(limits()).unwrap();
    let working = "(call $answer (i32.const 1))";
    let sound = Transform::from_bytes(&sandbox, "sound.wasm", &guest(working, "")).unwrap();
    let text = guest_text(working, "");
    let crashing = |at: &str| {
        assert_eq!(text.matches(at).count(), 1, "{at}");
        text.replace(at, &format!("{at} (unreachable)"))
    };
    for (call, text) in [
        ("start", guest_text(working, "(func $boom (unreachable)) (start $boom)")),
        ("describe", crashing("transform@1.0.0#describe\") (result i32)")),
        ("open", crashing("i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)")),
        ("open", crashing("(local $at i32)")),
        ("push", crashing("job.push\") (param i32 i32 i32)")),
        ("end", crashing("job.end\") (param i32)")),
        ("step", crashing("(global.set $calls (i32.add (global.get $calls) (i32.const 1)))")),
    ] {
        let transform =
            Transform::from_bytes(&sandbox, "x.wasm", &encode(wat::parse_str(text).unwrap())).unwrap();
        let error = drive(&transform).err().unwrap();
        assert_eq!((error.name(), error.kind()), ("transform_crashed", Kind::Own), "{call}: {error}");
        assert!(error.to_string().contains(&format!("asked to {call}")), "{call}: {error}");
        drive(&sound).unwrap();
    }
}

/// Every call once.
fn drive(transform: &Transform) -> lakegate_base::Result<()> {
    transform.describe().map(drop)?;
    let contracts = vec![TableContract { table: "orders".into(), text: "{}".into() }];
    let mut session = transform.open(JobOptions { contracts, ..JobOptions::default() })?;
    session.step()?;
    session.push(b"{}")?;
    session.end()?;
    session.step().map(drop)
}

#[test]
fn a_stack_without_end_is_a_crash_of_that_object() {
    let error = fails("(call $recurse) (unreachable)) (func $recurse (call $recurse)");
    assert_eq!(error.name(), "transform_crashed", "{error}");
}

#[test]
fn a_memory_bomb_meets_the_memory_limit() {
    let error = fails("(loop $l (drop (memory.grow (i32.const 16))) (br $l)) (unreachable)");
    assert_eq!(error.name(), "transform_limit", "{error}");
    assert!(error.to_string().contains("memory_bytes"), "{error}");
}

#[test]
fn an_output_flood_meets_the_output_limit() {
    let error = fails(
        "(if (result i32) (i32.eq (global.get $calls) (i32.const 1))
           (then (call $open (i32.const 0) (i32.const 0)))
           (else (call $bytes (i32.const 65536))))",
    );
    assert_eq!(error.name(), "transform_limit", "{error}");
    assert!(error.to_string().contains("output_bytes"), "{error}");
}

#[test]
fn idling_meets_the_step_limit() {
    let error = fails("(call $answer (i32.const 1))");
    assert!(error.to_string().contains("idle_steps"), "{error}");
}

#[test]
fn a_list_that_lies_about_its_length_is_a_crash_of_that_object() {
    let error = fails("(drop (call $bytes (i32.const 0x7fffffff))) (call $answer (i32.const 3))");
    assert_eq!(error.name(), "transform_crashed", "{error}");
}

#[test]
fn lies_are_found_out() {
    let done = "(i32.store (i32.const 1040) (i32.const 2048)) (i32.store (i32.const 1044) (i32.const 52))
        (call $answer (i32.const 7))";
    for (step, expected) in [
        (done, "10 records are not 9 accepted and 0 rejected"),
        ("(call $answer (i32.const 0))", "it asked for input after the end"),
        ("(call $open (i32.const 3072) (i32.const 12))", "a partition path is no legal Hive path"),
        ("(call $bytes (i32.const 6))", "part 0 got bytes but is not open"),
        ("(call $reject (i32.const 3200) (i32.const 9))", "a line of its quarantine is no rejected record"),
        ("(call $reject (i32.const 3300) (i32.const 13))", "does not begin with the number of a record"),
        ("(call $reject (i32.const 3400) (i32.const 24))", "does not begin with the number of a record"),
        (
            "(if (result i32) (i32.eq (global.get $calls) (i32.const 1))
               (then (call $open (i32.const 0) (i32.const 0)))
               (else
                 (i32.store (i32.const 1040) (i32.const 0))
                 (i64.store (i32.const 1048) (i64.const 1))
                 (i64.store (i32.const 1056) (i64.const 7))
                 (call $answer (i32.const 4))))",
            "part 0 is said to have 7 bytes, it has 0",
        ),
    ] {
        let error = fails(step);
        assert_eq!((error.name(), error.kind()), ("transform_account", Kind::Own), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_component_that_imports_is_refused_by_name() {
    let sandbox = Sandbox::new(limits()).unwrap();
    let text = r#"(component (import "wasi:clocks/wall-clock@0.2.0" (instance)))"#;
    let refused = Transform::from_bytes(&sandbox, "x.wasm", &wat::parse_str(text).unwrap());
    let error = refused.err().unwrap();
    assert_eq!((error.name(), error.kind()), ("component_imports", Kind::Input));
    assert_eq!(
        error.to_string(),
        "x.wasm imports wasi:clocks/wall-clock@0.2.0: a transform must import nothing"
    );
}

#[test]
fn what_is_no_transform_is_refused() {
    let sandbox = Sandbox::new(limits()).unwrap();
    for (text, code) in [("(component)", "component_interface"), ("(module)", "component_invalid")] {
        let refused = Transform::from_bytes(&sandbox, "x.wasm", &wat::parse_str(text).unwrap());
        assert_eq!(refused.err().unwrap().name(), code);
    }
    assert_eq!(Transform::from_bytes(&sandbox, "x.wasm", b"{}").err().unwrap().name(), "component_invalid");
}

/// A transform that is trusted as the shipped one is: what it does when its code has no checks for a deadline.
fn trusted(step: &str, limits: Limits, seats: Option<Arc<Seats>>) -> Transform {
    let bytes = guest(step, "");
    let digest = lakegate_model::digest::sha256(&bytes);
    let sandbox = Sandbox::new(limits).unwrap().trusting(&digest).unwrap();
    let sandbox = seats.map_or_else(|| sandbox.clone(), |seats| sandbox.clone().seated(seats));
    Transform::from_bytes(&sandbox, "ours.wasm", &bytes).unwrap()
}

#[test]
fn our_own_that_does_not_end_is_left_behind_and_the_next_object_is_made() {
    // It comes back from its first call to ask for input, and never from the second.
    let step = "(if (i32.gt_s (global.get $calls) (i32.const 1)) (then (loop $l (br $l)))) (call $answer (i32.const 0))";
    let transform = trusted(step, limits(), None);
    let before = runaways();
    let mut session = transform.open(JobOptions::default()).unwrap();
    assert_eq!(session.step().unwrap(), Step::NeedInput);
    let started = Instant::now();
    let error = session.step().unwrap_err();
    assert_eq!((error.name(), error.kind()), ("transform_deadline", Kind::Own), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(runaways() > before);
    drop(session);
    let mut next = transform.open(JobOptions::default()).unwrap();
    assert_eq!(next.step().unwrap(), Step::NeedInput);
}

#[test]
fn where_memory_is_counted_nobody_sits_beside_one_that_does_not_end() {
    let transform = trusted("(loop $l (br $l)) (unreachable)", limits(), Some(Seats::new(1)));
    let mut session = transform.open(JobOptions::default()).unwrap();
    assert_eq!(session.step().unwrap_err().name(), "transform_deadline");
    drop(session);
    let error = transform.open(JobOptions::default()).err().unwrap();
    assert_eq!((error.name(), error.kind()), ("process_replaced", Kind::Passing), "{error}");
}

#[test]
fn our_own_meets_its_other_limits_and_deadlines_between_calls_as_all_do() {
    let crash =
        trusted("(unreachable)", limits(), None).open(JobOptions::default()).unwrap().step().unwrap_err();
    assert_eq!((crash.name(), crash.kind()), ("transform_crashed", Kind::Own), "{crash}");
    let grows = "(drop (memory.grow (i32.const 1000))) (call $answer (i32.const 1))";
    let large = trusted(grows, limits(), None).open(JobOptions::default()).unwrap().step().unwrap_err();
    assert_eq!(large.name(), "transform_limit", "{large}");
    let patient = Limits { idle_steps: u32::MAX, ..limits() };
    let working = trusted("(call $answer (i32.const 1))", patient, None);
    let bounded = working.until(Some(Instant::now() + Duration::from_millis(100)));
    let mut session = bounded.open(JobOptions::default()).unwrap();
    let error = std::iter::repeat_with(|| session.step()).find_map(Result::err).unwrap();
    assert_eq!(error.name(), "time_up", "{error}");
}
