//! Feeds values into a hash. Each is preceded by its length or its kind, so different sequences of values never look alike.

/// A hash being computed.
pub(super) struct Digest(blake3::Hasher);

impl Digest {
    /// Starts a hash of things of one sort, named by `context`.
    pub fn new(context: &str) -> Self {
        Digest(blake3::Hasher::new_derive_key(context))
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len() as u64);
        self.0.update(bytes);
        self
    }

    pub fn word(&mut self, word: &str) -> &mut Self {
        self.bytes(word.as_bytes())
    }

    pub fn count(&mut self, count: u64) -> &mut Self {
        self.0.update(&count.to_le_bytes());
        self
    }

    /// Adds a number by its bits: 0 and -0 differ, as they may in a picture.
    pub fn number(&mut self, number: f64) -> &mut Self {
        self.count(number.to_bits())
    }

    /// Adds any number of numbers.
    pub fn numbers(&mut self, numbers: impl IntoIterator<Item = f64, IntoIter: ExactSizeIterator>) -> &mut Self {
        let numbers = numbers.into_iter();
        self.count(numbers.len() as u64);
        for number in numbers {
            self.number(number);
        }
        self
    }

    pub fn hash(&mut self, hash: &blake3::Hash) -> &mut Self {
        self.0.update(hash.as_bytes());
        self
    }

    pub fn finish(&self) -> blake3::Hash {
        self.0.finalize()
    }
}
