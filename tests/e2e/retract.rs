//! What `lakegate serve` loaded is taken out again, and comes back when it is loaded again.

use lakegate_tests::serving::Serving;
use lakegate_tests::{lake_rows, ways};
use serde_json::json;

const ORDERS: &str = "{\"id\":1,\"price\":2.5}\n{\"id\":2,\"price\":null}\n";

#[test]
fn what_was_loaded_can_be_taken_out_again() {
    if ways::required().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let serving = Serving::start(folder, &[]);
    let commit = serving.upload("orders.ndjson", ORDERS.as_bytes())["commit"].clone();
    let of = |name: &str| commit[name].as_str().unwrap().to_owned();
    let call = format!("/api/retract?pipeline={}&source={}", of("pipeline"), of("source"));
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders").len(), 2);
    let gone = serving.ask("POST", &call, &[], b"");
    assert_eq!((gone.status, gone.json()), (200, json!({"generation": 2})));
    assert!(lake_rows::rows(&folder.join("lake"), "orders").is_empty());
    assert_eq!(serving.get("/api/commits")["commits"][0]["reason"], "retract");
    // Once is enough, and what is not there is said.
    for (call, problem) in [
        (call.as_str(), (422, "nothing_to_retract")),
        ("/api/retract?pipeline=orders&source=other", (422, "nothing_to_retract")),
        ("/api/retract?pipeline=orders", (400, "usage")),
    ] {
        let told = serving.ask("POST", call, &[], b"").problem();
        assert_eq!((told.0, told.1.as_str()), problem, "{call}");
    }
    assert_eq!(serving.ask("GET", &call, &[], b"").problem(), (405, "method_not_allowed".into()));
    assert_eq!(
        serving.ask("POST", &call, &[("origin", "http://evil.example")], b"").problem().1,
        "origin_foreign"
    );
    // Loaded again, it is back.
    let again = serving.upload("orders.ndjson", ORDERS.as_bytes());
    assert_eq!((&again["state"], &again["commit"]["generation"]), (&json!("done"), &json!(3)), "{again}");
    assert_eq!(lake_rows::rows(&folder.join("lake"), "orders").len(), 2);
}
