//! `install.sh`, run below a root of the test's own: once as on a machine without systemd, once with a stand-in for
//! systemctl that starts and stops the server as the unit says.

mod cuts;
mod domain;
mod files;
mod guide;
mod interrupted;
mod machine;
mod place;
mod service;
mod trouble;
mod upgrades;
