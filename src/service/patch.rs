//! What a PATCH says about one field.

/// Absent, `null`, or a value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The field is absent: as it was.
    #[default]
    Keep,
    /// The field is `null`: back to the default.
    Reset,
    /// The field has this value.
    Set(T),
}

impl<T> Patch<T> {
    /// The field's next value, from its present one and its default.
    pub fn apply(self, present: T, default: T) -> T {
        match self {
            Self::Keep => present,
            Self::Reset => default,
            Self::Set(value) => value,
        }
    }

    /// The same with a value that is made of this one.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Keep => Patch::Keep,
            Self::Reset => Patch::Reset,
            Self::Set(value) => Patch::Set(make(value)),
        }
    }

    /// Whether nothing is said about the field.
    pub fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keeps_null_resets_and_a_value_sets() {
        assert_eq!(Patch::Keep.apply(1, 0), 1);
        assert_eq!(Patch::Reset.apply(1, 0), 0);
        assert_eq!(Patch::Set(2).apply(1, 0), 2);
        assert_eq!(Patch::Set(2).map(|n| n * 2), Patch::Set(4));
        assert!(Patch::<u8>::default().is_keep());
    }
}
