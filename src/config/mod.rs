//! Floor 1: how Postrider is told what to do before it starts: flags, environment, data directory, key file.
//!
//! [`Flags`] and [`Environment`] hold texts; [`Config`] is what they mean, or one sentence about what is wrong.
//! What an operator may change while it runs is not here but in the database.

mod addresses;
mod certificates;
mod data_dir;
mod data_dir_error;
mod environment;
mod first_start;
mod flags;
mod folders;
mod hidden;
mod lock;
mod networks;
mod owner;
mod reached;
mod remote;
mod restoring;
mod secret_key;
mod serve;
mod upgrading;

pub use addresses::EgressProxy;
pub use certificates::extra_ca;
pub use data_dir::{DataDir, socket_path};
pub use data_dir_error::DataDirError;
pub use environment::{ConfigError, Environment, Setting};
pub use first_start::{FirstOperator, FirstStart};
pub use flags::{Flags, SETTINGS, with_variables};
pub use folders::remove_if_there;
pub use hidden::Hidden;
pub use lock::{Lock, LockState, lock_state};
pub use networks::Network;
pub use owner::{act_as_owner, become_owner};
pub use reached::console_at;
pub use remote::{Remote, RemoteFlags};
pub use restoring::Missing;
pub use secret_key::{SecretKeyError, read_secret_key};
pub use serve::{Config, LogFormat, LogLevel, data_dir_path, data_path, new_data_path};
