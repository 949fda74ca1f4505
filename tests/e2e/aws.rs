//! The function as deployed: the packaged zip, run by a local stand-in for AWS under the permissions of its features.
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
    a_bad_canary_is_taken_back,
    a_batch_goes_side_by_side,
    a_source_and_its_tables_are_reconciled,
    an_operator_follows_one_id,
    a_crawler_that_does_not_end_in_time,
    a_crawler_that_runs,
    a_denied_key_is_named,
    a_deployed_stack_is_checked,
    a_distributed_backfill,
    a_pipeline_that_is_refused_fails_alone,
    a_schedule_asks_how_fresh,
    a_schedule_asks_what_is_missing,
    a_small_function_ends_by_name,
    a_table_that_grows,
    a_task_is_told_once,
    a_task_leaves_the_crawler,
    a_task_whose_answer_is_lost,
    a_transform_that_does_not_end,
    another_catalog_and_another_s3,
    another_prefix_is_denied,
    bad_input,
    by_hand,
    calls_of_a_bad_object,
    calls_of_a_first_delivery,
    calls_of_a_growing_table,
    calls_of_a_large_delivery,
    calls_of_a_large_delivery_that_fails,
    calls_of_a_large_one_left_undone,
    calls_of_a_late_version,
    calls_of_a_version_that_is_added,
    calls_of_a_version_that_replaces,
    calls_of_what_is_there_already,
    configuration_in_a_bucket,
    damage_hurts_nobody,
    direct_invoke,
    duplicates_at_once,
    event_bridge,
    every_verb_has_a_case,
    examples_as_deployed,
    failed_copies_in_a_bucket,
    killed_at_each_point,
    large_and_replaced,
    lineage_in_a_bucket,
    lost_replies,
    machine_and_a_busy_crawler,
    machine_and_an_event_that_comes_twice,
    machine_and_an_object_at_fault,
    machine_in_passing_trouble,
    machine_tells_what_no_function_could,
    no_value_of_the_data_is_told,
    part_files_that_arrive_start_a_crawler,
    permissions_are_as_listed,
    releases_as_deployed,
    requests_of_an_object,
    schedules_of_a_stack,
    stacks_of_crawler_on_arrival,
    stacks_of_orders,
    stacks_of_orders_contract,
    stacks_of_orders_staged,
    stacks_of_sales,
    sixteen_functions_at_once,
    the_source,
    throttled_reset_and_torn,
    verbs_in_a_bucket,
    verbs_in_a_folder,
    verbs_in_another_bucket,
    what_a_registry_lacks_is_named,
    what_is_denied_is_named,
    what_is_done_is_tagged,
    what_is_missing_is_named,
    what_verbs_refuse,
}
