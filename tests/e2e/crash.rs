//! Killed at each step of stage → commit → publish → done, then run again: the rows are the same.
