//! `explain`: why the images of one file change or stay.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::super::args::Explain;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::rewrite::{Run, current_folder};
use super::{reporting::Sink, wanted};
use crate::findings;
use crate::plan::FilePlan;
use crate::report::{clean, explain as report};
use crate::settings::{Rules, Settings};
use crate::source::{Lines, SourceFile};
use crate::walk::{self, Role};

/// Larger files are not looked at, as in a rewrite.
const MAX_FILE_SIZE: u64 = 10 << 20;

/// What to explain.
struct Place {
    path: PathBuf,
    line: Option<usize>,
    column: Option<usize>,
}

pub(in super::super) fn explain(args: &Explain, talk: Talk) -> Result<Exit, Error> {
    let current = current_folder()?;
    let place = Place::of(&args.place)?;
    let paths = vec![place.path.clone()];
    let wanted = wanted(&args.target, &args.rules, paths.clone())?;
    let settings = Settings::resolve(&wanted, Rules::OrBuiltIn)?.without_target();
    // As in a rewrite of the whole repository, so that what hangs together is told as it is.
    let real = place.path.canonicalize().ok();
    let home = walk::home(&place.path).ok();
    let root = home
        .as_deref()
        .and_then(walk::repository)
        .map(Path::to_path_buf);
    let options = walk::Options {
        paths: paths.into_iter().chain(root).collect(),
        config_exclude: settings.exclude(),
        ..walk::Options::default()
    };
    let walk = walk::walk(&options, &current).map_err(|error| Error::Message(error.to_string()))?;
    let mut run = Run::new(&settings, &current, Sink::silent(talk), talk);
    let files = run.read(walk, MAX_FILE_SIZE);
    let roster: report::Roster = files
        .iter()
        .map(|file| {
            let sites = file.scan.sites.iter();
            sites
                .map(|site| report::member(&file.source.path, site))
                .collect()
        })
        .collect();
    let is_asked = |source: &SourceFile| Some(&source.real) == real.as_ref();
    let read = files
        .iter()
        .any(|file| file.role == Role::Selected && is_asked(&file.source));
    let plan = run.plan(files)?;
    let index = plan.files.iter().position(|file| is_asked(&file.source));
    // What is wrong with other files is no matter here.
    run.failures
        .retain(|failure| failure.path.canonicalize().ok() == real);
    if read {
        let found = findings::find(&plan, settings.levels());
        let mut out = io::BufWriter::new(io::stdout().lock());
        let file = index.map(|index| &plan.files[index]);
        for site in place.sites(file, talk)? {
            let place = (index.unwrap_or(0), site);
            report::render(&plan, &found, &roster, place, &mut out).map_err(Error::Output)?;
        }
        out.flush().map_err(Error::Output)?;
    }
    Ok(run.exit())
}

impl Place {
    /// Reads `PATH[:LINE[:COL]]`. A file of that very name wins.
    fn of(text: &Path) -> Result<Self, Error> {
        let exists = |path: &Path| path.symlink_metadata().is_ok();
        let mut place = Self {
            path: text.to_path_buf(),
            line: None,
            column: None,
        };
        while !exists(&place.path) && place.column.is_none() {
            let Some((path, number)) = numbered(&place.path) else {
                break;
            };
            (place.path, place.line, place.column) = (path, Some(number), place.line);
        }
        let shown = clean(&text.to_string_lossy()).into_owned();
        if !exists(&place.path) {
            return Err(Error::Message(format!("`{shown}` does not exist")));
        }
        if place.path.is_dir() {
            return Err(Error::Message(format!(
                "`{shown}` is a folder; give a file, as in `ecr-rewrite explain ./web.yaml:12`"
            )));
        }
        Ok(place)
    }

    /// The sites that are asked for, by their place in the file.
    fn sites(&self, file: Option<&FilePlan>, talk: Talk) -> Result<Vec<usize>, Error> {
        let path = self.path.to_string_lossy();
        let path = clean(&path);
        let Some(file) = file.filter(|file| !file.sites.is_empty()) else {
            let message = format!("{path}: no image is found in it");
            if self.line.is_some() {
                return Err(Error::Message(message));
            }
            talk.note(&message);
            return Ok(Vec::new());
        };
        let Some(line) = self.line else {
            return Ok((0..file.sites.len()).collect());
        };
        let lines = Lines::new(&file.source.text);
        let on_line: Vec<usize> = (0..file.sites.len())
            .filter(|&site| is_on(file, site, &lines, line, None))
            .collect();
        if on_line.is_empty() {
            let mut known: Vec<usize> = file
                .sites
                .iter()
                .map(|site| lines.position(site.span().start).line)
                .collect();
            known.dedup();
            return Err(Error::Message(format!(
                "{path}: line {line} names no image; these lines do: {}",
                list(&known)
            )));
        }
        let Some(column) = self.column else {
            return Ok(on_line);
        };
        let there: Vec<usize> = on_line
            .iter()
            .copied()
            .filter(|&site| is_on(file, site, &lines, line, Some(column)))
            .collect();
        if there.is_empty() {
            let known: Vec<usize> = on_line
                .iter()
                .map(|&site| lines.position(file.sites[site].span().start).column)
                .collect();
            return Err(Error::Message(format!(
                "{path}: column {column} of line {line} names no image; images begin at: {}",
                list(&known)
            )));
        }
        Ok(there)
    }
}

/// `path:12` as a path and a number.
fn numbered(path: &Path) -> Option<(PathBuf, usize)> {
    let (path, number) = path.to_str()?.rsplit_once(':')?;
    Some((PathBuf::from(path), number.parse().ok()?))
}

/// Whether any scalar of a site stands on a line (1-based) and, if one is given, at a column.
fn is_on(
    file: &FilePlan,
    site: usize,
    lines: &Lines<'_>,
    line: usize,
    column: Option<usize>,
) -> bool {
    file.sites[site].scalars().any(|scalar| {
        let span = scalar.place.span();
        let (start, end) = (lines.position(span.start), lines.position(span.end));
        let on_line = (start.line..=end.line).contains(&line);
        let after = start.line < line || column.is_none_or(|column| column >= start.column);
        let before = line < end.line
            || column.is_none_or(|column| column < end.column.max(start.column + 1));
        on_line && after && before
    })
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(", ")
}
