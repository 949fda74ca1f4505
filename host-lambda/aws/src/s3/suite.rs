//! The laws of storage on S3, and what S3 alone does.
//!
//! Each law runs against an S3 in this process; `LAKEGATE_TEST_S3` names the endpoint of a further peer.

/// Each law as a test of each peer.
macro_rules! on_s3 {
    ($($law:ident),* $(,)?) => {
        mod s3s_fs {
            use crate::s3::suite::peers::Peer;

            $(#[test] fn $law() {
                let peer = Peer::s3s_fs();
                if !peer.skips(stringify!($law)) { super::$law(&peer); }
            })*
        }
        mod endpoint {
            use crate::s3::suite::peers::Peer;

            $(#[test] fn $law() {
                if let Some(peer) = Peer::endpoint().filter(|peer| !peer.skips(stringify!($law))) {
                    super::$law(&peer);
                }
            })*
        }
    };
}

mod faults;
pub(crate) mod peers;
mod s3_only;
mod scale;

use lakegate_lake::storage::laws::*;

lakegate_lake::storage_laws!(on_s3);
