//! `postrider demo` as it is typed, and what it means.

use std::path::PathBuf;

use clap::Args;

/// Flags of `postrider demo`.
#[derive(Debug, Args)]
pub(super) struct DemoFlags {
    /// Port of the console and the API; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
    /// Keep the data in this folder, which must not exist yet, instead of removing it at the end
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

/// What the demonstration is to be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demo {
    /// The console's port; 0 picks a free one.
    pub port: u16,
    /// Where the data stays; without, it goes at the end.
    pub keep: Option<PathBuf>,
}

impl DemoFlags {
    pub(super) fn read(self) -> Demo {
        Demo { port: self.port, keep: self.keep }
    }
}
