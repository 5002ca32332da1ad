package ghatest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/shared/github/githubtest"
	"github.com/terraform-gitops/gitops/shared/mototest"
)

// Scripts are testscript stories about a repository and its pull requests. A
// story starts with `repo`; see Commands for its other words.
type Scripts struct {
	Root    string            // of this repository, relative to the test's folder
	Actions map[string]string // path of each action's binary
	Environ []string          // more environment for every story
	AWS     *mototest.Server  // for stories with the word `aws`
}

const repository = "acme/infrastructure"

// story is one script's world.
type story struct {
	Scripts
	runner *Runner
	github *githubtest.Server
	pulls  map[int]*pull
	env    []string // of the script, as it began
}

type pull struct {
	branch, base, head, merged string
}

// Params are the parameters for testscript.Run on the stories in dir.
func (s Scripts) Params(dir string) testscript.Params {
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			server, err := githubtest.New(func(format string, args ...any) { env.T().Fatal(fmt.Sprintf(format, args...)) })
			if err != nil {
				return err
			}
			env.Defer(server.Close)
			env.Vars = append(env.Vars, s.Environ...)
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("CHECKPOINT_DISABLE", "1")
			env.Setenv("TF_CLI_CONFIG_FILE", filepath.Join(env.WorkDir, "terraformrc"))
			if err := os.WriteFile(filepath.Join(env.WorkDir, "terraformrc"), nil, 0o644); err != nil {
				return err
			}
			env.Values["story"] = &story{
				env:     env.Vars,
				Scripts: s, github: server, pulls: map[int]*pull{},
				runner: &Runner{Dir: env.WorkDir, Repository: repository, Actor: "mona", APIURL: server.URL(), RunID: 1000},
			}
			return nil
		},
		Cmds: commands,
	}
}

