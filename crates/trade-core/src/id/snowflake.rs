//! 64-bit time-ordered numbers that stay unique across restarts and clock jumps.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::lock::Mutex as AsyncMutex;

use crate::{
    Timestamp,
    port::{Clock, HighWater, IdSource, StoreError},
};

/// 2024-01-01T00:00:00Z: 41 bits of milliseconds from here last until 2093.
const EPOCH_MS: i64 = 1_704_067_200_000;
const NODE_BITS: u32 = 10;
const SEQUENCE_BITS: u32 = 12;
const MAX_SEQUENCE: i64 = (1 << SEQUENCE_BITS) - 1;
/// The sequence of a millisecond begins at its lowest bits: were it to begin at 0, nearly all numbers of a shop
/// would be even, and a job that works on every second number would have either everything or nothing to do.
const FIRST_SEQUENCE: i64 = (1 << 10) - 1;
/// How far ahead of the clock milliseconds are reserved, so that reserving is rare.
const RESERVE: Duration = Duration::from_secs(10);
/// How many are reserved when the numbers are ahead of the clock.
const STEP: Duration = Duration::from_millis(100);
/// A clock further behind the stored mark than this is wrong, not merely adjusted.
const MAX_BACKWARD: Duration = Duration::from_secs(60);

/// Why no number could be made.
#[derive(Debug, thiserror::Error)]
pub enum IdError {
    /// The node number does not fit.
    #[error("node {0} is out of range: a node number is 0 to 1023, and each running instance needs its own")]
    Node(i64),
    /// The clock is before the epoch or far behind the numbers already given out.
    #[error("the clock says {now}, but numbers up to {mark} are already given out: set the clock right")]
    ClockBehind {
        /// What the clock says.
        now: Timestamp,
        /// The stored high-water mark.
        mark: Timestamp,
    },
    /// The mark could not be read or stored.
    #[error("the high-water mark of the number generator could not be kept")]
    Store(#[from] StoreError),
    /// This instance has no node of its own just now.
    #[error(
        "there is no node to make numbers under: {0}. With a fixed node of its own (`server.node`) an instance makes \
         numbers without a lease"
    )]
    NoNode(String),
}

/// A snowflake generator: 41 bits of milliseconds, 10 bits of node, 12 bits of sequence.
///
/// Before a number of some millisecond is given out, that millisecond has been reserved by moving the node's
/// high-water mark beyond it, and only one can move it from where it is. So neither a restart nor a clock that was
/// set back makes a number twice, nor do two instances that were given the same node by mistake: they take turns
/// of ten seconds each. A unique index in the store is the net below it.
pub struct Snowflake {
    node: i64,
    clock: Arc<dyn Clock>,
    high_water: Arc<dyn HighWater>,
    state: Mutex<State>,
    /// Held while milliseconds are reserved: one does it for all who wait.
    reserving: AsyncMutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    last_ms: i64,
    sequence: i64,
    /// The node's mark, if there is one, when it was moved or seen last. What lies between `last_ms` and the mark
    /// is ours.
    mark: Option<Timestamp>,
}

impl State {
    /// Of what lies below a mark, nothing is ours.
    fn above(mark: Option<Timestamp>) -> Self {
        Self {
            last_ms: mark.map_or(EPOCH_MS, Timestamp::ms),
            sequence: MAX_SEQUENCE,
            mark,
        }
    }

    fn is_reserved(&self, ms: i64) -> bool {
        self.mark.is_some_and(|mark| ms <= mark.ms())
    }
}

/// What one look at the state came to.
enum Step {
    Give(i64),
    /// The mark must be raised to this millisecond first.
    Reserve(i64),
}

impl Snowflake {
    /// Starts a generator for `node` (0 to 1023) after the mark stored for that node.
    ///
    /// # Errors
    /// A node out of range, a clock far behind the mark, or a store that does not answer.
    pub async fn start(
        node: i64,
        clock: Arc<dyn Clock>,
        high_water: Arc<dyn HighWater>,
    ) -> Result<Self, IdError> {
        if !(0..1 << NODE_BITS).contains(&node) {
            return Err(IdError::Node(node));
        }
        let mark = high_water.load(node).await?;
        let (now, reached) = (clock.now(), mark.unwrap_or(Timestamp::from_ms(EPOCH_MS)));
        if now.ms() < EPOCH_MS || reached.since(now) > MAX_BACKWARD {
            return Err(IdError::ClockBehind { now, mark: reached });
        }
        Ok(Self {
            node,
            clock,
            high_water,
            state: Mutex::new(State::above(mark)),
            reserving: AsyncMutex::new(()),
        })
    }

    /// The node that its numbers are made under.
    #[must_use]
    pub const fn node(&self) -> i64 {
        self.node
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self) -> Step {
        let mut state = self.state();
        let now = self.clock.now().ms();
        // A clock that stands still or goes back never takes the numbers back with it.
        let (ms, sequence) = if now <= state.last_ms && state.sequence < MAX_SEQUENCE {
            (state.last_ms, state.sequence + 1)
        } else {
            let ms = now.max(state.last_ms + 1);
            (ms, ms & FIRST_SEQUENCE)
        };
        if !state.is_reserved(ms) {
            return Step::Reserve(ms);
        }
        state.last_ms = ms;
        state.sequence = sequence;
        Step::Give(((ms - EPOCH_MS) << (NODE_BITS + SEQUENCE_BITS)) | (self.node << SEQUENCE_BITS) | sequence)
    }

    /// Reserves up to a millisecond and some more, unless somebody did while we waited for our turn.
    async fn reserve(&self, ms: i64) -> Result<(), IdError> {
        let _turn = self.reserving.lock().await;
        let seen = *self.state();
        if seen.is_reserved(ms) {
            return Ok(());
        }
        // Numbers ahead of the clock, as after a restart, reserve little, so that many restarts in a row do not
        // carry the mark away from the clock.
        let ahead = self.clock.now().plus(RESERVE);
        let mark = ahead.max(Timestamp::from_ms(ms).plus(STEP));
        if self.high_water.advance(self.node, seen.mark, mark).await? {
            self.state().mark = Some(mark);
            return Ok(());
        }
        let mark = self.high_water.load(self.node).await?;
        tracing::warn!(
            node = self.node,
            "the mark of this node was moved: if this is said again and again, another instance has the same node"
        );
        let mut state = self.state();
        let above = State::above(mark);
        // A database that fell back to an older state tells an older mark. The numbers do not go back with it.
        *state = if above.last_ms >= state.last_ms {
            above
        } else {
            State { mark, ..*state }
        };
        Ok(())
    }
}

#[async_trait]
impl IdSource for Snowflake {
    async fn next(&self) -> Result<i64, IdError> {
        loop {
            match self.step() {
                Step::Give(number) => return Ok(number),
                Step::Reserve(ms) => self.reserve(ms).await?,
            }
        }
    }
}

impl fmt::Debug for Snowflake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snowflake")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}
