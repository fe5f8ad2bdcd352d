//! Tasks that are polled one at a time, in an order that the seed decides.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

pub(super) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Whose task it is: an instance's dies with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    World,
    Node(usize),
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Slot {
    owner: Owner,
    task: Task,
    ready: Arc<Ready>,
}

#[derive(Default)]
pub(super) struct Tasks(Vec<Slot>);

impl Tasks {
    pub(super) fn admit(&mut self, owner: Owner, task: Task) {
        let ready = Arc::new(Ready(AtomicBool::new(true)));
        self.0.push(Slot { owner, task, ready });
    }

    /// The places of the tasks that can go on.
    pub(super) fn ready(&self) -> Vec<usize> {
        let can_go_on = |slot: &Slot| slot.ready.0.load(Ordering::Relaxed);
        let places = self.0.iter().enumerate();
        places
            .filter(|(_, slot)| can_go_on(slot))
            .map(|(place, _)| place)
            .collect()
    }

    pub(super) fn of(&self, owner: Owner) -> usize {
        self.0.iter().filter(|slot| slot.owner == owner).count()
    }

    pub(super) fn poll(&mut self, place: usize) {
        let slot = &mut self.0[place];
        slot.ready.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&slot.ready));
        if let Poll::Ready(()) = slot.task.as_mut().poll(&mut Context::from_waker(&waker)) {
            drop(self.0.swap_remove(place));
        }
    }

    /// Ends everything an instance was doing, wherever it stands.
    pub(super) fn kill(&mut self, owner: Owner) {
        self.0.retain(|slot| slot.owner != owner);
    }
}
