//! The `concise` format: a line for each finding, `path:line:col: level[code] message`.

use std::io::{self, Write};

use super::{Color, Report, clean};

/// Writes the findings.
pub(super) fn render(report: &Report<'_>, _color: Color, out: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings.list {
        write!(
            out,
            "{}:{}: {}[{}] {}",
            clean(&finding.path.to_string_lossy()),
            finding.at,
            finding.level,
            finding.code,
            clean(&finding.message)
        )?;
        match &finding.fix {
            Some(fix) => writeln!(out, "; becomes `{}`", clean(fix))?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}
