//! Asking AWS, by the `aws` command line: its profiles, single sign-on and roles just work, and nothing but
//! its answer is trusted.
//!
//! Only here, and for `init`, `AWS_*` variables count: a logged-in shell must not redirect a repository.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Resolved, SettingsError};
use crate::process::{self, Cut, Limits, Ran};
use crate::rules::import::{Imported, Text, import};
use crate::rules::{EcrHost, Origin};

/// What a call may take: `aws` retries by itself, and an answer has at most 50 rules.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(60),
    output: 4 << 20,
};
/// The variables that name the region, the first wins (AWS CLI user guide, "Environment variables").
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
/// What `aws` says, and what to do about it.
const ADVICE: &[(&str, &str)] = &[
    (
        "Unable to locate credentials",
        "log in (`aws sso login`, `aws configure`), or give `--profile`",
    ),
    (
        "could not be found",
        "`aws configure list-profiles` lists the profiles",
    ),
    ("ExpiredToken", "log in again (`aws sso login`)"),
    ("Token has expired", "log in again (`aws sso login`)"),
    ("SSO session", "log in again (`aws sso login`)"),
    (
        "AccessDenied",
        "the role needs `ecr:DescribePullThroughCacheRules`; or let somebody who may run `aws ecr describe-pull-through-cache-rules --output json > rules.json`, and give that file with `--rules`",
    ),
    (
        "Could not connect to the endpoint",
        "check the region and the network",
    ),
    ("specify a region", "give `--region`"),
];

/// The `aws` command line, and what it answered.
#[derive(Debug)]
pub struct Aws {
    program: PathBuf,
    profile: Option<String>,
    /// The region of the command line.
    region: Option<String>,
    limits: Limits,
    answers: Mutex<BTreeMap<(Option<String>, String), Answer>>,
}

/// What AWS says of a registry.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The region that was asked.
    pub region: String,
    /// The rules.
    pub imported: Imported,
}

impl Aws {
    /// Looks for `aws` on the PATH. Nothing is run yet.
    pub fn new(profile: Option<&str>, region: Option<&str>) -> Resolved<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = process::find("aws", &path).ok_or_else(|| {
            SettingsError::Message("`--from-aws` runs the `aws` command line, which is not on the PATH; install it, or give what `aws ecr describe-pull-through-cache-rules --output json` prints elsewhere with `--rules FILE`".into())
        })?;
        Self::at(program, profile, region, LIMITS)
    }

    fn at(
        program: PathBuf,
        profile: Option<&str>,
        region: Option<&str>,
        limits: Limits,
    ) -> Resolved<Self> {
        if profile.is_some_and(|name| name.is_empty() || name.contains(char::is_control)) {
            return Err(SettingsError::Message(
                "`--profile` is no name of a profile".into(),
            ));
        }
        if let Some(region) = region {
            check_region("--region", region)?;
        }
        Ok(Self {
            program,
            profile: profile.map(Into::into),
            region: region.map(Into::into),
            limits,
            answers: Mutex::default(),
        })
    }

    /// The region of the command line.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The rules of `target`; without one, of the account and region that the shell is logged in to.
    pub fn ask(&self, target: Option<&EcrHost>) -> Resolved<Answer> {
        let account = target.and_then(EcrHost::account).map(String::from);
        let region = match target.and_then(EcrHost::region) {
            Some(region) => region.to_string(),
            None => self.own_region()?,
        };
        let key = (account, region);
        let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = answers.get(&key) {
            return Ok(known.clone());
        }
        let imported = self.describe(key.0.as_deref(), &key.1)?;
        if !imported.problems.is_empty() {
            return Err(SettingsError::Several(imported.problems));
        }
        let answer = Answer {
            region: key.1.clone(),
            imported,
        };
        answers.insert(key, answer.clone());
        Ok(answer)
    }

    fn describe(&self, account: Option<&str>, region: &str) -> Resolved<Imported> {
        let mut arguments: Vec<OsString> = ["ecr", "describe-pull-through-cache-rules"]
            .map(Into::into)
            .into();
        arguments.push(format!("--region={region}").into());
        arguments.extend(account.map(|account| format!("--registry-id={account}").into()));
        arguments.push("--output=json".into());
        let ran = self.run(arguments)?;
        if !ran.status.success() {
            return Err(refused(&ran));
        }
        let text = String::from_utf8_lossy(&ran.output);
        let registry = match account {
            Some(account) => format!("{account} in {region}"),
            None => format!("the account of the shell in {region}"),
        };
        let name = Path::new("aws ecr describe-pull-through-cache-rules");
        let origin = |_| Origin::Aws(registry.clone());
        let mut imported = if text.trim().is_empty() {
            Imported::default()
        } else {
            let answer = Text {
                name,
                text: &text,
                origin: &origin,
            };
            import(&answer).map_err(|error| SettingsError::Message(error.to_string()))?
        };
        if imported.found.is_empty() && imported.problems.is_empty() {
            imported.warnings = vec![nothing(&registry)];
        }
        Ok(imported)
    }

    /// Why AWS says no target, when it was asked for what the shell is logged in to.
    pub(super) fn without_rules(&self) -> Option<String> {
        let answer = self.ask(None).ok()?;
        answer.imported.warnings.first().cloned()
    }

    /// The region of the command line, the environment or the profile.
    fn own_region(&self) -> Resolved<String> {
        if let Some(region) = &self.region {
            return Ok(region.clone());
        }
        for name in REGION_VARIABLES {
            if let Some(region) = variable(name) {
                check_region(name, &region)?;
                return Ok(region);
            }
        }
        let ran = self.run(["configure", "get", "region"].map(Into::into).into())?;
        let region = String::from_utf8_lossy(&ran.output).trim().to_string();
        if region.is_empty() {
            return Err(SettingsError::Message(
                "no region is known to ask AWS in; give `--region`".into(),
            ));
        }
        check_region("the region of the profile", &region)?;
        Ok(region)
    }

    /// Runs `aws` with fixed words and values that cannot be read as options.
    fn run(&self, mut arguments: Vec<OsString>) -> Resolved<Ran> {
        if let Some(profile) = &self.profile {
            arguments.push(format!("--profile={profile}").into());
        }
        let mut command = Command::new(&self.program);
        command
            .args(&arguments)
            .env("AWS_PAGER", "")
            .env("AWS_CLI_AUTO_PROMPT", "off");
        process::run(command, &self.limits, &|| false).map_err(|cut| {
            SettingsError::Message(match cut {
                Cut::Slow(time) => format!(
                    "`aws` did not answer within {} s and was ended; where it asks for something (a code, a login), run `aws sts get-caller-identity` first",
                    time.as_secs()
                ),
                Cut::Large(size) => format!("`aws` printed more than {size} bytes and was ended"),
                Cut::Stopped => "`aws` was ended".into(),
                Cut::Broken(message) => {
                    format!("`{}` cannot be run: {message}", self.program.display())
                }
            })
        })
    }
}

