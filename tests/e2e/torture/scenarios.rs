//! What meets in which lake: each operation by itself, and with each that it can meet.

use super::world::Op;

/// A lake, and what meets in it.
pub struct Scenario {
    pub name: &'static str,
    /// Whether versions of an object are added to each other.
    pub append: bool,
    /// Made the lake, one after the other.
    pub before: &'static [Op],
    /// Done at once.
    pub acts: &'static [Op],
}

pub const fn load(key: u8, version: u8) -> Op {
    Op::Load { key, version }
}

const fn beside(key: u8, version: u8) -> Op {
    Op::Beside { key, version }
}

const fn again(key: u8, version: u8) -> Op {
    Op::Again { key, version }
}

const fn resubmit(key: u8, mended: u8) -> Op {
    Op::Resubmit { key, mended }
}

pub const RETRACT: Op = Op::Retract { key: 0 };

const fn meet(name: &'static str, before: &'static [Op], acts: &'static [Op]) -> Scenario {
    Scenario { name, append: false, before, acts }
}

const fn adding(name: &'static str, before: &'static [Op], acts: &'static [Op]) -> Scenario {
    Scenario { name, append: true, before, acts }
}

/// Each operation at least once by itself, and with each that it can meet.
pub const SCENARIOS: &[Scenario] = &[
    meet("first load, delivered twice", &[], &[load(0, 1), load(0, 1)]),
    meet("two versions, first loads", &[], &[load(0, 1), load(0, 2)]),
    meet("two objects that widen one table", &[load(0, 1)], &[load(0, 3), load(1, 3)]),
    meet("re-upload and a late duplicate", &[load(0, 1)], &[load(0, 2), load(0, 1)]),
    meet("three versions", &[load(0, 1)], &[load(0, 3), load(0, 2)]),
    meet("first loads of three", &[], &[load(0, 1), load(0, 2), load(0, 3)]),
    meet("made again beside a re-upload", &[load(0, 1)], &[again(0, 1), load(0, 2)]),
    meet("made again twice", &[load(0, 1)], &[again(0, 1), again(0, 1)]),
    meet("retract and the late event", &[load(0, 1)], &[RETRACT, load(0, 1)]),
    meet("retract and a re-upload", &[load(0, 1)], &[RETRACT, load(0, 2)]),
    meet("type change and a first load", &[load(0, 1)], &[Op::Change, load(1, 1)]),
    meet("type change and a re-upload", &[load(0, 1)], &[Op::Change, load(0, 2)]),
    meet("type change and retract", &[load(0, 1), load(1, 1)], &[Op::Change, RETRACT]),
    meet("type change twice", &[load(0, 1)], &[Op::Change, Op::Change]),
    meet("type change and resubmission", &[load(0, 1)], &[Op::Change, resubmit(0, 1)]),
    meet("resubmission twice, alike", &[load(0, 1)], &[resubmit(0, 1), resubmit(0, 1)]),
    meet("resubmission twice, mended differently", &[load(0, 1)], &[resubmit(0, 1), resubmit(0, 2)]),
    meet("resubmission and a re-upload", &[load(0, 1)], &[resubmit(0, 1), load(0, 2)]),
    meet("resubmission and retract", &[load(0, 1)], &[resubmit(0, 1), RETRACT]),
    meet("resubmission and made again", &[load(0, 1), resubmit(0, 1)], &[again(0, 1), resubmit(0, 1)]),
    meet("withdrawn, then the same again", &[load(0, 1), resubmit(0, 1), load(0, 2)], &[resubmit(0, 1)]),
    meet("resubmissions of two objects", &[load(0, 1), load(1, 1)], &[resubmit(0, 1), resubmit(1, 1)]),
    meet("one mended line for two objects", &[load(0, 1), load(1, 1)], &[resubmit(0, 9), resubmit(1, 9)]),
    meet("fsck and a first load", &[load(1, 1)], &[Op::Fsck, load(0, 1)]),
    meet("fsck and a re-upload", &[load(0, 1)], &[Op::Fsck, load(0, 2)]),
    meet("fsck and made again", &[load(0, 1)], &[Op::Fsck, again(0, 1)]),
    meet("fsck and retract", &[load(0, 1)], &[Op::Fsck, RETRACT]),
    meet("fsck, load and re-upload", &[], &[load(0, 1), Op::Fsck, load(0, 2)]),
    meet("two pipelines take one object", &[], &[load(0, 1), beside(0, 1)]),
    meet("two pipelines and a re-upload", &[load(0, 1), beside(0, 1)], &[load(0, 2), beside(0, 2)]),
    meet("retract beside another pipeline", &[load(0, 1), beside(0, 1)], &[RETRACT, beside(0, 2)]),
    meet("fsck and another pipeline", &[load(0, 1)], &[Op::Fsck, beside(0, 1)]),
    meet("type change and another pipeline", &[load(0, 1)], &[Op::Change, beside(0, 1)]),
    adding("overwritten meanwhile", &[], &[load(0, 1), Op::Overwrite { key: 0, version: 1 }, load(0, 2)]),
    adding("two pipelines that add", &[load(0, 1)], &[load(0, 2), beside(0, 1)]),
    adding("versions that are added", &[load(0, 1)], &[load(0, 2), load(0, 3)]),
    adding("added twice", &[], &[load(0, 1), load(0, 1)]),
    adding("added, retract and the late event", &[load(0, 1), load(0, 2)], &[RETRACT, load(0, 1)]),
    adding("retracted before, and its event", &[load(0, 1), RETRACT, load(0, 2)], &[RETRACT, load(0, 1)]),
    adding("retract and a new version", &[load(0, 1)], &[RETRACT, load(0, 2)]),
    adding("added beside made again", &[load(0, 1)], &[again(0, 1), load(0, 2)]),
];
