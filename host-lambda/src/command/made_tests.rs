//! Tests of `made`: what is said of one source, of several, of failures.
