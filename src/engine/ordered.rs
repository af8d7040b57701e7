//! A list that is kept in order: what `BTreeSet` does, in a tenth of its bytes.
//!
//! It holds what waits for its turn: parts of an upload, uploads of a queue. Almost all are put in at the end and taken
//! out at the front, which moves nothing. In between, moving a few dozen numbers costs less than a tree's bookkeeping.

/// Values in ascending order, none twice.
#[derive(Debug, Clone)]
pub(super) struct Ordered<T> {
    values: Vec<T>,
    /// Number of values at the front that are already taken out.
    taken: usize,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Self { values: Vec::new(), taken: 0 }
    }
}

impl<T: Ord + Copy> Ordered<T> {
    pub fn len(&self) -> usize {
        self.values.len() - self.taken
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn iter(&self) -> impl Iterator<Item = T> {
        self.values[self.taken..].iter().copied()
    }

    pub fn first(&self) -> Option<T> {
        self.values.get(self.taken).copied()
    }

    pub fn pop_first(&mut self) -> Option<T> {
        let first = self.first()?;
        self.taken += 1;
        // Moves fewer values than were taken, and leaves none taken in an empty list.
        if self.taken > self.len() {
            self.values.drain(..self.taken);
            self.taken = 0;
        }
        Some(first)
    }

    /// Puts a value in its place, unless it is there already.
    pub fn insert(&mut self, value: T) {
        match self.values.last() {
            Some(&last) if last >= value => {
                let at = self.find(value);
                if self.values[at] != value {
                    self.values.insert(at, value);
                }
            }
            _ => self.values.push(value),
        }
    }

    /// Takes a value out, if it is there.
    pub fn remove(&mut self, value: T) {
        if self.first() == Some(value) {
            self.pop_first();
            return;
        }
        let at = self.find(value);
        if self.values.get(at) == Some(&value) {
            self.values.remove(at);
        }
    }

    /// Returns where a value is, or where it would have to be.
    fn find(&self, value: T) -> usize {
        self.taken + self.values[self.taken..].partition_point(|&other| other < value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_what_a_set_does() {
        let mut rng = 12_345_u32;
        let (mut list, mut set) = (Ordered::default(), std::collections::BTreeSet::new());
        for _ in 0..10_000 {
            rng = rng.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = (rng >> 16) % 40;
            match rng >> 30 {
                0 => {
                    list.remove(value);
                    set.remove(&value);
                }
                1 => assert_eq!(list.pop_first(), set.pop_first()),
                _ => {
                    list.insert(value);
                    set.insert(value);
                }
            }
            assert_eq!((list.len(), list.first(), list.is_empty()), (set.len(), set.first().copied(), set.is_empty()));
            assert!(list.iter().eq(set.iter().copied()));
        }
    }
}
