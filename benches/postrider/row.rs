//! A line of the table: a figure of every round, and how it is judged.

/// The same figure, once for every round.
#[derive(Debug, Clone)]
pub struct Figures(Vec<f64>);

impl Figures {
    /// The one in the middle; of an even number, the mean of the two there.
    pub fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match sorted.len() {
            0 => f64::NAN,
            len if len % 2 == 1 => sorted[len / 2],
            len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
        }
    }

    /// The least.
    pub fn min(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The greatest.
    pub fn max(&self) -> f64 {
        self.0.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// One for each round.
    pub fn rounds(&self) -> &[f64] {
        &self.0
    }
}

/// What a median has to be.
#[derive(Debug, Clone, Copy)]
pub enum Limit {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Limit {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    /// The number, without the direction.
    pub fn value(self) -> f64 {
        match self {
            Self::AtLeast(value) | Self::AtMost(value) => value,
        }
    }
}

/// How a row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was asked of it.
    Told,
    /// The aim is reached.
    Aim,
    /// What must be is.
    Must,
    /// What must be is not.
    Missed,
}

/// A line of the table.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was measured.
    pub name: String,
    /// The unit of the figures.
    pub unit: &'static str,
    /// The figure of every round.
    pub figures: Figures,
    /// The figure beside others of the same round, and what those are (`of R`). The first is judged.
    pub ratios: Vec<(Figures, &'static str)>,
    /// What is finished with.
    pub must: Option<Limit>,
    /// What is wished for.
    pub aim: Option<Limit>,
    /// Something that the reader has to know.
    pub note: String,
}

impl Row {
    /// A row without a ratio, of which nothing is asked.
    pub fn new(name: impl Into<String>, unit: &'static str, rounds: Vec<f64>) -> Self {
        let figures = Figures(rounds);
        Self {
            name: name.into(),
            unit,
            figures,
            ratios: Vec::new(),
            must: None,
            aim: None,
            note: String::new(),
        }
    }

    /// With each round's figure divided by another one of the same round. The first such ratio is what is judged.
    pub fn over(mut self, others: &[f64], of: &'static str) -> Self {
        let ratios = self.figures.0.iter().zip(others).map(|(figure, other)| figure / other).collect();
        self.ratios.push((Figures(ratios), of));
        self
    }

    /// What the median (that of the first ratio, if there is one) has to be.
    pub fn must(mut self, limit: Limit) -> Self {
        self.must = Some(limit);
        self
    }

    /// What is wished for.
    pub fn aim(mut self, limit: Limit) -> Self {
        self.aim = Some(limit);
        self
    }

    /// With a remark.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// How it did, by its median. A must without an aim is an aim as well.
    pub fn verdict(&self) -> Verdict {
        let judged = self.ratios.first().map_or(&self.figures, |(ratio, _)| ratio).median();
        let holds = |limit: Option<Limit>| limit.map(|limit| limit.holds(judged));
        match (holds(self.must), holds(self.aim)) {
            (None, None) => Verdict::Told,
            (_, Some(true)) | (Some(true), None) => Verdict::Aim,
            (Some(true), Some(false)) => Verdict::Must,
            _ => Verdict::Missed,
        }
    }
}

impl Verdict {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Told => "",
            Self::Aim => "aim",
            Self::Must => "must",
            Self::Missed => "missed",
        }
    }
}
