//! What the commands that only look share: settings, scan, link and plan, as `--check` has them.

use std::path::PathBuf;

use super::super::Error;
use super::super::args::{FileArgs, JudgementArgs, RuleArgs, TargetArgs};
use super::super::talk::Talk;
use super::reporting::Sink;
use super::rewrite::{self, Run, current_folder};
use super::{one_input, wanted};
use crate::plan::Plan;
use crate::settings::{Rules, Settings};

/// What to look at, and with which rules.
pub(super) struct Survey<'a> {
    pub(super) paths: &'a [PathBuf],
    pub(super) target: &'a TargetArgs,
    pub(super) rules: &'a RuleArgs,
    pub(super) files: &'a FileArgs,
    pub(super) judgement: Option<&'a JudgementArgs>,
}

impl Survey<'_> {
    /// Plans, and gives `then` the plan.
    pub(super) fn plan<T>(
        &self,
        talk: Talk,
        then: impl FnOnce(&mut Run<'_>, &Plan) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let current = current_folder()?;
        one_input(self.rules, rewrite::lists_stdin(self.files))?;
        let paths = self.paths()?;
        let wanted = wanted(self.target, self.rules, paths.clone())?;
        let settings = Settings::resolve(&wanted, Rules::OrBuiltIn)?.without_target();
        let options = rewrite::walk_options(self.files, &settings, paths);
        let walk = rewrite::walk(&options, &settings, &wanted, &current)?;
        let mut run = Run::new(&settings, &current, Sink::silent(talk), talk);
        if let Some(judgement) = self.judgement {
            run.judge(judgement);
        }
        let mut files = run.read(walk, self.files.max_file_size);
        files.sort_by(|a, b| a.source.path.cmp(&b.source.path));
        let plan = run.plan(files)?;
        then(&mut run, &plan)
    }

    fn paths(&self) -> Result<Vec<PathBuf>, Error> {
        let mut paths = self.paths.to_vec();
        if let Some(list) = &self.files.files_from {
            paths.extend(rewrite::read_list(list, self.files.null)?);
        } else if paths.is_empty() {
            paths.push(PathBuf::from("."));
        }
        rewrite::all_exist(&paths)?;
        Ok(paths)
    }
}
