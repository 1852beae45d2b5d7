//! How much of what was not synced survives.

use postrider::random::Random;

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Luck {
    Nothing,
    Everything,
    /// Each part with this chance, in percent.
    Chance(u32),
}

impl Luck {
    /// One of them, all kinds about as often.
    pub(super) fn draw(random: &dyn Random) -> Self {
        match random.u32() % 6 {
            0 => Self::Nothing,
            1 => Self::Everything,
            2 => Self::Chance(10),
            3 => Self::Chance(90),
            _ => Self::Chance(50),
        }
    }

    /// Whether the next part survives.
    pub(super) fn keeps(self, random: &dyn Random) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Chance(percent) => random.u32() % 100 < percent,
        }
    }
}
