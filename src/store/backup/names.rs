//! What backups are called, and which of them are kept.

use std::path::Path;

const START: &str = "postrider-";
const END: &str = ".db";
/// What `gzip` calls what it has made.
const COMPRESSED: &str = ".gz";
const STAMP: usize = "20260223T143000Z".len();

/// What a backup was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Made {
    /// The schedule wanted it.
    BySchedule,
    /// Somebody wanted it.
    ByHand,
    /// Somebody who takes its file elsewhere.
    Elsewhere,
}

impl Made {
    const ALL: [Self; 3] = [Self::ByHand, Self::Elsewhere, Self::BySchedule];

    /// What says so in a name.
    const fn word(self) -> &'static str {
        match self {
            Self::BySchedule => "",
            Self::ByHand => "-by-hand",
            Self::Elsewhere => "-elsewhere",
        }
    }
}

/// The name of a backup. Names sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    /// When it was begun: [`UnixMs::stamp`](crate::domain::time::UnixMs::stamp).
    pub(super) at: String,
    /// How many others were begun in the same second before.
    pub(super) nth: u32,
    /// What it was made for.
    pub(super) made: Made,
    /// Whether it is compressed.
    pub(super) compressed: bool,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let made = self.made.word();
        let compressed = if self.compressed { COMPRESSED } else { "" };
        let nth = if self.nth > 0 { format!("-{}", self.nth) } else { String::new() };
        write!(f, "{START}{}{nth}{made}{END}{compressed}", self.at)
    }
}

impl Name {
    /// The first name of this kind that is free in a folder.
    pub(super) fn free_in(mut self, folder: &Path) -> String {
        // A compressed one and one that is not are two files of one name for whoever unpacks them.
        let taken = |name: &Self| {
            [false, true].iter().any(|compressed| {
                folder.join(Self { compressed: *compressed, ..name.clone() }.to_string()).exists()
            })
        };
        while taken(&self) {
            self.nth += 1;
        }
        self.to_string()
    }

    /// Reads a name; `None`: it is not one of ours.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(START)?;
        let (at, rest) = rest.split_at_checked(STAMP)?;
        let number =
            rest.strip_prefix('-').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        let (nth, rest) = if number > 0 { rest.split_at(1 + number) } else { ("-0", rest) };
        let nth = nth[1..].parse().ok()?;
        let (made, rest) =
            Made::ALL.iter().find_map(|made| Some((*made, rest.strip_prefix(made.word())?)))?;
        let compressed = match rest.strip_prefix(END)? {
            "" => false,
            COMPRESSED => true,
            _ => return None,
        };
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let good =
            at.is_ascii() && digits(&at[..8]) && &at[8..9] == "T" && digits(&at[9..15]) && at.ends_with('Z');
        good.then(|| Self { at: at.to_owned(), nth, made, compressed })
    }
}

/// Which of the files with these names are too many, where the newest `keep` of the schedule stay, and as many of those
/// made by hand; of those that were to be taken elsewhere and were left, the newest one. What has another name is somebody
/// else's. `new` was just made: what claims to be younger comes from a clock that was ahead, and counts as the oldest.
pub(super) fn too_many(names: impl IntoIterator<Item = String>, new: &str, keep: usize) -> Vec<String> {
    let mut ours: Vec<Name> = names.into_iter().filter_map(|name| Name::parse(&name)).collect();
    let new = Name::parse(new);
    ours.sort_unstable_by_key(|name| (new.as_ref().is_none_or(|new| name <= new), name.clone()));
    let of = |made, keep| ours.iter().rev().filter(move |name: &&Name| name.made == made).skip(keep);
    let all = of(Made::BySchedule, keep).chain(of(Made::ByHand, keep)).chain(of(Made::Elsewhere, 1));
    all.map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::UnixMs;

    fn name(hour: u8, by_hand: bool, compressed: bool) -> String {
        let at = UnixMs::parse(&format!("2026-02-23T{hour:02}:30:00.123Z")).unwrap().stamp();
        let made = if by_hand { Made::ByHand } else { Made::BySchedule };
        Name { at, nth: 0, made, compressed }.to_string()
    }

    #[test]
    fn names_tell_when_and_by_whom_and_are_read_again() {
        assert_eq!(name(14, false, false), "postrider-20260223T143000Z.db");
        assert_eq!(name(14, true, true), "postrider-20260223T143000Z-by-hand.db.gz");
        let second = Name { nth: 12, ..Name::parse(&name(1, true, false)).unwrap() }.to_string();
        assert_eq!(second, "postrider-20260223T013000Z-12-by-hand.db");
        let elsewhere =
            Name { made: Made::Elsewhere, ..Name::parse(&name(1, true, false)).unwrap() }.to_string();
        assert_eq!(elsewhere, "postrider-20260223T013000Z-elsewhere.db");
        for text in [name(1, false, true), name(2, true, false), name(3, true, true), second, elsewhere] {
            assert_eq!(Name::parse(&text).unwrap().to_string(), text);
        }
        for other in [
            "postrider.db",
            "postrider-20260223T143000Z.db.gz.part",
            "postrider-2026-02-23T143000Z.db",
            "postrider-20260223T14300éZ.db",
            "before-upgrade-from-9-at-1771857000.db",
            "unfinished.part",
        ] {
            assert_eq!(Name::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_of_either_kind_stay_and_nothing_of_others_goes() {
        let all = [
            name(1, false, false),
            name(2, true, false),
            name(3, false, true),
            name(4, false, false),
            name(5, true, true),
            "letter.txt".to_owned(),
        ];
        assert_eq!(
            too_many(all.clone(), &name(5, true, true), 1),
            [name(3, false, true), name(1, false, false), name(2, true, false)]
        );
        assert_eq!(too_many(all.clone(), &name(5, true, true), 2), [name(1, false, false)]);
        assert!(too_many(all.clone(), &name(5, true, true), 3).is_empty());
        let elsewhere = |hour| name(hour, true, false).replace("by-hand", "elsewhere");
        let left = all.into_iter().chain([elsewhere(6), elsewhere(7)]);
        assert_eq!(too_many(left, &elsewhere(7), 3), [elsewhere(6)], "they drive out no other");
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_named_does_not_drive_out_what_is_new() {
        let all = [name(20, false, false), name(4, false, false), name(3, false, false)];
        assert_eq!(
            too_many(all.clone(), &name(4, false, false), 1),
            [name(3, false, false), name(20, false, false)]
        );
        assert_eq!(too_many(all, &name(4, false, false), 2), [name(20, false, false)]);
    }
}
