//! The function as deployed: the packaged zip, run by a local stand-in for AWS under its documented policy.
//!
//! Not for the storage's laws (they have a suite) nor for what the transform makes of odd input. The decision to
//! know: each test is a case of `tests/python/aws_cases.py`, which deploys with boto3 and reads back with boto3,
//! DuckDB and pyarrow, so that nothing of this project judges itself.

use lakegate_tests::peers::{case, cases};

macro_rules! cases {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                case(stringify!($name));
            }
        )*

        #[test]
        fn every_case_is_run() {
            let Some(mut there) = cases() else { return };
            let mut run = vec![$(stringify!($name).to_owned()),*];
            there.sort();
            run.sort();
            assert_eq!(run, there);
        }
    };
}

cases! {
    a_denied_key_is_named,
    a_small_function_ends_by_name,
    another_catalog_and_another_s3,
    bad_input,
    by_hand,
    direct_invoke,
    duplicates_at_once,
    event_bridge,
    examples_as_deployed,
    killed_at_each_point,
    lost_replies,
    no_value_of_the_data_is_told,
    releases_as_deployed,
    requests_of_an_object,
    throttled_reset_and_torn,
    what_is_denied_is_named,
    what_is_missing_is_named,
}
