package fakerunner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/executable"
	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Scripts are testscript stories about a repository and its pull requests. A
// story starts with `repo`; see commands for its other words.
type Scripts struct {
	Root    string            // of this repository, relative to the test's folder
	Actions map[string]string // path of each action's binary
	Environ []string          // more environment for every story
	AWS     *fakeaws.Server   // for stories with the word `aws`
	Atmos   string            // folder with `atmos`, for stories that begin with `repo atmos`; see [Atmos]
}

// collector has the variables that say how often a Go program collects garbage. Stories take them from
// the environment of `make test`, so that the thousands of short-lived processes use less CPU time.
var collector = []string{"GOGC", "GOMEMLIMIT"}

const (
	repository = "acme/infrastructure"
	mona       = "mona" // who does what no one else is named for
)

// story is the state of one story.
type story struct {
	Scripts
	runner  *Runner
	log     string // file with the log of the action that runs, for the story's own programs as $LOG
	github  *fakegithub.Server
	pulls   map[int]*pull
	env     []string          // of the script, as it began
	logs    bytes.Buffer      // of all steps
	account *account          // nil without the word `aws`
	tokens  map[string]string // by action
	edited  map[int]bool      // issues that a person has written
	given   []string          // variables of the last action's inputs
	sameRun bool              // the next action is a job of the run of the last one

	reviewed int64 // ID of the newest review
	counted  int   // how many requests to GitHub the story has seen

	opened     int // number of the newest pull request
	dispatches int // how many of the events that were sent the story has seen
}

// Params are the parameters for testscript.Run on the stories in dir.
func (s Scripts) Params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			executable.Settle() // the story's files, which may be programs, are written
			server, err := fakegithub.New(func(format string, args ...any) { env.T().Fatal(fmt.Sprintf(format, args...)) })
			if err != nil {
				return err
			}
			env.Defer(server.Close)
			env.Vars = append(env.Vars, s.Environ...)
			logs, err := os.MkdirTemp("", "gitops-logs-") // they name secrets: not where leaks are looked for
			if err != nil {
				return err
			}
			env.Defer(func() { _ = os.RemoveAll(logs) })
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CHECKPOINT_DISABLE", "1")
			for _, name := range collector {
				if value, set := os.LookupEnv(name); set {
					env.Setenv(name, value)
				}
			}
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each action sleeps a second, under the race detector
			env.Setenv("TF_VAR_credential", credential)
			env.Setenv("TF_CLI_CONFIG_FILE", filepath.Join(env.WorkDir, "terraformrc"))
			if err := os.WriteFile(filepath.Join(env.WorkDir, "terraformrc"), nil, 0o644); err != nil {
				return err
			}
			env.Values["story"] = &story{
				env:     env.Vars,
				Scripts: s, log: filepath.Join(logs, "log"), github: server, pulls: map[int]*pull{}, tokens: map[string]string{}, edited: map[int]bool{},
				runner: &Runner{Dir: env.WorkDir, Repository: repository, Actor: mona, APIURL: server.URL(), RunID: 1000},
			}
			return nil
		},
		Cmds: commands,
	}
}

