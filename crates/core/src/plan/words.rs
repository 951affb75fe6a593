//! The words by which recipes name the plan's choices.
//!
//! Each word is written once, beside the type that it belongs to. The tables of keys, the reader of recipes, the keys of kept states and
//! the account of a plan all take it from there. A word that changes also changes the keys of the states that were kept under it.

/// A choice of the plan, each of whose variants is a word in recipes.
pub trait Word: Copy + 'static {
    /// Every variant, once.
    const ALL: &'static [Self];

    /// Returns the word.
    fn name(self) -> &'static str;

    /// Returns the variant with this word.
    fn named(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|variant| variant.name() == word)
    }
}

/// Gives an enum its words: `name` and [`Word`]. A variant without a word does not compile.
macro_rules! words {
    ($Choice:ident { $($variant:ident: $word:literal),+ $(,)? }) => {
        impl $Choice {
            /// Returns its word in recipes.
            pub const fn name(self) -> &'static str {
                match self {
                    $($Choice::$variant => $word),+
                }
            }
        }

        impl $crate::plan::Word for $Choice {
            const ALL: &'static [Self] = &[$($Choice::$variant),+];

            fn name(self) -> &'static str {
                $Choice::name(self)
            }
        }
    };
}

/// Gives words to an enum whose variants carry settings: makes the enum of its bare variants, which has the words, and the method
/// `name`.
macro_rules! kinds {
    ($(#[$about:meta])* $Kind:ident of $Choice:ident { $($variant:ident: $word:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $Kind {
            $($variant),+
        }

        $crate::plan::words::words!($Kind { $($variant: $word),+ });

        impl $Choice {
            /// Returns its word in recipes.
            pub const fn name(&self) -> &'static str {
                match self {
                    $($Choice::$variant { .. } => $Kind::$variant.name()),+
                }
            }
        }
    };
}

pub(super) use {kinds, words};

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use super::Word;
    use crate::plan::{
        Axis, BasisKind, Calibration, Ease, EdgeKind, Fit, GradientKind, Loss, OptimiserKind, Select, SpectrumKind,
        StageName,
    };

    fn read_back<W: Word + PartialEq + Debug>() {
        for variant in W::ALL {
            assert_eq!(W::named(variant.name()), Some(*variant));
        }
        assert_eq!(W::named(""), None);
    }

    #[test]
    fn words_name_one_variant_each() {
        read_back::<Axis>();
        read_back::<BasisKind>();
        read_back::<Calibration>();
        read_back::<Ease>();
        read_back::<EdgeKind>();
        read_back::<Fit>();
        read_back::<GradientKind>();
        read_back::<Loss>();
        read_back::<OptimiserKind>();
        read_back::<Select>();
        read_back::<SpectrumKind>();
        read_back::<StageName>();
    }
}
