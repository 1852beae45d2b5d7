//! The log: lines on standard error, as text for people or as JSON, with the time of our own clock.

use std::fmt;
use std::io::IsTerminal;
use std::sync::Arc;

use tracing::Subscriber;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;

use crate::clock::Clock;
use crate::config::{LogFormat, LogLevel};

/// Starts logging for the whole process.
///
/// # Errors
/// It was started before; the earlier log stays.
pub fn start(
    format: LogFormat,
    level: LogLevel,
    clock: Arc<dyn Clock>,
) -> Result<(), tracing::subscriber::SetGlobalDefaultError> {
    let colours = format == LogFormat::Text && std::io::stderr().is_terminal();
    tracing::subscriber::set_global_default(subscriber(format, level, clock, colours, std::io::stderr))
}

/// A log that writes to `writer`.
fn subscriber<W>(
    format: LogFormat,
    level: LogLevel,
    clock: Arc<dyn Clock>,
    colours: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines =
        tracing_subscriber::fmt().with_max_level(filter(level)).with_timer(Wall(clock)).with_writer(writer);
    match format {
        LogFormat::Text => {
            let fields = debug_fn(write_field).delimited(" ");
            Box::new(
                lines.fmt_fields(fields).with_ansi(colours).with_target(false).finish().with(quiet(level)),
            )
        }
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_current_span(false).finish().with(quiet(level)))
        }
    }
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    }
}

/// Details are those of this program, and not of the libraries that it is made of. What the HTTP server says of its own starting and stopping is said by `app` already. That a client sends nonsense,
/// or leaves, is no error of ours: anybody who reaches the port could fill the log.
fn quiet(level: LogLevel) -> Targets {
    let level = filter(level);
    Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_target("postrider", level)
        .with_target("actix", level.min(LevelFilter::WARN))
        .with_target("actix_http::h1::dispatcher", LevelFilter::OFF)
}

/// `name=value`, and the message alone. Control characters are escaped: what a receiver answers or a caller
/// names must neither steer the terminal nor look like a line of its own.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{}=", field.name())?;
    }
    for character in format!("{value:?}").chars() {
        if character.is_control() {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

/// RFC 3339 with milliseconds, as everywhere else.
struct Wall(Arc<dyn Clock>);

impl FormatTime for Wall {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", self.0.wall())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::time::UnixMs;
    use std::io;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(format: LogFormat, log: impl FnOnce()) -> String {
        lines_of(LogLevel::Info, format, log)
    }

    fn lines_of(level: LogLevel, format: LogFormat, log: impl FnOnce()) -> String {
        let kept = Kept::default();
        let writer = kept.clone();
        let clock = Arc::new(ManualClock::new(UnixMs(1_771_857_000_000)));
        tracing::subscriber::with_default(
            subscriber(format, level, clock, false, move || writer.clone()),
            log,
        );
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn text_lines_have_our_time_the_message_and_the_fields() {
        let text = lines(LogFormat::Text, || {
            tracing::info!(endpoint = "ep_1", count = 2, "endpoint disabled");
        });
        assert_eq!(text, "2026-02-23T14:30:00.000Z  INFO endpoint disabled endpoint=\"ep_1\" count=2\n");
    }

    #[test]
    fn json_lines_are_objects_with_the_fields_beside_the_message() {
        let text = lines(LogFormat::Json, || {
            tracing::warn!(attempt = 3, "delivery \"failed\"\n");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["timestamp"], "2026-02-23T14:30:00.000Z");
        assert_eq!((&line["level"], &line["attempt"]), (&"WARN".into(), &3.into()));
        assert_eq!(line["message"], "delivery \"failed\"\n");
    }

    #[test]
    fn details_for_developers_are_left_out() {
        let debug = || {
            tracing::debug!("every packet");
        };
        assert_eq!(lines(LogFormat::Text, debug), "");
        assert!(lines_of(LogLevel::Debug, LogFormat::Text, debug).contains("every packet"));
    }

    #[test]
    fn a_level_writes_what_is_as_grave() {
        let log = || {
            tracing::error!("one");
            tracing::warn!("two");
            tracing::info!("three");
        };
        let written = |level| lines_of(level, LogFormat::Text, log).lines().count();
        assert_eq!(
            [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug].map(written),
            [1, 2, 3, 3]
        );
    }

    #[test]
    fn a_text_from_outside_neither_steers_the_terminal_nor_makes_a_line() {
        let text = lines(LogFormat::Text, || {
            tracing::info!(name = %"a\u{1b}[2J\nb", "hostile \u{1b}[2J\r\n");
        });
        assert_eq!(text.chars().filter(|c| c.is_control()).collect::<String>(), "\n", "{text:?}");
    }
}
