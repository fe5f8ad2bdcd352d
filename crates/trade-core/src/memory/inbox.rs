//! Notices in memory.

use async_trait::async_trait;

use super::store::MemoryStore;
use crate::{
    TradingOrderNo,
    port::{NoticeInbox, NoticeRecord, NoticeSeen, Recorded, StoreError},
};

#[async_trait]
impl NoticeInbox for MemoryStore {
    async fn record_notice(&self, notice: &NoticeRecord) -> Result<Recorded, StoreError> {
        let key = (notice.channel, notice.enterprise_id, notice.notice_id.clone());
        let mut tables = self.tables();
        let Some(seen) = tables.notices.get_mut(&key) else {
            let seen = NoticeSeen {
                notice: notice.clone(),
                last_at: notice.at,
                deliveries: 1,
            };
            tables.notices.insert(key, seen);
            return Ok(Recorded::New);
        };
        let first_at = seen.notice.at;
        seen.notice = notice.clone();
        seen.notice.at = first_at;
        seen.last_at = notice.at;
        seen.deliveries = seen.deliveries.saturating_add(1);
        Ok(Recorded::Again)
    }

    async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, StoreError> {
        let tables = self.tables();
        let about = |seen: &&NoticeSeen| seen.notice.trading_order_no == Some(trading_order_no);
        let mut seen: Vec<_> = tables.notices.values().filter(about).cloned().collect();
        seen.sort_by_key(|seen| seen.notice.at);
        Ok(seen)
    }
}
