//! Operators, who sign in to the console: how the first one comes about, sessions, passwords, invitations.
//!
//! Methods that hash a password block for tens of milliseconds: call them where a thread may wait. Two hashes run at
//! once at most; further calls are told to come again.

mod first;
mod hashing;
mod links;
mod manage;
mod password;
mod session;
mod sign_in;
mod slowing;
mod view;

pub use hashing::Hashing;
pub use links::{LinkMade, LinkView};
pub use manage::OperatorInvited;
pub use session::{SignedIn, Visitor};
pub use sign_in::SignInError;
pub use slowing::Slowing;
pub use view::OperatorView;