// commands are the words of a story, besides testscript's own:
//
//	repo                        make the repository from the sample and the story's workspace/ files
//	edit FILE OLD NEW           edit a file of the workspace
//	commit [MESSAGE]            commit the workspace to the branch that is checked out; sets $COMMIT
//	pull-request N BRANCH       commit the workspace to a new branch and open a pull request; sets $HEAD and $BASE
//	push N                      commit the workspace to the pull request's branch
//	merge N [merge|squash|rebase]  merge the pull request; sets $MERGED
//	event NAME [PATH=JSON ...]  the event of the next steps: pull_request, push, workflow_dispatch, pull_request_target, with edits
//	checkout REV                check out a revision, as actions/checkout would
//	comments N COUNT TEXT       the pull request has COUNT comments, one of them with TEXT
//	http-backend                a server for Terraform's http backend, in $TF_HTTP_ADDRESS; while
//	                            there is a file named refuse, or slow, that is how it takes writes
//	aws                         an AWS account with a plan store in $BUCKET and $TABLE, and ID tokens
//	[!] action NAME [INPUT=VALUE ...]  run an action as a step of a new workflow run: log in stdout,
//	                            job summary in summary.md, each output in outputs/NAME
//	at-once K NAME [INPUT=VALUE ...] [-- NAME ...]  run actions at the same time, as jobs of
//	                            different runs: K of them succeed, the others fail
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"repo": word(0, 0, func(ts *testscript.TestScript, s *story, _ []string) {
		copyMissing(ts, filepath.Join(s.Root, "test", "sample"), s.runner.Workspace())
		s.git(ts, "init", "--quiet", "--initial-branch=main")
		s.git(ts, "config", "user.name", "Mona")
		s.git(ts, "config", "user.email", "mona@example.com")
		s.commit(ts, "Describe our infrastructure")
	}),
	"edit": word(3, 3, func(ts *testscript.TestScript, s *story, args []string) {
		path := filepath.Join(s.runner.Workspace(), filepath.FromSlash(args[0]))
		content, err := os.ReadFile(path)
		ts.Check(err)
		if !bytes.Contains(content, []byte(args[1])) {
			ts.Fatalf("%s does not contain %q", args[0], args[1])
		}
		ts.Check(os.WriteFile(path, bytes.ReplaceAll(content, []byte(args[1]), []byte(args[2])), 0o644))
	}),
	"commit": word(0, 1, func(ts *testscript.TestScript, s *story, args []string) {
		s.commit(ts, strings.Join(append(args, "More"), ""))
	}),
	"checkout": word(1, 1, func(ts *testscript.TestScript, s *story, args []string) {
		s.git(ts, "checkout", "--quiet", "--force", "--detach", args[0])
	}),
	"pull-request": word(2, 2, func(ts *testscript.TestScript, s *story, args []string) {
		p := &pull{branch: args[1], base: s.git(ts, "rev-parse", "main")}
		s.pulls[number(ts, args[0])] = p
		s.git(ts, "checkout", "--quiet", "-b", p.branch)
		p.head = s.commit(ts, p.branch)
		// GitHub counts pull requests from 1.
		for n := 1; n < number(ts, args[0]); {
			n = 1 + s.github.Repository(repository).AddPullRequest(githubtest.PullRequest{})
		}
		s.github.Repository(repository).AddPullRequest(githubtest.PullRequest{Head: p.branch, HeadSHA: p.head, BaseSHA: p.base})
		ts.Setenv("HEAD", p.head)
		ts.Setenv("BASE", p.base)
		s.pullRequestEvent(ts, number(ts, args[0]), "opened")
	}),
	"push": word(1, 1, func(ts *testscript.TestScript, s *story, args []string) {
		p := s.pull(ts, args[0])
		s.git(ts, "checkout", "--quiet", p.branch)
		p.head = s.commit(ts, "More")
		s.github.Repository(repository).Push(number(ts, args[0]), p.head)
		ts.Setenv("HEAD", p.head)
		s.pullRequestEvent(ts, number(ts, args[0]), "synchronize")
	}),
	"merge": word(1, 2, func(ts *testscript.TestScript, s *story, args []string) {
		p, how := s.pull(ts, args[0]), "merge"
		if len(args) == 2 {
			how = args[1]
		}
		switch how {
		case "merge":
			s.git(ts, "checkout", "--quiet", "main")
			s.git(ts, "merge", "--quiet", "--no-ff", "--no-edit", p.branch)
		case "squash":
			s.git(ts, "checkout", "--quiet", "main")
			s.git(ts, "merge", "--quiet", "--squash", p.branch)
			s.commit(ts, p.branch)
		case "rebase":
			// GitHub writes every commit anew, even when nothing moved.
			s.git(ts, "checkout", "--quiet", "-b", p.branch+"-rebased", p.branch)
			s.git(ts, "rebase", "--quiet", "--force-rebase", "main")
			s.git(ts, "checkout", "--quiet", "main")
			s.git(ts, "merge", "--quiet", "--ff-only", p.branch+"-rebased")
		default:
			ts.Fatalf("merge: choose merge, squash or rebase")
		}
		p.merged = s.git(ts, "rev-parse", "HEAD")
		ts.Setenv("MERGED", p.merged)
		s.github.Repository(repository).Merge(number(ts, args[0]), githubtest.Method(how), p.merged)
		s.pullRequestEvent(ts, number(ts, args[0]), "closed")
	}),
	"event": word(1, -1, func(ts *testscript.TestScript, s *story, args []string) {
		s.event(ts, args[0])
		edits := map[string]any{}
		for _, edit := range args[1:] {
			path, value, _ := strings.Cut(edit, "=")
			var v any
			ts.Check(json.Unmarshal([]byte(value), &v))
			edits[path] = v
		}
		var err error
		s.runner.Payload, err = Edit(s.runner.Payload, edits)
		ts.Check(err)
	}),
	"comments": word(3, 3, func(ts *testscript.TestScript, s *story, args []string) {
		comments := s.github.Repository(repository).Comments(number(ts, args[0]))
		if len(comments) != number(ts, args[1]) {
			ts.Fatalf("pull request #%s has %d comments", args[0], len(comments))
		}
		for _, c := range comments {
			if strings.Contains(c.Body, args[2]) {
				return
			}
		}
		ts.Fatalf("no comment of pull request #%s contains %q", args[0], args[2])
	}),
	"http-backend": word(0, 0, httpBackend),
	"aws":          word(0, 0, aws),
	"action":       action,
	"at-once":      word(2, -1, atOnce),
}

func word(least, most int, do func(*testscript.TestScript, *story, []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < least || most >= 0 && len(args) > most {
			ts.Fatalf("wrong use: see the comment of commands")
		}
		do(ts, ts.Value("story").(*story), args)
	}
}

func action(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value("story").(*story)
	if len(args) == 0 {
		ts.Fatalf("usage: [!] action NAME [INPUT=VALUE ...]")
	}
	inputs := map[string]string{"token": s.github.Token()}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		inputs[name] = value
	}
	s.runner.RunID++
	step, err := s.runner.Step(inputs)
	ts.Check(err)
	for _, v := range step.Environ {
		name, value, _ := strings.Cut(v, "=")
		ts.Setenv(name, value)
	}
	for name, value := range storySecrets(ts) {
		ts.Setenv(name, value)
	}
	runErr := ts.Exec(s.Actions[args[0]])
	ts.Logf("%s", ts.ReadFile("stdout")+ts.ReadFile("stderr"))
	summary, err := step.Summary()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("summary.md"), []byte(summary), 0o644))
	outputs, err := step.Outputs()
	ts.Check(err)
	ts.Check(os.RemoveAll(ts.MkAbs("outputs")))
	ts.Check(os.MkdirAll(ts.MkAbs("outputs"), 0o755))
	for name, value := range outputs {
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join("outputs", name)), []byte(value+"\n"), 0o644))
	}
	checkLeaks(ts, s)
	if (runErr != nil) != neg {
		ts.Fatalf("action %s: %v\n%s", args[0], runErr, summary)
	}
}

