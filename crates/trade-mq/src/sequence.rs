//! Doing every event once, and in order.

/// What a message is, next to what a consumer has seen of the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judgement {
    /// The next one. Apply it and remember its `seq`.
    New,
    /// The one seen last, again. Change nothing and ack it.
    Duplicate,
    /// Older than the one seen last. Change nothing and ack it.
    Old,
    /// Newer, but at least one in between has not come.
    ///
    /// With a queue bound to both routing keys the missing one is on its way (or was dead-lettered): return
    /// [`ListenError::retry`](crate::ListenError::retry). With a queue bound to one key alone a gap is
    /// everyday, because trading and refund events of an order share one count: apply it like [`Judgement::New`].
    Gap,
}

/// Judges a message by its `seq`, which counts the events of one order from 1.
///
/// `seen` is the highest `seq` applied so far for the order, `None` when there was none. Pure: reading and
/// writing `seen` belongs into the consumer's own transaction, together with the effect. Then a crash between
/// the effect and the ack does no harm, as the message comes again and is judged a duplicate:
///
/// ```sql
/// BEGIN;
/// -- The inbox: the same event never gets past this line twice.
/// INSERT INTO trade_inbox (event_id) VALUES (:event_id) ON CONFLICT DO NOTHING;
/// -- No row inserted: a duplicate. COMMIT and return Ok(Handled::Skipped).
/// SELECT seen_seq FROM orders WHERE order_no = :product_order_no FOR UPDATE;
/// -- judge(seen_seq, seq):
/// --   New:             go on below.
/// --   Duplicate, Old:  COMMIT and return Ok(Handled::Skipped).
/// --   Gap:             ROLLBACK and return Err(ListenError::retry("an earlier event is missing")).
/// UPDATE orders SET pay_status = :status_code, seen_seq = :seq WHERE order_no = :product_order_no;
/// COMMIT;
/// -- Return Ok(Handled::Applied); only now the message is acknowledged.
/// ```
///
/// ```
/// use trade_mq::{Judgement, judge};
///
/// assert_eq!(judge(None, 1), Judgement::New);
/// assert_eq!(judge(Some(1), 1), Judgement::Duplicate);
/// assert_eq!(judge(Some(1), 3), Judgement::Gap);
/// ```
#[must_use]
pub const fn judge(seen: Option<i64>, seq: i64) -> Judgement {
    let seen = match seen {
        Some(seen) => seen,
        None => 0,
    };
    if seq < seen {
        Judgement::Old
    } else if seq == seen {
        Judgement::Duplicate
    } else if seq == seen.saturating_add(1) {
        Judgement::New
    } else {
        Judgement::Gap
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Judgement::{Duplicate, Gap, New, Old},
        *,
    };

    #[test]
    fn every_place_of_a_message_has_a_judgement() {
        let table = [
            (None, 1, New),
            (None, 2, Gap),
            (None, i64::MAX, Gap),
            (Some(1), 1, Duplicate),
            (Some(1), 2, New),
            (Some(1), 3, Gap),
            (Some(5), 1, Old),
            (Some(5), 4, Old),
            (Some(5), 5, Duplicate),
            (Some(5), 6, New),
            (Some(5), 7, Gap),
            (Some(i64::MAX - 1), i64::MAX, New),
            (Some(i64::MAX), i64::MAX, Duplicate),
            (Some(i64::MAX), 1, Old),
        ];
        for (seen, seq, expected) in table {
            assert_eq!(judge(seen, seq), expected, "{seen:?} {seq}");
        }
    }

    #[test]
    fn any_shuffle_with_repeats_is_applied_once_each_and_in_order() {
        // Each pass offers everything again, as redelivery does, in another order.
        let (mut seen, mut applied) = (None, Vec::new());
        for pass in 0..20_i64 {
            for step in 0..20_i64 {
                let seq = (step * 7 + pass * 3) % 20 + 1;
                if judge(seen, seq) == New {
                    applied.push(seq);
                    seen = Some(seq);
                }
            }
        }
        assert_eq!(applied, (1..=20).collect::<Vec<_>>());
    }
}
