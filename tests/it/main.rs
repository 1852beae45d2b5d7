//! Behaviour, through real sockets.

mod sender;