// commands are the words of a story, besides testscript's own:
//
//	repo [atmos [team]]         make the repository from the sample for gitops.yaml, for Atmos, or for a larger
//	                            team with Atmos, and from the story's workspace/ files
//	edit FILE OLD NEW           edit a file of the workspace
//	commit [MESSAGE]            commit the workspace to the branch that is checked out; sets $COMMIT
//	pull-request N BRANCH [INTO]  commit the workspace to a new branch and open a pull request, into main
//	                            or a new branch; sets $HEAD and $BASE
//	push N                      commit the workspace to the pull request's branch
//	update-pull N               merge main into the pull request's branch, as the button does; sets $HEAD and $BASE
//	merge N [merge|squash|rebase]  merge the pull request; sets $MERGED
//	close N                     somebody closes the pull request unmerged
//	reopen N
//	label-pull N LABEL [ACTOR]  somebody labels the pull request
//	unlabel-pull N LABEL [ACTOR]
//	draft-pull N [ready_for_review]  somebody converts the pull request to a draft, or back
//	review N LOGIN [approve|request-changes|comment [TEXT]]  somebody reviews the pull request's head, which may be
//	                            merged, in a later second than what came before; sets $REVIEW
//	dismiss-review N            somebody dismisses the newest review, which is of this pull request
//	edit-review N LOGIN TEXT    somebody changes the text of the newest review
//	team ORG/TEAM [LOGIN ...]   the members of a team, which $TEAMS_TOKEN can list
//	approve-environment LOGIN ENVIRONMENT ...  somebody approves environments of the run that the next action is a job of
//	merge-group N [M ...]       the merge queue makes its commit for pull request N, on top of main and of its
//	                            commits for each M, the first in the queue first, and asks for checks; sets $QUEUED
//	merge-queued N              the queue moves main to that commit, by which N and each M are merged; sets $MERGED.
//	                            Of one that is merged already, only the event
//	event NAME [PATH=JSON ...]  the event of the next steps: pull_request, push, workflow_dispatch, pull_request_target,
//	                            repository_dispatch, schedule, with edits; inputs and client_payload may get new
//	                            fields. It is on main, or on the branch or tag that the edit ref names in full
//	checkout REV                check out a revision, as actions/checkout would; refs/pull/N/merge is GitHub's
//	                            own merge of a pull request into its base as it is by now
//	statuses REV CONTEXT STATE [TEXT]  the commit's newest status of CONTEXT is STATE, or there is none, and
//	                            has TEXT in its description
//	dispatches COUNT [TEXT]     how many workflows actions have started, one of them with TEXT: its file, the
//	                            ref, and the inputs as JSON, with a space between
//	requests FILE               FILE has the requests to GitHub since the last time, one line each
//	dispatched                  the first of those that was not yet is the event of the next steps
//	comment N AUTHOR TEXT       somebody comments on the pull request; \n in TEXT begins a line
//	comments N COUNT TEXT       the pull request or issue has COUNT comments, one of them with TEXT
//	open-issue AUTHOR TITLE BODY [LABEL ...]  somebody opens an issue
//	label N LABEL [ACTOR]       somebody labels issue N, a second after they read it: an issues event, as is
//	                            each of the next
//	unlabel N LABEL [ACTOR]
//	close-issue N [ACTOR]
//	reopen-issue N [ACTOR]
//	issue-event N ACTION [LABEL [ACTOR]]  such an event, with the issue as it is by now: a late or a second one
//	edit-issue N OLD NEW        somebody edits the issue's body; \n begins a line
//	delete-issue N
//	lock-issue N
//	permission LOGIN ROLE       somebody's role in the repository: none, read, triage, write, maintain, admin
//	issue N STATE LABELS [TEXT ...]  issue N is open, closed or closed/REASON, has these labels (sorted, with
//	                            commas between), and each TEXT in its title or body
//	issues OPEN [CLOSED]        how many issues there are
//	permissions ACTION NAME=LEVEL ...  what the token of an action may do from now on, besides what its action.yml
//	                            asks for: none, read or write
//	same-run                    the next action is a job of the workflow run of the last one
//	http-backend                a server for Terraform's http backend, in $TF_HTTP_ADDRESS; while
//	                            there is a file named refuse, or slow, that is how it takes writes
//	git-server                  a Git server with a private repository for each folder modules/OWNER/NAME, at
//	                            https://$HTTPS/OWNER/NAME.git and ssh://git@$SSH/OWNER/NAME.git, and in private
//	                            what the inputs of actions need for it: credentials, key and known_hosts
//	provider                    Terraform finds the providers of test/provider, example.com/test/built and legacy
//	aws [SECONDS]               an AWS account with a plan store in $BUCKET and $TABLE, and ID tokens, with
//	                            the claims in claims.json; STS's credentials last SECONDS. Each call is a line of
//	                            the file trail: SERVICE CALL ROLE KEY, or sts CALL ROLE SESSION KEY
//	aws-error SERVICE[-ROLE] STATUS CODE MESSAGE [HEADER=VALUE ...]  AWS refuses the next calls so, while
//	                            there is the file refusals/SERVICE[-ROLE]
//	[!] action NAME [INPUT=VALUE ...]  run an action as a step of a new workflow run: log in stdout, and while it
//	                            runs in the file $LOG, job summary in summary.md, each output in outputs/NAME. @FILE as a
//	                            VALUE is the content of a file
//	later-second                wait for the next second: Terraform writes the second into a planfile, and the
//	                            same plan in the same one can be the same file
//	output NAME VAR             sets $VAR to an output of the last action
//	at-once K NAME [INPUT=VALUE ...] [-- NAME ...]  run actions at the same time, as jobs of
//	                            different runs: K of them succeed, the others fail; logs has all of them, and
//	                            $LOG.0, $LOG.1 and so on while they run
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"repo":         word(0, 2, repo),
	"edit":         word(3, 3, edit),
	"commit":       word(0, 1, commitAll),
	"checkout":     word(1, 1, checkout),
	"pull-request": word(2, 3, openPullRequest),
	"push":         word(1, 1, push),
	"update-pull":  word(1, 1, updatePull),
	"merge":        word(1, 2, merge),
	"close":        word(1, 1, closePull),
	"reopen":       word(1, 1, reopenPull),
	"label-pull":   word(2, 3, labelPull),
	"unlabel-pull": word(2, 3, unlabelPull),
	"draft-pull":   word(1, 2, draftPull),
	"review":       word(2, 4, review),
	"merge-group":  word(1, -1, queueUp),
	"merge-queued": word(1, 1, mergeQueued),
	"statuses":     word(3, 4, checkStatus),
	"dispatches":   word(1, 2, checkDispatches),
	"dispatched":   word(0, 0, dispatched),
	"event":        word(1, -1, setEvent),
	"comment":      word(3, 3, comment),
	"comments":     word(3, 3, comments),
	"open-issue":   word(3, -1, openIssue),
	"label":        word(2, 3, label),
	"unlabel":      word(2, 3, unlabel),
	"close-issue":  word(1, 2, closeIssue),
	"reopen-issue": word(1, 2, reopenIssue),
	"issue-event":  word(2, 4, issueEvent),
	"edit-issue":   word(3, 3, editIssue),
	"delete-issue": word(1, 1, deleteIssue),
	"lock-issue":   word(1, 1, lockIssue),
	"permission":   word(2, 2, permission),
	"issue":        word(3, -1, checkIssue),
	"issues":       word(1, 2, checkIssues),
	"permissions":  word(2, -1, givePermissions),
	"same-run":     word(0, 0, sameRun),
	"http-backend": word(0, 0, httpBackend),
	"git-server":   word(0, 0, gitServer),
	"provider":     word(0, 0, provider),
	"aws":          word(0, 1, aws),
	"aws-error":    word(4, -1, awsError),
	"action":       action,
	"later-second": word(0, 0, func(_ *testscript.TestScript, s *story, _ []string) { s.think() }),
	"output":       word(2, 2, setOutput),
	"requests":     word(1, 1, requestsTo),
	"team":         word(1, -1, team),

	"dismiss-review":      word(1, 1, dismissReview),
	"edit-review":         word(3, 3, editReview),
	"approve-environment": word(2, -1, approveEnvironment),

	"at-once": word(2, -1, atOnce),
}

// Of is the runner of a story and the GitHub that it belongs to, for words of a test's own.
func Of(ts *testscript.TestScript) (*Runner, *fakegithub.Server) {
	s := ts.Value("story").(*story)
	return s.runner, s.github
}

func word(least, most int, do func(*testscript.TestScript, *story, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least || most >= 0 && len(args) > most {
			ts.Fatalf("wrong use: see the comment of commands")
		}
		do(ts, ts.Value("story").(*story), args)
	}
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}
