//! Examples: embeddings, what they are of, and which of them belong together.

use std::collections::HashMap;
use std::hash::Hash;

/// Embeddings of pictures, the classes that they are examples of, and groups.
///
/// Members of a group (the same background with and without lettering, the same picture twice) always fall on the same side when
/// examples are divided: what is much alike must not be learned from on one side and asked for on the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// `[N, D]`, each of unit length.
    pub embeddings: Vec<Vec<f32>>,
    /// `[N]`: the class, as an index into `classes`; `None` for what is of no class.
    pub class: Vec<Option<usize>>,
    /// `[N]`: numbers of groups. They also decide which groups are held out, so that they should mean the same whenever
    /// the same examples are used: a hash of a file's name does, its position in a list does less.
    pub group: Vec<u64>,
}

impl Examples {
    /// None yet, of these classes.
    pub fn new(classes: Vec<String>) -> Self {
        Examples { classes, ..Examples::default() }
    }

    /// One more.
    pub fn add(&mut self, embedding: Vec<f32>, class: Option<usize>, group: u64) {
        self.embeddings.push(embedding);
        self.class.push(class);
        self.group.push(group);
    }

    /// The number of examples, N.
    pub fn len(&self) -> usize {
        self.embeddings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.embeddings.is_empty()
    }

    /// The number of examples of a class, or of none.
    pub fn count(&self, class: Option<usize>) -> usize {
        self.class.iter().filter(|own| **own == class).count()
    }
}

/// Puts what is alike in any respect into one group: pictures of one name, pictures of the same bytes.
#[derive(Debug, Default)]
pub struct Groups<K> {
    /// For each thing, one that it is alike with; itself at the end of a chain.
    alike: Vec<usize>,
    first: HashMap<K, usize>,
}

impl<K: Hash + Eq> Groups<K> {
    /// No things yet.
    pub fn new() -> Self {
        Groups { alike: Vec::new(), first: HashMap::new() }
    }

    /// One more thing, with everything in respect of which it may be like others. Gives its number, from 0.
    pub fn add(&mut self, respects: impl IntoIterator<Item = K>) -> usize {
        let own = self.alike.len();
        self.alike.push(own);
        for respect in respects {
            let other = *self.first.entry(respect).or_insert(own);
            let (a, b) = (self.of(own), self.of(other));
            // To the earlier one, so that a group goes by its first member.
            self.alike[a.max(b)] = a.min(b);
        }
        own
    }

    /// The number of the first thing of a thing's group.
    pub fn of(&self, mut thing: usize) -> usize {
        while self.alike[thing] != thing {
            thing = self.alike[thing];
        }
        thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_in_any_respect_is_one_group() {
        let mut groups = Groups::new();
        for respects in [["a", "1"], ["b", "2"], ["c", "1"], ["b", "3"], ["c", "3"], ["d", "4"]] {
            groups.add(respects);
        }
        let of: Vec<usize> = (0..6).map(|thing| groups.of(thing)).collect();
        assert_eq!(of, [0, 0, 0, 0, 0, 5]);
    }
}
