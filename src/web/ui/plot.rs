//! Plots as SVG, made on the server. A plot has a title, axes and a legend, and its numbers as a table for whoever does
//! not see it. Here is where things stand; how they look is in `templates/ui/plot.html`.

use super::amounts::grouped;

/// The size of the drawing area, in the units of its `viewBox`.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 160.0;
/// Left of it for the numbers of the axis.
pub const LEFT: f64 = 48.0;
/// Labels along the time axis at most.
const LABELS: usize = 6;

/// One of the things that a plot shows.
#[derive(Debug, Clone, Copy)]
pub struct Series {
    /// What it is called in the legend and the table.
    pub name: &'static str,
    /// Its colour: `good`, `bad`, `warn`, `accent`.
    pub colour: &'static str,
}

/// What a plot shows: a label and a value of each series for each step in time.
pub struct Plot {
    /// The title.
    pub title: &'static str,
    /// The unit behind the numbers of the axis and the table; empty for a count.
    pub unit: &'static str,
    /// What is shown, in this order.
    pub series: Vec<Series>,
    /// The steps, the oldest first.
    pub steps: Vec<Step>,
    /// Bars on top of one another, or lines.
    pub stacked: bool,
}

/// A step in time.
pub struct Step {
    /// When, as the axis and the table say it.
    pub label: String,
    /// One for each series; `None` where there is nothing to tell.
    pub values: Vec<Option<u64>>,
}

/// A bar.
pub struct Bar {
    /// Its colour.
    pub colour: &'static str,
    /// Where it stands.
    pub x: String,
    /// Where it begins.
    pub y: String,
    /// How wide it is.
    pub width: String,
    /// How high.
    pub height: String,
    /// What it says when pointed at.
    pub title: String,
}

/// A line of the grid, or a label of an axis.
pub struct Tick {
    /// Where.
    pub at: String,
    /// What it says.
    pub text: String,
}

impl Plot {
    /// The `viewBox`.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub fn view_box(&self) -> String {
        format!("0 0 {} {}", LEFT + WIDTH, HEIGHT + 40.0)
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.steps.iter().all(|step| step.values.iter().all(|value| value.unwrap_or(0) == 0))
    }

    /// A value with its unit.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand references over")]
    pub fn told(&self, value: &u64) -> String {
        format!("{}{}", grouped(*value), self.unit)
    }

    /// The greatest value of the axis: a round number.
    fn top(&self) -> u64 {
        let height = |step: &Step| {
            let values = step.values.iter().flatten().copied();
            if self.stacked { values.sum() } else { values.max().unwrap_or(0) }
        };
        round_up(self.steps.iter().map(height).max().unwrap_or(0))
    }

    /// The lines of the grid with their numbers, from the bottom.
    pub fn grid(&self) -> Vec<Tick> {
        let top = self.top();
        let parts = if top.is_multiple_of(4) { 4 } else { top.min(5) };
        (0..=parts)
            .map(|part| {
                let value = top * part / parts;
                Tick { at: number(height_of(value, top)), text: tick(value, self.unit) }
            })
            .collect()
    }

    /// The labels along the time.
    pub fn times(&self) -> Vec<Tick> {
        let every = self.steps.len().div_ceil(LABELS).max(1);
        let labelled = self.steps.iter().enumerate().step_by(every);
        labelled
            .map(|(index, step)| Tick { at: number(self.middle(index)), text: step.label.clone() })
            .collect()
    }

    /// The bars, if it is stacked.
    pub fn bars(&self) -> Vec<Bar> {
        let (top, mut bars) = (self.top(), Vec::new());
        if !self.stacked {
            return bars;
        }
        let width = self.step() * 0.8;
        for (index, step) in self.steps.iter().enumerate() {
            let mut below = 0;
            for (series, value) in self.series.iter().zip(&step.values) {
                let Some(value) = value.filter(|value| *value > 0) else { continue };
                let (from, to) = (height_of(below, top), height_of(below + value, top));
                below += value;
                bars.push(Bar {
                    colour: series.colour,
                    x: number(self.middle(index) - width / 2.0),
                    y: number(to),
                    width: number(width),
                    // A failure among thousands is to be seen.
                    height: number((from - to).max(1.5)),
                    title: format!("{}: {} {}", step.label, self.told(&value), series.name),
                });
            }
        }
        bars
    }

    /// The lines, if it is not stacked: for each series the pieces without a gap, as `points`.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let (top, mut lines) = (self.top(), Vec::new());
        if self.stacked {
            return lines;
        }
        for (row, series) in self.series.iter().enumerate() {
            let mut piece = String::new();
            for (index, step) in self.steps.iter().enumerate() {
                match step.values.get(row).copied().flatten() {
                    Some(value) => {
                        let (x, y) = (self.middle(index), height_of(value, top));
                        // It begins with the step, so that a single one is a stroke that can be seen.
                        let from = if piece.is_empty() {
                            format!("{},{y:.1} ", number(x - (self.step() / 2.0).max(2.0)))
                        } else {
                            String::new()
                        };
                        piece.extend([from, format!("{},{y:.1} ", number(x))]);
                    }
                    None => flush(&mut lines, series, &mut piece),
                }
            }
            flush(&mut lines, series, &mut piece);
        }
        lines
    }

    fn step(&self) -> f64 {
        WIDTH / float(self.steps.len().max(1) as u64)
    }

    fn middle(&self, index: usize) -> f64 {
        LEFT + self.step() * (float(index as u64) + 0.5)
    }
}

