//! What is known of Helm charts: which values make the name of each image, and how.
//!
//! * [`join`]: how a chart makes a name out of values, as data that can be evaluated
//! * [`known`]: what is known of a chart
//! * [`package`]: the files of a chart, in a directory or a `.tgz`
//! * [`knowledge`]: who tells it, in order
//!
//! Nothing here looks at the repository: charts come in as the texts of their files.

pub mod join;
pub mod knowledge;
pub mod known;
pub mod package;

pub use join::{Glue, Join, Source, ValuePath};
pub use knowledge::Knowledge;
pub use known::{Charts, Known, NoCharts, Wanted};
