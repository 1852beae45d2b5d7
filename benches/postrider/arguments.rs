//! What the benchmark is told on its command line.

use std::path::PathBuf;

use crate::Fallible;
use crate::place::default_path;
use crate::scenarios;

/// See `USAGE`.
#[derive(Debug, Clone)]
pub struct Options {
    /// Small sizes and short rounds.
    pub quick: bool,
    /// Names of scenarios; empty: all.
    pub only: Vec<String>,
    /// Rounds of each scenario.
    pub rounds: usize,
    /// Where the figures go as JSON.
    pub json: PathBuf,
    /// Whether the directories of the servers stay.
    pub keep: bool,
}

const USAGE: &str = "\
cargo bench [-- ARGUMENTS]

  --quick             all scenarios within two minutes, small; its figures are rough
  --only NAME,NAME    these scenarios alone
  --rounds N          rounds of each scenario (3)
  --json FILE         where the figures go as JSON (target/bench/postrider.json)
  --keep              leaves databases and logs where they are

The variable POSTRIDER_BENCH_DIR names a directory on the disk to measure on (target/bench), and
POSTRIDER_BENCH_SERVER_CORES the processors that the server is held to, such as 0: a smaller machine.
";

impl Options {
    /// Reads the arguments that follow the program's name.
    ///
    /// # Errors
    /// What is wrong with them, or the help that was asked for.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> Fallible<Self> {
        let json = default_path().join("postrider.json");
        let mut options = Self { quick: false, only: Vec::new(), rounds: 3, json, keep: false };
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| format!("{argument} needs a value\n\n{}", help()));
            match argument.as_str() {
                // Cargo says so to every benchmark.
                "--bench" => {}
                "--quick" => options.quick = true,
                "--keep" => options.keep = true,
                "--only" => options.only.extend(value()?.split(',').map(str::to_owned)),
                "--json" => options.json = value()?.into(),
                "--rounds" => {
                    let rounds = value()?.parse().ok().filter(|rounds| *rounds > 0);
                    options.rounds = rounds.ok_or("--rounds: a number from 1 up")?;
                }
                _ => return Err(format!("{argument} is not known here\n\n{}", help()).into()),
            }
        }
        match options.only.iter().find(|name| scenarios::ALL.iter().all(|known| known.name != **name)) {
            Some(name) => Err(format!("there is no scenario {name}\n\n{}", help()).into()),
            None => Ok(options),
        }
    }

    /// Whether a scenario is to be run.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn help() -> String {
    let lines = scenarios::ALL.iter().map(|known| format!("  {:<18}  {}\n", known.name, known.about));
    format!("{USAGE}\nScenarios:\n{}", lines.collect::<String>())
}
