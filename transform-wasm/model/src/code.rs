//! Every failure that Lakegate has a name for: the name, whose fault it is, what a caller can do.
//!
//! For: whoever decides by a failure what to do next: exit codes, HTTP statuses, retries, and
//! `docs/errors.md`, which a test holds to this list. Not for the reasons of rejected records: those are data.
//! Names on the wire never change; a new failure gets a new name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose fault a failure is, and so who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The command line, or a request.
    Usage,
    /// The input data.
    Input,
    /// The spec or a contract.
    Spec,
    /// A named limit was passed.
    Limit,
    /// What surrounds Lakegate: files, rights, disk, a service, another process.
    Environment,
    /// The transform component.
    Transform,
    /// A release, a channel or a key.
    Release,
    /// Lakegate itself.
    Internal,
}

impl Fault {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Input => "input",
            Self::Spec => "spec",
            Self::Limit => "limit",
            Self::Environment => "environment",
            Self::Transform => "transform",
            Self::Release => "release",
            Self::Internal => "internal",
        }
    }
}

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The input, spec, component or command is wrong: the same again fails the same way.
    Input,
    /// Passing trouble: throttling, time-outs, a full disk. Worth trying again.
    Passing,
    /// The host's or the transform's own fault, or the set-up's: fails loudly.
    Own,
}

