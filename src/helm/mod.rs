//! What is known of Helm charts: which values make the name of each image, and how.
//!
//! * [`join`]: how a chart makes a name out of values, as data that can be evaluated
//! * [`known`]: what is known of a chart, and who tells
//!
//! Nothing here looks at the repository: charts come in as the texts of their files.

pub mod join;
pub mod known;

pub use join::{Glue, Join, Source, ValuePath};
pub use known::{Charts, Known, NoCharts, Wanted};
