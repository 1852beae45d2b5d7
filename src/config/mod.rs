//! Floor 1: how Postrider is told what to do before it starts: flags, environment, data directory, key file.

mod data_dir;
mod data_dir_error;
mod lock;
mod secret_key;

pub use data_dir::{DataDir, socket_path};
pub use data_dir_error::DataDirError;
pub use lock::Lock;
pub use secret_key::SecretKeyError;