impl Kind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Passing => "passing",
            Self::Own => "own",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! codes {
    ($($variant:ident = $name:literal, $fault:ident, $kind:ident, $meaning:literal;)*) => {
        /// The stable name of a failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// All of them, by name.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the wire, for example `syntax_error`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Whose fault it is, unless whoever fails says otherwise.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault,)* }
            }

            /// What a caller can do about it.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// One sentence on what it means.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

#[rustfmt::skip] // one line a code
codes! {
    AccessDenied = "access_denied", Environment, Own, "An AWS call was denied; the hint names the permission to add.";
    BadPart = "bad_part", Transform, Own, "A part file that the transform made cannot be read back.";
    BlobDamaged = "blob_damaged", Release, Input, "A blob of the registry does not have the digest that names it.";
    BlobMissing = "blob_missing", Release, Input, "A blob that a release names is not in the registry.";
    BrokenContract = "broken_contract", Environment, Input, "A stored contract cannot be read.";
    BucketMissing = "bucket_missing", Environment, Own, "The bucket does not exist, or not in this account and region.";
    BuildFailed = "build_failed", Environment, Input, "Cargo could not build the crate of a transform.";
    Bzip2Corrupt = "bzip2_corrupt", Input, Input, "The bzip2 input is damaged.";
    Bzip2Truncated = "bzip2_truncated", Input, Input, "The bzip2 input ends too soon.";
    CannotMakeAgain = "cannot_make_again", Internal, Own, "Files of a commit are gone, and the pinned input no longer makes the same bytes.";
    CatalogBusy = "catalog_busy", Environment, Passing, "Others change the table or the crawler over and over.";
    CatalogPartition = "catalog_partition", Environment, Passing, "Glue did not take a partition this time.";
    CatalogPartitionDiffers = "catalog_partition_differs", Environment, Own, "A partition of that name lies elsewhere in Glue.";
    CatalogRequest = "catalog_request", Internal, Own, "A request to Glue could not be put together.";
    CatalogTableDiffers = "catalog_table_differs", Environment, Own, "Glue has a table of that name that is another one.";
    CatalogTypeDiffers = "catalog_type_differs", Environment, Own, "A column has another type in Glue than in the contract.";
    ChannelContended = "channel_contended", Environment, Passing, "Others changed the channel over and over.";
    ChannelDamaged = "channel_damaged", Release, Input, "What lies where a channel should be is no channel document.";
    ChannelForeign = "channel_foreign", Release, Input, "A channel's document was signed for another registry.";
    ChannelMissing = "channel_missing", Release, Input, "The channel has no stable release yet.";
    ChannelReplayed = "channel_replayed", Release, Input, "A channel document is older than one that was seen.";
    CheckFailed = "check_failed", Input, Input, "A check of the spec with `on_fail = \"fail\"` failed.";
    CodeMismatch = "code_mismatch", Release, Input, "Compiled code is not what its signed statement says, or not for this engine.";
    CodeMissing = "code_missing", Release, Input, "A release has no compiled code for this host, which must not compile.";
    CodeRefused = "code_refused", Release, Input, "The engine does not take the compiled code.";
    ColumnType = "column_type", Spec, Input, "A column cannot have the type that its spec or contract gives it.";
    ColumnUnknown = "column_unknown", Input, Input, "The table has no such column.";
    CommitUnfinished = "commit_unfinished", Environment, Passing, "A commit of the object was made a moment ago and is not completed yet.";
    CompilerMissing = "compiler_missing", Transform, Own, "This build cannot compile a component, and there is no compiled code for it.";
    ComponentImports = "component_imports", Transform, Input, "The component imports something; a transform must import nothing.";
    ComponentInterface = "component_interface", Transform, Input, "The component does not export the transform interface of this version.";
    ComponentInvalid = "component_invalid", Transform, Input, "The file is no component, or one that cannot run here.";
    ComponentMissing = "component_missing", Transform, Own, "This build of the host holds no component.";
    ComponentUnreadable = "component_unreadable", Transform, Input, "The file of a component cannot be read.";
    ConfigInvalid = "config_invalid", Input, Input, "`lakegate.toml` has mistakes; all are listed with line and column.";
    ConfigMissing = "config_missing", Input, Input, "There is no `lakegate.toml` in this folder.";
    Conflict = "conflict", Environment, Passing, "Another request on the same resource was under way.";
    ContractConflict = "contract_conflict", Spec, Input, "The spec, or an extension, conflicts with the live contract.";
    ContractContended = "contract_contended", Environment, Passing, "Other writers changed the contract over and over.";
    ContractInvalid = "contract_invalid", Spec, Input, "A contract text cannot be read.";
    ContractMissing = "contract_missing", Environment, Input, "A contract is not where it should be.";
    ContractShrank = "contract_shrank", Internal, Own, "The transform proposed a contract that changes what the table holds already.";
    ContractUnreadable = "contract_unreadable", Internal, Own, "A contract text of the lake cannot be read.";
    CrawlerFailed = "crawler_failed", Environment, Own, "The crawler's last run failed.";
    CrawlerMissing = "crawler_missing", Environment, Own, "Glue has no such crawler.";
    CredentialsMissing = "credentials_missing", Environment, Own, "AWS credentials are missing, expired or refused.";
    CursorUnknown = "cursor_unknown", Usage, Input, "A place to go on listing from is none.";
    DatabaseMissing = "database_missing", Environment, Own, "Glue has no such database.";
    Deadline = "deadline", Environment, Passing, "The invocation's time is used up.";
    DigestRefused = "digest_refused", Usage, Input, "A parameter that should be a SHA-256 in lower-case hex is none.";
    DiskFull = "disk_full", Environment, Passing, "The disk is full.";
    EncodingConflict = "encoding_conflict", Input, Input, "The spec names another encoding than the input's byte order mark.";
    Exists = "exists", Environment, Input, "The file or folder that was to be made is there already.";
    ExtensionRefused = "extension_refused", Spec, Input, "An extension refused the columns of a table.";
    FeatureMissing = "feature_missing", Environment, Input, "This build of `lakegate` was made without a part that is asked for.";
    GenerationLost = "generation_lost", Input, Input, "A version of an object was committed, and its source was gone before its files could be made again.";
    GzipCorrupt = "gzip_corrupt", Input, Input, "The gzip input is damaged.";
    GzipTruncated = "gzip_truncated", Input, Input, "The gzip input ends too soon.";
    HeaderUnknown = "header_unknown", Input, Input, "The header of a CSV source cannot be read again for a resubmission.";
    HostForeign = "host_foreign", Usage, Input, "A request to `lakegate serve` names another host.";
    Internal = "internal", Transform, Own, "The transform broke a rule of its own: a bug.";
    Invariant = "invariant", Internal, Own, "The host broke a rule of its own: a bug.";
    InventoryUnreadable = "inventory_unreadable", Environment, Input, "What is named as an S3 Inventory is none, or of a form that is not read.";
    Io = "io", Environment, Input, "The system refused to read or write a file.";
    Json = "json", Internal, Own, "A value could not be written as JSON.";
    KeyOpen = "key_open", Environment, Own, "Others may read a private key file.";
    KeyUnreadable = "key_unreadable", Release, Input, "A key file cannot be used.";
    KindsDiffer = "kinds_differ", Input, Input, "The files of a folder have no key in common, and no table is named for all.";
    KmsDenied = "kms_denied", Environment, Own, "A KMS key may not be used, is switched off, or is not there.";
    LakeDamaged = "lake_damaged", Internal, Own, "An object of the lake is not what it must be; it was changed by hand.";
    LakeLayout = "lake_layout", Environment, Input, "The lake has another layout than this version of Lakegate reads and writes.";
    LearnedInvalid = "learned_invalid", Spec, Input, "Learned types handed to a job cannot be read.";
    LogInstalled = "log_installed", Internal, Own, "The process has a log already.";
    ManifestDamaged = "manifest_damaged", Release, Input, "A manifest of the registry is not what it should be.";
    MethodNotAllowed = "method_not_allowed", Usage, Input, "An address of `lakegate serve` does not answer to that method.";
    NameRefused = "name_refused", Usage, Input, "An uploaded file's name cannot be used.";
    NoColumns = "no_columns", Spec, Input, "A table would have no column.";
    NoCommit = "no_commit", Internal, Own, "A quarantined record names no commit.";
    NoCrate = "no_crate", Environment, Input, "The folder holds no `Cargo.toml`.";
    NoInput = "no_input", Environment, Input, "There is no file to read.";
    NoLake = "no_lake", Environment, Input, "The folder holds no lake.";
    NoLibrary = "no_library", Environment, Input, "The library `lakegate-transform` is not where it should be.";
    NoPage = "no_page", Environment, Input, "This build of `lakegate` carries no page.";
    NoParquet = "no_parquet", Environment, Input, "The folder holds no Parquet file.";
    NoPipeline = "no_pipeline", Usage, Input, "No pipeline takes this object.";
    NoProposal = "no_proposal", Internal, Own, "The transform proposed nothing.";
    NoRandomNumbers = "no_random_numbers", Environment, Passing, "The system gives no random numbers.";
    NoReceipt = "no_receipt", Input, Input, "The file is no receipt and no commit record.";
    NoSamples = "no_samples", Input, Input, "There is nothing to learn from.";
    NoTable = "no_table", Environment, Input, "The lake has no such table.";
    NoTarget = "no_target", Environment, Input, "The toolchain lacks the WebAssembly target.";
    NoThread = "no_thread", Environment, Passing, "The system gives no thread.";
    NotAFolder = "not_a_folder", Environment, Input, "A folder was asked for, and this is a file.";
    NotFound = "not_found", Environment, Input, "There is no such file or folder.";
    NotParquet = "not_parquet", Input, Input, "The file is no readable Parquet file.";
    NotRecords = "not_records", Input, Input, "The input holds something else than records at its top level.";
    NotUtf8 = "not_utf8", Input, Input, "A text is not UTF-8.";
    NothingToResubmit = "nothing_to_resubmit", Input, Input, "No open quarantined record is picked.";
    NothingToRetract = "nothing_to_retract", Input, Input, "Nothing of the object is in the tables.";
    Notice = "notice", Internal, Own, "A notice could not be put together.";
    ObjectContended = "object_contended", Environment, Passing, "Other runs of the object won over and over.";
    ObjectKeyTaken = "object_key_taken", Internal, Own, "Two source objects have the same short name in the lake.";
    ObjectMissing = "object_missing", Input, Input, "The object is not there.";
    ObjectOutOfTime = "object_out_of_time", Input, Input, "The object needs more time than an invocation has.";
    ObjectTooLarge = "object_too_large", Input, Input, "The object is larger than `limits.max_object_bytes`.";
    OriginForeign = "origin_foreign", Usage, Input, "Another site's page tried to write through `lakegate serve`.";
    PageBytes = "page_bytes", Limit, Input, "A page of a part file would be larger than 2 GiB.";
    PageDamaged = "page_damaged", Internal, Own, "The page inside this build cannot be unpacked.";
    PageWithoutPolicy = "page_without_policy", Environment, Input, "The page's `index.html` has no content security policy.";
    Panic = "panic", Internal, Own, "Lakegate itself failed: a bug.";
    ParameterRefused = "parameter_refused", Usage, Input, "A parameter of a request is unknown or given twice.";
    PartBytes = "part_bytes", Limit, Input, "A part file would be larger than 2 GiB.";
    PartitionPath = "partition_path", Internal, Own, "A partition's path does not fit the table.";
    PathRefused = "path_refused", Usage, Input, "The address of a request is not percent-encoded UTF-8.";
    PathTooLong = "path_too_long", Limit, Input, "A name in a CSV header is longer than a column's path may be.";
    PermissionDenied = "permission_denied", Environment, Input, "The system denies the file or folder.";
    PieceDiffers = "piece_differs", Input, Input, "Input, spec or component is not the one that a receipt names.";
    PieceMissing = "piece_missing", Usage, Input, "Input, spec or component that a receipt names is not to be had.";
    PipelineDiffers = "pipeline_differs", Input, Input, "The spec is for other tables than what it is to replace.";
    PipelineRefused = "pipeline_refused", Environment, Own, "A pipeline of the configuration cannot be used.";
    PipelineUnknown = "pipeline_unknown", Input, Input, "No pipeline has that name.";
    PortInUse = "port_in_use", Environment, Input, "The port is in use by another program.";
    PreconditionFailed = "precondition_failed", Environment, Passing, "The object is not what it was.";
    ProcessReplaced = "process_replaced", Environment, Passing, "A transform does not end: its process takes nothing more, and the next one takes this object.";
    ProjectionIncomplete = "projection_incomplete", Input, Input, "Partition projection lacks a range or a list of values.";
    QuarantineMissing = "quarantine_missing", Internal, Own, "A quarantine file that a commit names is not there.";
    QuarantineUnreadable = "quarantine_unreadable", Internal, Own, "A line of a quarantine cannot be read.";
    RawChanged = "raw_changed", Environment, Input, "Somebody else wrote the raw file meanwhile.";
    RawTruncated = "raw_truncated", Limit, Input, "The record was too long to be kept whole in quarantine.";
    RecordMasked = "record_masked", Input, Input, "Nothing is kept of a rejected record, because columns are masked, and it cannot be read from its source.";
    RecordTooLarge = "record_too_large", Limit, Input, "A record is larger than `limits.record_bytes`.";
    RecordTruncated = "record_truncated", Input, Input, "A record was too long to be kept whole, so that it cannot be submitted again.";
    RecordsNotFound = "records_not_found", Input, Input, "The input has nothing at the path of its records.";
    RecordsTaken = "records_taken", Input, Input, "Rejected records were submitted again by somebody else, or their object changed, meanwhile.";
    RegistryContended = "registry_contended", Environment, Passing, "Others changed the registry over and over.";
    RegistryNotEmpty = "registry_not_empty", Release, Input, "A registry that was to be begun has releases already.";
    ReleaseConflicts = "release_conflicts", Release, Input, "The release's types conflict with the live contract of a table.";
    ReleaseExists = "release_exists", Release, Input, "That version is published already.";
    ReleaseExpected = "release_expected", Release, Input, "Another release is in use than the command expects.";
    ReleaseMissing = "release_missing", Release, Input, "There is no such release.";
    ReleaseName = "release_name", Release, Input, "The name or version of a release is not legal.";
    ReleaseNotLoaded = "release_not_loaded", Internal, Own, "A release is not loaded.";
    ReleaseUnsigned = "release_unsigned", Release, Input, "A release or channel has no signature that can be read.";
    ReleaseYanked = "release_yanked", Release, Input, "A release must not be promoted any more.";
    ReportUnreadable = "report_unreadable", Internal, Own, "A report of the transform cannot be read.";
    RequestRefused = "request_refused", Environment, Own, "An AWS service refused a request.";
    ResourceMissing = "resource_missing", Environment, Own, "What an AWS call names is not there.";
    ResubmitMixed = "resubmit_mixed", Input, Input, "The records come from objects with different specs.";
    RowsTooLarge = "rows_too_large", Limit, Input, "Expressions make more text of a few thousand rows than memory is meant for.";
    RuntimeApi = "runtime_api", Environment, Passing, "The Lambda Runtime API cannot be reached.";
    SampleDiffers = "sample_differs", Release, Input, "A sample of the release comes out otherwise here.";
    SampleFails = "sample_fails", Release, Input, "A sample of the release fails.";
    SamplesLimit = "samples_limit", Release, Input, "A release has too many samples, or too large ones.";
    SandboxSetup = "sandbox_setup", Transform, Own, "The sandbox cannot be set up.";
    ServerStops = "server_stops", Environment, Input, "`lakegate serve` is about to stop.";
    ServiceFailed = "service_failed", Environment, Passing, "An AWS service failed.";
    SignatureUnknownKey = "signature_unknown_key", Release, Input, "A signature is by a key that is not trusted.";
    SignatureWrong = "signature_wrong", Release, Input, "A signature does not fit what it signs.";
    SignerUntrusted = "signer_untrusted", Release, Input, "The key that is to sign is not among those that hosts trust.";
    SourceChanged = "source_changed", Environment, Passing, "The source object changed while it was read.";
    SourceGone = "source_gone", Input, Input, "The source object is gone, or no longer the version that was pinned.";
    SourceInvalid = "source_invalid", Spec, Input, "The facts about a source object, as a host hands them to a transform, cannot be read.";
    SourceIsFolder = "source_is_folder", Input, Input, "The source is a folder, not a file.";
    SourceMissing = "source_missing", Input, Input, "The source is no file.";
    SpecDiffers = "spec_differs", Usage, Input, "An upload names another spec than the server's.";
    SpecEmpty = "spec_empty", Spec, Input, "The spec is empty.";
    SpecInvalid = "spec_invalid", Spec, Input, "The spec is wrong; line and column say where.";
    SpecNotUtf8 = "spec_not_utf8", Spec, Input, "The spec is not UTF-8 text.";
    SpecTooLarge = "spec_too_large", Usage, Input, "An uploaded spec is larger than 1 MiB.";
    SpecUnknown = "spec_unknown", Usage, Input, "The lake has no spec of that digest.";
    SpillLimit = "spill_limit", Environment, Input, "Staged bytes would pass `limits.spill_bytes`.";
    StorageDenied = "storage_denied", Environment, Input, "The system denies the lake's folder.";
    StorageFailed = "storage_failed", Environment, Passing, "The system failed to read or write in the lake's folder.";
    StorageFull = "storage_full", Environment, Passing, "The lake's disk is full.";
    StorageKey = "storage_key", Internal, Own, "A key would leave the lake.";
    SyntaxError = "syntax_error", Input, Input, "The input breaks the rules of its format; the place is named.";
    TableAmbiguous = "table_ambiguous", Usage, Input, "A table was named beside a spec that names its own.";
    TableMissing = "table_missing", Usage, Input, "No table is named.";
    TableName = "table_name", Spec, Input, "A table cannot have the name that it is given.";
    TableUnknown = "table_unknown", Input, Input, "The lake has no such table.";
    Throttled = "throttled", Environment, Passing, "An AWS service asks to be called less often.";
    TimeUp = "time_up", Environment, Passing, "What is left of the invocation is too little for the object; another one has more.";
    TimedOut = "timed_out", Environment, Passing, "An AWS service did not answer in time.";
    TooDeep = "too_deep", Limit, Input, "A record is nested deeper than `limits.depth`.";
    TooManyColumns = "too_many_columns", Limit, Input, "The input has more paths than a table can have columns.";
    TooManyPartitions = "too_many_partitions", Limit, Input, "The input makes more partitions than `limits.partitions`.";
    TooManyParts = "too_many_parts", Environment, Input, "An object would have more parts than S3 takes.";
    TooManyRejected = "too_many_rejected", Input, Input, "More records were rejected than `max_rejected` allows.";
    TopicMissing = "topic_missing", Environment, Own, "The SNS topic of a notice is not there.";
    TransformAccount = "transform_account", Transform, Own, "What the transform says does not agree with what it did.";
    TransformCrashed = "transform_crashed", Transform, Own, "The transform crashed.";
    TransformDeadline = "transform_deadline", Transform, Own, "The transform ran longer than it may.";
    TransformLimit = "transform_limit", Transform, Own, "The transform passed a limit of the host.";
    TransformRefused = "transform_refused", Transform, Input, "A transform of somebody else failed by a name of its own, which is told.";
    TypeUnknown = "type_unknown", Input, Input, "There is no such column type.";
    TypesOpen = "types_open", Input, Input, "The spec leaves types to be learned where they must be declared.";
    UnknownColumn = "unknown_column", Spec, Input, "The spec names a column that the table does not have.";
    UnknownPath = "unknown_path", Usage, Input, "`lakegate serve` has nothing at that address.";
    UnknownSource = "unknown_source", Environment, Input, "No lake knows anything of the source.";
    UnknownUpload = "unknown_upload", Usage, Input, "The server knows of no such upload.";
    Unreachable = "unreachable", Environment, Passing, "An AWS service could not be reached.";
    UnsupportedFormat = "unsupported_format", Input, Input, "The input is of a format or compression that is not read.";
    UploadCut = "upload_cut", Usage, Input, "An upload ended before all of it was there.";
    UploadGone = "upload_gone", Environment, Passing, "An uncompleted upload is gone.";
    UploadStalled = "upload_stalled", Usage, Input, "Nothing came of an upload for too long.";
    UploadTooLarge = "upload_too_large", Usage, Input, "An uploaded file is larger than the server takes.";
    Usage = "usage", Usage, Input, "The command was called in a way that makes no sense.";
    Utf16Input = "utf16_input", Input, Input, "The input looks like UTF-16 without its mark, or is UTF-32.";
    WidenOnFinal = "widen_on_final", Internal, Own, "The contract widened on the final pass.";
    WrongRegion = "wrong_region", Environment, Own, "The resource lies in another region.";
    ZipCorrupt = "zip_corrupt", Input, Input, "The zip input is damaged.";
    ZipTruncated = "zip_truncated", Input, Input, "The zip input ends too soon.";
    ZstdCorrupt = "zstd_corrupt", Input, Input, "The zstd input is damaged.";
    ZstdDictionary = "zstd_dictionary", Input, Input, "The zstd input needs a dictionary.";
    ZstdTruncated = "zstd_truncated", Input, Input, "The zstd input ends too soon.";
    ZstdWindow = "zstd_window", Limit, Input, "The zstd input needs a larger window than is allowed.";
}

impl Code {
    /// The code of a name; `None` for names that are not Lakegate's own, as a stranger's transform may use.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.binary_search_by(|code| code.name().cmp(name)).ok().map(|at| Self::ALL[at])
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_listed_by_name_and_found_by_it() {
        assert!(Code::ALL.is_sorted_by(|a, b| a.name() < b.name()), "keep the list in the order of names");
        for &code in Code::ALL {
            assert_eq!(Code::of_name(code.name()), Some(code));
            assert!(code.name().bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit()));
            assert!(code.meaning().ends_with('.'), "{code}: a sentence");
        }
        assert_eq!(Code::of_name("of_a_stranger"), None);
    }

    #[test]
    fn what_passes_is_nobody_s_input() {
        for &code in Code::ALL.iter().filter(|code| code.kind() == Kind::Passing) {
            assert_eq!(code.fault(), Fault::Environment, "{code}");
        }
    }
}