/// What is said of a registry without rules.
fn nothing(registry: &str) -> String {
    format!(
        "AWS says that there are no pull-through cache rules in {registry}; is it another region or account (`--region`, `--profile`)? `ecr-rewrite rules export --to aws-cli` writes the commands that make rules"
    )
}

/// A variable that is set to something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn check_region(place: &str, region: &str) -> Resolved<()> {
    EcrHost::from_account("000000000000", region)
        .map(drop)
        .map_err(|error| SettingsError::Message(format!("`{place}`: {error}")))
}

fn refused(ran: &Ran) -> SettingsError {
    let said = ran.talk.split_whitespace().collect::<Vec<_>>().join(" ");
    let advice = ADVICE.iter().find(|(sign, _)| said.contains(sign));
    let advice = advice.map_or("run it by hand to see more", |(_, advice)| advice);
    let code = ran
        .status
        .code()
        .map_or(String::new(), |code| format!(" with {code}"));
    SettingsError::Message(format!(
        "`aws ecr describe-pull-through-cache-rules` ended{code}: {said}; {advice}"
    ))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program that stands in for `aws`.
    fn stand_in(script: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("aws");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        (folder, program)
    }

    fn ask(script: &str, profile: Option<&str>, time: Duration) -> Resolved<Answer> {
        let (_folder, program) = stand_in(script);
        let limits = Limits {
            time,
            output: 10_000,
        };
        Aws::at(program, profile, Some("eu-west-1"), limits)?.ask(None)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_goes_wrong_is_said() {
        for (script, time, parts) in [
            (
                "sleep 60",
                Duration::from_millis(50),
                &["did not answer", "get-caller-identity"][..],
            ),
            ("head -c 20000 /dev/zero", LONG, &["more than 10000 bytes"]),
            (
                "echo 'Unable to locate credentials.' >&2; exit 253",
                LONG,
                &["ended with 253", "Unable to locate", "aws sso login"],
            ),
            ("echo odd >&2; exit 1", LONG, &["odd; run it by hand"]),
            ("echo '<html>'", LONG, &["holds no pull-through"]),
        ] {
            let error = ask(script, None, time).unwrap_err().to_string();
            assert!(
                parts.iter().all(|part| error.contains(part)),
                "{script}: {error}"
            );
        }
    }

    #[test]
    fn a_profile_is_never_an_option() {
        let script = r#"for word in "$@"; do case "$word" in --profile=--debug) ok=1;; --debug) exit 9;; esac; done
[ "$ok" = 1 ] && echo '{"pullThroughCacheRules": []}'"#;
        let answer = ask(script, Some("--debug"), LONG).unwrap();
        assert!(answer.imported.found.is_empty());
        assert!(ask(script, Some(""), LONG).is_err());
        assert!(ask(script, Some("a\nb"), LONG).is_err());
    }
}
