//! What is known of Helm charts: which values make the name of each image, and how.
//!
//! * [`join`]: how a chart makes a name out of values, as data that can be evaluated
//! * [`known`]: what is known of a chart
//! * [`learn`]: learns joins from what a chart renders
//! * [`local`]: learns a chart that is at hand
//! * [`template`]: renders a chart in memory
//! * [`at_hand`]: charts of the repository, rendered with other texts of their files
//! * [`layered`]: values as their layers make them
//! * [`package`]: the files of a chart, in a directory or a `.tgz`
//! * [`cache`]: packages that Helm has fetched before
//! * [`table`]: well-known charts that were learned before
//! * [`knowledge`]: who tells about a chart, in order
//!
//! Only [`knowledge`] and [`cache`] read files, and those of charts and of Helm alone.

pub mod at_hand;
pub mod cache;
pub mod join;
pub mod knowledge;
pub mod known;
pub mod layered;
pub mod learn;
pub mod local;
pub mod package;
pub mod table;
pub mod template;

pub use at_hand::AtHand;
pub use cache::HelmCache;
pub use join::{Glue, Join, Source, ValuePath};
pub use knowledge::Knowledge;
pub use known::{ALLOWS_INSECURE, Charts, Known, NoCharts, Supposed, Wanted};
pub use table::Table;
