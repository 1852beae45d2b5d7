//! What Postrider does in a second, beside what the machine could do: see the README.
//!
//! - [`scenarios`]: what is measured, a file each; [`bench`]: what they share; [`row`], [`table`] and [`json`]: what comes out.
//! - [`server`] is measured, and [`process`] knows what it takes. [`load`] publishes, [`receiver`] receives, in a process
//!   of its own. All times are of one clock, [`now`].
//! - [`ceilings`]: what the machine could do, measured in the same minute; [`place`]: the disk; [`hosts`]: the names.

mod arguments;
mod bench;
mod ceilings;
mod fill;
mod get;
mod histogram;
mod hosts;
mod http;
mod json;
mod load;
mod machine;
mod now;
mod place;
mod process;
mod receiver;
mod row;
mod scenarios;
mod server;
mod table;

use std::error::Error;
use std::process::ExitCode;

use arguments::Options;
use bench::Bench;

/// A result whose error is a sentence for the reader.
type Fallible<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let ran = if arguments.next_if(|argument| argument == receiver::ARGUMENT).is_some() {
        receiver::serve().map(|()| true)
    } else {
        Options::parse(arguments).and_then(run)
    };
    match ran {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs what is wanted; whether nothing was lost. A figure that was missed is told and is no failure.
fn run(options: Options) -> Fallible<bool> {
    let mut bench = Bench::new(options)?;
    let about = machine::about(&bench);
    println!("{}", machine::lines(&about));
    let (mut rows, mut failures) = (Vec::new(), Vec::new());
    for scenario in scenarios::ALL {
        if !bench.options.wants(scenario.name) {
            continue;
        }
        let started = now::now();
        match (scenario.run)(&mut bench) {
            Ok(more) => rows.extend(more),
            Err(error) => failures.push(format!("{}: {error}", scenario.name)),
        }
        eprintln!("{} took {:.1} s", scenario.name, now::seconds(now::since(started)));
    }
    rows.extend(bench.closing_rows());
    println!("{}", table::render(&rows));
    let path = bench.options.json.clone();
    json::write(&path, &about, &rows, &failures)?;
    println!("The same as JSON, with every round: {}", path.display());
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    Ok(failures.is_empty())
}