func atOnce(ts *testscript.TestScript, s *story, args []string) {
	var jobs [][]string
	for _, arg := range append([]string{"--"}, args[1:]...) {
		if arg == "--" {
			jobs = append(jobs, nil)
			continue
		}
		jobs[len(jobs)-1] = append(jobs[len(jobs)-1], arg)
	}
	var succeeded atomic.Int64
	var wait sync.WaitGroup
	logs := make([]bytes.Buffer, len(jobs))
	for i, job := range jobs {
		inputs := map[string]string{}
		for _, arg := range job[1:] {
			name, value, _ := strings.Cut(arg, "=")
			inputs[name] = value
		}
		s.runner.RunID++
		step, err := s.runner.Step(inputs)
		ts.Check(err)
		cmd := exec.Command(s.look(ts, s.Actions[job[0]]))
		cmd.Env = append(append([]string{}, s.env...), step.Environ...)
		cmd.Stdout, cmd.Stderr = &logs[i], &logs[i]
		wait.Go(func() {
			if cmd.Run() == nil {
				succeeded.Add(1)
			}
		})
	}
	wait.Wait()
	for i := range logs {
		ts.Logf("%s", logs[i].String())
	}
	if int(succeeded.Load()) != number(ts, args[0]) {
		ts.Fatalf("%d succeeded", succeeded.Load())
	}
}

// look finds an action's binary: a path, or one of the test's own commands, which
// are on the script's PATH.
func (s *story) look(ts *testscript.TestScript, binary string) string {
	if filepath.IsAbs(binary) {
		return binary
	}
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, binary)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	ts.Fatalf("there is no command %s", binary)
	return ""
}

func (s *story) pull(ts *testscript.TestScript, n string) *pull {
	p := s.pulls[number(ts, n)]
	if p == nil {
		ts.Fatalf("there is no pull request %s", n)
	}
	return p
}

func (s *story) pullRequestEvent(ts *testscript.TestScript, n int, action string) {
	p := s.pulls[n]
	s.event(ts, "pull_request")
	s.runner.SHA, s.runner.Ref = p.head, fmt.Sprintf("refs/pull/%d/merge", n)
	if p.merged != "" {
		s.runner.SHA, s.runner.Ref = p.merged, "refs/heads/main"
	}
	var err error
	s.runner.Payload, err = Edit(s.runner.Payload, map[string]any{
		"action": action, "number": n,
		"pull_request.number": n, "pull_request.merged": p.merged != "", "pull_request.merge_commit_sha": p.merged,
		"pull_request.head.sha": p.head, "pull_request.head.ref": p.branch, "pull_request.head.repo.full_name": repository,
		"pull_request.base.sha": p.base, "pull_request.base.ref": "main", "pull_request.base.repo.full_name": repository,
	})
	ts.Check(err)
}

// event takes GitHub's own example payload of an event.
func (s *story) event(ts *testscript.TestScript, name string) {
	payload, err := Payload(s.Root, strings.TrimSuffix(name, "_target"))
	ts.Check(err)
	s.runner.Event, s.runner.Payload = name, payload
	s.runner.SHA, s.runner.Ref = s.git(ts, "rev-parse", "HEAD"), "refs/heads/main"
}

// Payload is the first example of an event in @octokit/webhooks-examples, made
// an event of the stories' repository. root is this repository's folder.
func Payload(root, event string) ([]byte, error) {
	file := filepath.Join(root, "test", "npm", "node_modules", "@octokit", "webhooks-examples", "api.github.com", "index.json")
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read GitHub's example payloads (run `make tools`): %w", err)
	}
	var events []struct {
		Name     string
		Examples []json.RawMessage
	}
	if err := json.Unmarshal(content, &events); err != nil {
		return nil, err
	}
	for _, e := range events {
		if e.Name == event {
			return Edit(e.Examples[0], map[string]any{"repository.full_name": repository, "repository.default_branch": "main"})
		}
	}
	return nil, fmt.Errorf("@octokit/webhooks-examples has no event %q", event)
}

func (s *story) commit(ts *testscript.TestScript, message string) string {
	s.git(ts, "add", "--all")
	s.git(ts, "commit", "--quiet", "--allow-empty", "--message", message)
	commit := s.git(ts, "rev-parse", "HEAD")
	ts.Setenv("COMMIT", commit)
	return commit
}

func (s *story) git(ts *testscript.TestScript, args ...string) string {
	cmd := exec.Command("git", append([]string{"-c", "commit.gpgsign=false"}, args...)...)
	cmd.Dir = s.runner.Workspace()
	out, err := cmd.CombinedOutput()
	if err != nil {
		ts.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func number(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// copyMissing copies the files of from that to does not have.
func copyMissing(ts *testscript.TestScript, from, to string) {
	ts.Check(filepath.WalkDir(from, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		if _, err := os.Stat(target); err == nil {
			return nil
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o644)
	}))
}
