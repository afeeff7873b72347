//! A Merkle tree that grows (RFC 6962, 2.1), keeping every full subtree's hash
//! so that a proof costs as many steps as it has hashes.

use super::key::sha256;

pub(super) type Hash = [u8; 32];

/// Level 0 holds the leaves, level `k` the hashes of full subtrees of 2^k of them.
#[derive(Default)]
pub(super) struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Appends a leaf and answers its index.
    pub(super) fn push(&mut self, leaf: &[u8]) -> u64 {
        let mut hash = sha256(&[&[0], leaf].concat());
        let index = self.size();
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let hashes = &mut self.levels[level];
            hashes.push(hash);
            match hashes[..] {
                [.., left, right] if hashes.len().is_multiple_of(2) => hash = parent(&left, &right),
                _ => break,
            }
        }
        index
    }

    pub(super) fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    pub(super) fn root(&self) -> Hash {
        self.subtree(0, self.size())
    }

    /// The hashes beside the path from leaf `index` to the root, nearest first.
    pub(super) fn proof(&self, index: u64) -> Vec<Hash> {
        let (mut start, mut size) = (0, self.size());
        let mut path = Vec::new();
        while size > 1 {
            let left = largest_power_below(size);
            if index - start < left {
                path.push(self.subtree(start + left, size - left));
                size = left;
            } else {
                path.push(self.subtree(start, left));
                (start, size) = (start + left, size - left);
            }
        }
        path.reverse();
        path
    }

    /// The hash over `size` leaves from `start`. A left part is always full and
    /// starts at a multiple of its size, so it is on a level.
    fn subtree(&self, start: u64, size: u64) -> Hash {
        if size == 0 {
            return sha256(&[]);
        }
        if size.is_power_of_two() {
            return self.levels[size.trailing_zeros() as usize][(start / size) as usize];
        }
        let left = largest_power_below(size);
        parent(&self.subtree(start, left), &self.subtree(start + left, size - left))
    }
}

fn parent(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left[..], right].concat())
}

fn largest_power_below(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, word for word.
    fn by_definition(leaves: &[Vec<u8>]) -> Hash {
        match leaves {
            [] => sha256(&[]),
            [leaf] => sha256(&[&[0], &leaf[..]].concat()),
            _ => {
                let (left, right) = leaves.split_at(largest_power_below(leaves.len() as u64) as usize);
                parent(&by_definition(left), &by_definition(right))
            }
        }
    }

    #[test]
    fn roots_and_proofs_are_those_of_the_definition() {
        let mut tree = Tree::default();
        let mut leaves: Vec<Vec<u8>> = Vec::new();
        for n in 0_u32..70 {
            leaves.push(n.to_be_bytes().to_vec());
            assert_eq!(tree.push(&n.to_be_bytes()), u64::from(n));
            assert_eq!(tree.root(), by_definition(&leaves));
            for index in 0..tree.size() {
                let leaf = sha256(&[&[0], &leaves[index as usize][..]].concat());
                let checked = leads_to_root(leaf, index, tree.size(), &tree.proof(index), &tree.root());
                assert!(checked, "leaf {index} of {}", tree.size());
            }
        }
    }

    /// The verifier's algorithm (RFC 9162, 2.1.3.2).
    fn leads_to_root(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
        let (mut node, mut last, mut hash) = (index, size - 1, leaf);
        for step in path {
            if last == 0 {
                return false;
            }
            if node % 2 == 1 || node == last {
                hash = parent(step, &hash);
                while node % 2 == 0 && node != 0 {
                    (node, last) = (node >> 1, last >> 1);
                }
            } else {
                hash = parent(&hash, step);
            }
            (node, last) = (node >> 1, last >> 1);
        }
        last == 0 && hash == *root
    }
}
