//! What Postrider does in a second, beside what the machine could do: see the README.

fn main() {}