/// Where a value stands, from the top.
fn height_of(value: u64, top: u64) -> f64 {
    4.0 + HEIGHT * (1.0 - float(value) / float(top.max(1)))
}

fn flush(lines: &mut Vec<(&'static str, String)>, series: &Series, piece: &mut String) {
    if !piece.is_empty() {
        lines.push((series.colour, std::mem::take(piece).trim_end().to_owned()));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a pixel is far coarser")]
fn float(value: u64) -> f64 {
    value as f64
}

fn number(at: f64) -> String {
    format!("{at:.1}")
}

/// A number of the axis. There is little room: a second and more is told in seconds, a thousand kB in MB.
fn tick(value: u64, unit: &str) -> String {
    let greater = match unit {
        " ms" => "s",
        " kB" => "MB",
        " MB" => "GB",
        _ => return format!("{}{unit}", short(value)),
    };
    if value < 1_000 {
        return format!("{value}{unit}");
    }
    let thousands = format!("{}.{:03}", value / 1_000, value % 1_000);
    format!("{} {greater}", thousands.trim_end_matches('0').trim_end_matches('.'))
}

/// 1, 2, 4, 5 or 8 and zeros; at least 4, so that the axis has whole numbers.
fn round_up(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for digit in [1, 2, 4, 5, 8] {
            let round = unit.saturating_mul(digit);
            if round >= value.max(4) {
                return round;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// `1,200` as `1.2k`.
pub fn short(value: u64) -> String {
    let (unit, name) = match value {
        ..10_000 => return grouped(value),
        10_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    let tenths = value * 10 / unit;
    if tenths.is_multiple_of(10) {
        format!("{}{name}", tenths / 10)
    } else {
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(stacked: bool, steps: &[&[Option<u64>]]) -> Plot {
        let series =
            vec![Series { name: "delivered", colour: "good" }, Series { name: "failed", colour: "bad" }];
        let step = |(at, values): (usize, &&[Option<u64>])| Step {
            label: format!("{at} h"),
            values: values.to_vec(),
        };
        Plot {
            title: "Deliveries",
            unit: "",
            series,
            steps: steps.iter().enumerate().map(step).collect(),
            stacked,
        }
    }

    #[test]
    fn bars_stand_on_one_another_and_fit() {
        let plot = plot(true, &[&[Some(6), Some(2)], &[Some(0), None], &[Some(3), Some(0)]]);
        let bars = plot.bars();
        assert_eq!(bars.len(), 3);
        assert_eq!((bars[0].y.as_str(), bars[0].height.as_str()), ("44.0", "120.0"));
        assert_eq!((bars[1].y.as_str(), bars[1].height.as_str()), ("4.0", "40.0"));
        assert_eq!(bars[1].title, "0 h: 2 failed");
        assert_eq!(plot.grid().last().map(|tick| tick.text.clone()).as_deref(), Some("8"));
    }

    #[test]
    fn a_line_has_a_gap_where_there_is_nothing_to_tell() {
        let lines = plot(false, &[&[Some(1)], &[None], &[Some(2)], &[Some(4)]]).lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1].1.split(' ').count(), 3);
    }

    #[test]
    fn an_axis_ends_at_a_round_number() {
        for (value, round) in [(0, 4), (4, 4), (5, 5), (6, 8), (9, 10), (11, 20), (81, 100), (4_001, 5_000)] {
            assert_eq!(round_up(value), round, "{value}");
        }
        assert_eq!(
            (short(9_999), short(12_000), short(1_250_000)),
            ("9,999".into(), "12k".into(), "1.2M".into())
        );
    }

    #[test]
    fn the_axis_of_a_time_is_told_in_seconds_from_one_on() {
        let told = [0, 750, 1_000, 1_250, 20_000].map(|value| tick(value, " ms"));
        assert_eq!(told, ["0 ms", "750 ms", "1 s", "1.25 s", "20 s"]);
        assert_eq!((tick(5_000, "").as_str(), tick(2_000, " kB").as_str()), ("5,000", "2 MB"));
    }

    #[test]
    fn labels_do_not_crowd() {
        let steps: Vec<&[Option<u64>]> = vec![&[Some(1), None]; 720];
        assert!(plot(true, &steps).times().len() <= LABELS);
        assert!(plot(true, &[]).is_empty());
    }
}
