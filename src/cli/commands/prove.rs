//! `prove`: the repository rendered before and after the planned rewrite.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::super::args::{ProofFormat, Prove};
use super::super::progress::Progress;
use super::super::talk::Talk;
use super::super::{Error, Exit};
use super::reporting::{self, Sink};
use super::rewrite::{self, Run, current_folder};
use super::{one_input, wanted};
use crate::prove::{self, Engines, Limits, Notes, Remotes};
use crate::report::Kind;
use crate::report::prove::{json, markdown, text};
use crate::settings::{Rules, Settings};
use crate::walk;

pub(in super::super) fn prove(args: &Prove, talk: Talk) -> Result<Exit, Error> {
    let current = current_folder()?;
    one_input(&args.rules, rewrite::lists_stdin(&args.files))?;
    let paths = paths(args)?;
    let engines = engines(talk)?;
    let wanted = wanted(&args.target, &args.rules, paths.clone())?;
    let settings = Settings::resolve(&wanted, Rules::OrBuiltIn)?;
    let options = rewrite::walk_options(&args.files, &settings, paths);
    let walk = rewrite::walk(&options, &settings, &wanted, &current)?;
    let mut run = Run::new(&settings, &current, Sink::silent(talk), talk);
    run.judge(&args.judgement);
    let mut files = run.read(walk, args.files.max_file_size);
    let report = args.report.output_file.as_deref();
    reporting::refuse_input(report, &files)?;
    files.sort_by(|a, b| a.source.path.cmp(&b.source.path));
    let remotes = Remotes::of(&run.roots);
    let (plan, targets) = run.plan_and(files, |files, links, rules_for| {
        prove::targets(files, links, &remotes, &|path| rules_for(path))
    })?;
    // From here on there are copies to take away.
    let stop = rewrite::stop_on_signals();
    let scan = run.options.scan.clone();
    let roots = run.roots.clone();
    let shown = |path: &Path| walk::shown(path, &current);
    let signal = || stop.load(Ordering::SeqCst);
    let progress = Progress::new(talk);
    let options = prove::Options {
        engines: &engines,
        roots: &roots,
        cache: wanted.helm_cache.as_ref(),
        scan: &scan,
        stop: &|| signal() != 0,
        progress: &|done, all| progress.at(done, all, "rendered"),
        shown: &shown,
    };
    let changes = prove::changes(&plan);
    let proven = prove::prove(&targets, &changes, &Notes::of(&plan), &options);
    progress.end();
    let proof = proven.map_err(|error| {
        Error::Message(format!("the copies to render could not be made: {error}"))
    })?;
    if signal() != 0 {
        talk.error("interrupted; nothing was proven, and nothing was changed");
        return Ok(Exit::Interrupted(u8::try_from(signal()).unwrap_or(0)));
    }
    print(args, &proof, talk)?;
    talk.note(&format!(
        "{} renderings of {} changed files in {:.1} s",
        proof.renders.len(),
        changes.len(),
        run.started.elapsed().as_secs_f32()
    ));
    Ok(match run.exit() {
        Exit::Done if proof.fails() => Exit::Found,
        exit => exit,
    })
}

fn paths(args: &Prove) -> Result<Vec<PathBuf>, Error> {
    let mut paths = args.paths.clone();
    if let Some(list) = &args.files.files_from {
        paths.extend(rewrite::read_list(list, args.files.null)?);
    } else if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    rewrite::all_exist(&paths)?;
    Ok(paths)
}

/// The tools of the PATH; one of them is needed.
fn engines(talk: Talk) -> Result<Engines, Error> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let engines = Engines::find(OsStr::new(&path), Limits::default());
    match (engines.has_helm(), engines.has_kustomize()) {
        (false, false) => {
            return Err(Error::Message(
                "neither `helm` nor `kustomize` is on the PATH; install them to prove a rewrite"
                    .into(),
            ));
        }
        (false, true) => talk.note("`helm` is not on the PATH: no chart is rendered"),
        (true, false) => talk.note("`kustomize` is not on the PATH: no kustomization is built"),
        (true, true) => {}
    }
    Ok(engines)
}

fn print(args: &Prove, proof: &prove::Proof, talk: Talk) -> Result<(), Error> {
    let detail = if talk.is_verbose() {
        text::Detail::All
    } else {
        text::Detail::Screen
    };
    let render = |_, out: &mut dyn Write| match args.report.format {
        ProofFormat::Text => text::render(proof, detail, out),
        ProofFormat::Json => json::render(proof, out),
        ProofFormat::Markdown => markdown::render(proof, out),
    };
    let kind = match args.report.format {
        ProofFormat::Json => Kind::Data,
        ProofFormat::Text | ProofFormat::Markdown => Kind::Text,
    };
    let file = args.report.output_file.as_deref();
    rewrite::unless_closed(reporting::print(file, kind, talk, &render))
}
