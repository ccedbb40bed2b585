//! Numbers that look random and are the same in every run, and how long loops go on.

/// A generator (splitmix64, Steele, Lea and Flood 2014): every seed is as good as any other, 0 and 1 too.
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and without, `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// How many rounds a loop makes: what `ECR_REWRITE_ROUNDS` says, else as `usual`.
pub fn rounds(usual: usize) -> usize {
    let said = std::env::var("ECR_REWRITE_ROUNDS").ok();
    said.map_or(usual, |said| {
        said.parse().expect("ECR_REWRITE_ROUNDS: a number")
    })
}
