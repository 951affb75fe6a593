//! Examples: embeddings, their classes, and which of them belong together.

use std::collections::HashMap;
use std::hash::Hash;

/// Embeddings of pictures, the classes they are examples of, and groups.
///
/// Members of a group (the same background with and without lettering, the same picture twice) are never split between training
/// and held-out examples: near-duplicates must not be trained on and then used for scoring.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// The names of the classes.
    pub classes: Vec<String>,
    /// `[N, D]`, each of unit length.
    pub embeddings: Vec<Vec<f32>>,
    /// `[N]`: the class, as an index into `classes`; `None` for examples of no class.
    pub class: Vec<Option<usize>>,
    /// `[N]`: group numbers. They also decide which groups are held out, so they should stay the same whenever the same
    /// examples are used: a hash of a file's name does, its position in a list does less.
    pub group: Vec<u64>,
}

impl Examples {
    /// Creates an empty set of examples of these classes.
    pub fn new(classes: Vec<String>) -> Self {
        Examples { classes, ..Examples::default() }
    }

    /// Adds an example.
    pub fn add(&mut self, embedding: Vec<f32>, class: Option<usize>, group: u64) {
        self.embeddings.push(embedding);
        self.class.push(class);
        self.group.push(group);
    }

    /// Returns the number of examples, N.
    pub fn len(&self) -> usize {
        self.embeddings.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.embeddings.is_empty()
    }

    /// Returns the number of examples of a class, or of no class.
    pub fn count(&self, class: Option<usize>) -> usize {
        self.class.iter().filter(|own| **own == class).count()
    }
}

/// Groups things that are alike in any respect: pictures with the same name, pictures with the same bytes.
#[derive(Debug, Default)]
pub struct Groups<K> {
    /// For each thing, the index of another one in its group; its own index at the end of the chain (union-find).
    alike: Vec<usize>,
    first: HashMap<K, usize>,
}

impl<K: Hash + Eq> Groups<K> {
    /// Creates an empty set of groups.
    pub fn new() -> Self {
        Groups { alike: Vec::new(), first: HashMap::new() }
    }

    /// Adds a thing, with every key under which it may equal others. Returns its number, from 0.
    pub fn add(&mut self, respects: impl IntoIterator<Item = K>) -> usize {
        let own = self.alike.len();
        self.alike.push(own);
        for respect in respects {
            let other = *self.first.entry(respect).or_insert(own);
            let (a, b) = (self.of(own), self.of(other));
            // Link to the earlier one, so that a group is identified by its first member.
            self.alike[a.max(b)] = a.min(b);
        }
        own
    }

    /// Returns the number of the first thing in a thing's group.
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
