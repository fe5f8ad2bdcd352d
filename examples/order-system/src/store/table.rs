//! The tables as sea-orm sees them: one entity a table.

pub mod canceled;
pub mod dead_letter;
pub mod history;
pub mod inbox;
pub mod order;
pub mod position;
pub mod refund;
pub mod returned;
pub mod sequence;

pub use canceled::Model as Canceled;
pub use history::Model as History;
pub use order::Model as Order;
pub use refund::Model as Refund;
pub use returned::Model as Returned;
