//! A host under a channel that changes: what takes over when, and what the last known good outlives.

use super::*;
use crate::fixture::Fixture;
use crate::{Back, Promotion, Share, SigningKey};

fn orders(floor: u64) -> Follow {
    Follow { name: "orders".into(), floor, ..Follow::default() }
}

fn follow(fixture: &Fixture, floor: u64) -> Result<Follower> {
    Follower::start(fixture.loader(), orders(floor))
}

/// Makes time pass: the next look is due.
fn due(follower: &Follower) {
    follower.inner.lock().looked = Instant::now() - LOOK;
}

/// The serving releases once a look is through, loading included.
fn after_a_look(follower: &Follower) -> Serving {
    due(follower);
    follower.serving();
    let mut state = follower.inner.lock();
    while state.loading {
        state = follower.inner.ended.wait(state).unwrap();
    }
    state.serving.clone()
}

fn stable(serving: &Serving) -> String {
    serving.stable.manifest.version.to_string()
}

fn channel_file(fixture: &Fixture) -> std::path::PathBuf {
    fixture.path("channels/orders.json")
}

#[test]
fn a_promotion_takes_over_beside_and_a_rollback_at_once() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.publish("1.1.0");
    fixture.promote("1.0.0");
    let follower = follow(&fixture, 0).unwrap();
    fixture.promote("1.1.0");
    // Not due: no look.
    assert_eq!((stable(&follower.serving()), follower.swaps()), ("1.0.0".into(), 0));
    due(&follower);
    // Due: it loads beside, and this object still goes on under the one before.
    assert_eq!(stable(&follower.serving()), "1.0.0");
    assert_eq!(stable(&after_a_look(&follower)), "1.1.0");
    assert_eq!((follower.swaps(), follower.trouble()), (1, None));
    assert_eq!(follower.news().unwrap().stable, "1.1.0");
    assert_eq!(follower.news(), None);
    // A rollback to what is loaded takes no thread at all.
    fixture.change(|before| before.unwrap().rollback(&Back::default(), "now").map(|(next, _)| (next, ())));
    due(&follower);
    let serving = follower.serving();
    assert_eq!((stable(&serving), serving.sequence), ("1.0.0".into(), 3));
}

#[test]
fn an_idle_host_waits_for_the_release() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.publish("1.1.0");
    fixture.promote("1.0.0");
    let follower = follow(&fixture, 0).unwrap();
    fixture.promote("1.1.0");
    due(&follower);
    follower.inner.lock().used = Instant::now() - IDLE;
    assert_eq!(stable(&follower.serving()), "1.1.0");
}

/// Whatever is wrong with what comes next, the release before goes on, and why is told.
#[test]
fn the_last_known_good_stays() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.publish("1.1.0");
    fixture.promote("1.0.0");
    let follower = follow(&fixture, 0).unwrap();
    let old = std::fs::read(channel_file(&fixture)).unwrap();
    let refused = |follower: &Follower, wanted: &str| {
        assert_eq!(stable(&after_a_look(follower)), "1.0.0");
        let trouble = follower.trouble().unwrap_or_else(|| panic!("{wanted} is not told"));
        assert_eq!(trouble.code, wanted, "{}", trouble.message);
    };
    // The channel is signed by somebody else.
    let stranger = SigningKey::parse(&SigningKey::generate().unwrap().0).unwrap();
    let payload = serde_json::from_slice::<super::super::Signed>(&old).unwrap().payload;
    let forged = super::super::Signed::new(payload.replace("\"sequence\":1", "\"sequence\":2"), &stranger);
    std::fs::write(channel_file(&fixture), serde_json::to_vec(&forged).unwrap()).unwrap();
    refused(&follower, "signature_unknown_key");
    // It is gone, and no document.
    std::fs::remove_file(channel_file(&fixture)).unwrap();
    refused(&follower, "channel_missing");
    std::fs::write(channel_file(&fixture), "{").unwrap();
    refused(&follower, "channel_damaged");
    // It names a release whose spec was changed.
    std::fs::write(channel_file(&fixture), &old).unwrap();
    let channel = fixture.promote("1.1.0");
    let spec = fixture.registry.manifest("orders", &channel.stable.release.version, &fixture.key.trust());
    let spec = format!("blobs/{}", spec.unwrap().0.spec.digest);
    fixture.flip(&spec);
    refused(&follower, "blob_damaged");
    assert_eq!(follower.news().unwrap().trouble.unwrap().code, "blob_damaged");
    // Mended: it is tried again after a while, and the trouble is over.
    fixture.flip(&spec);
    if let Some((at, _)) = &mut follower.inner.lock().failed {
        *at = Instant::now() - RETRY;
    }
    assert_eq!(stable(&after_a_look(&follower)), "1.1.0");
    assert_eq!(follower.trouble(), None);
    // An old document, signed and whole, is a replay.
    std::fs::write(channel_file(&fixture), &old).unwrap();
    assert_eq!(stable(&after_a_look(&follower)), "1.1.0");
    assert_eq!(follower.trouble().unwrap().code, "channel_replayed");
}

#[test]
fn a_cold_host_has_a_floor() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    fixture.promote("1.0.0");
    let code = |floor| follow(&fixture, floor).err().map(|e| e.name().to_string());
    assert_eq!((code(1), code(2).as_deref()), (None, Some("channel_replayed")));
}

#[test]
fn a_canary_takes_its_share_of_versions() {
    let Some(fixture) = Fixture::new() else { return };
    fixture.publish("1.0.0");
    let canary = fixture.publish("1.1.0");
    fixture.promote("1.0.0");
    fixture.change(|before| {
        let promotion = Promotion::Canary(Share { permille: 250, ..Share::default() });
        Channel::promote(before, "orders", canary.clone(), promotion, "now").map(|next| (next, ()))
    });
    let follower = follow(&fixture, 0).unwrap();
    let serving = follower.serving();
    let picks = || -> Vec<String> {
        (0..400).map(|n| serving.pick("p", &format!("s3://raw/{n}")).manifest.version.to_string()).collect()
    };
    let taken = picks().iter().filter(|version| *version == "1.1.0").count();
    assert!((60..140).contains(&taken), "{taken} of 400");
    assert_eq!(picks(), picks(), "a retry agrees");
}

#[test]
fn a_release_that_leaves_types_open_is_refused_where_they_are_declared() {
    let Some(fixture) = Fixture::new() else { return };
    let open =
        super::super::Draft { spec: "[[table]]\nname = \"orders\"\n".into(), ..fixture.draft("1.0.0") };
    super::super::publish(&fixture.registry, &fixture.sandbox, &open, &fixture.key).unwrap();
    fixture.promote("1.0.0");
    assert_eq!(follow(&fixture, 0).err().unwrap().name(), "types_open");
    let learns = Loader { declared: false, ..fixture.loader() };
    Follower::start(learns, orders(0)).unwrap();
}
