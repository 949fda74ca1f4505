//! `bootstrap`: what AWS Lambda starts. Reads the configuration, makes all pipelines ready, then answers events.

fn main() -> std::process::ExitCode {
    lakegate_host::bootstrap::main()
}
