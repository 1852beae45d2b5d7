//! A disk that refuses the n-th write, sync, or other call of a server, for n from the first to the last.

mod backups;
mod check;
mod checkpoints;
mod fault;
mod restores;
mod running;
mod starts;
mod story;
