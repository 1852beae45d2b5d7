//! Receivers from hell: whatever one does, the attempt ends by its deadline, its record says what happened, and the
//! others are served. Each goes the whole way: over the API in, and out of it again.

mod bodies;
mod cost;
mod cuts;
mod heads;
mod kept;
mod later;
mod redirects;
mod script;
mod shown;
mod table;
mod tls;
