package apply_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/terraform-gitops/gitops/shared/apply"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/policy"
	"github.com/terraform-gitops/gitops/shared/policy/evaluator"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/pulls"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// Policies are evaluated by a process of this program.
func TestMain(m *testing.M) {
	if status, served := evaluator.Serve(os.Args); served {
		os.Exit(status)
	}
	os.Exit(m.Run())
}

// ruled is a bench whose target obeys policies or needs approvals. Pull request 1 of author is
// merged, at the commit of the workspace.
type ruled struct {
	*bench
	server *fakegithub.Server
	github *fakegithub.Repository
	number int
}

// given is a resource whose value comes from the job's environment, which no verification compares.
const given = "variable \"given\" {\n  default = 1\n}\nresource \"terraform_data\" \"given\" {\n  input = var.given\n}\n"

func newRuled(t *testing.T, files map[string]string, environ ...string) *ruled {
	t.Helper()
	server := fakegithub.Start(t)
	server.AddTeam("acme", "dba", "dana", "author")
	r := &ruled{bench: openBench(t, files, server.URL(), environ...), server: server, github: server.Repository("acme/infra")}
	r.plan(t, 1)
	r.number = r.github.AddPullRequest(fakegithub.PullRequest{Author: "author", HeadSHA: r.record.Commit})
	r.github.Merge(r.number, fakegithub.MergeCommit, r.record.Commit)
	return r
}

// nextSecond waits until GitHub's next second: it knows no smaller parts.
func nextSecond() {
	now := time.Now()
	time.Sleep(now.Truncate(time.Second).Add(time.Second).Sub(now))
}

// review approves the pull request, in a second in which nothing else happens.
func (r *ruled) review(user, text string) {
	nextSecond()
	r.github.Review(r.number, fakegithub.Review{User: user, Body: text})
	nextSecond()
}

func (r *ruled) options(o *apply.Options) {
	token := r.server.NewToken("ci[bot]", fakegithub.Permissions{"pull_requests": "read", "contents": "read", "members": "read", "actions": "read"})
	client := func() (*github.Client, error) { return github.New(r.server.URL(), token, github.WithPace(0)) }
	o.Pulls = pulls.New(client, "acme/infra").WithTeams(client)
	o.Merge.PullRequest = func(context.Context, planstore.Record, inventory.Target) (int, error) { return r.number, nil }
}

// reviewed is the outcome of the review before the apply.
func (r *ruled) reviewed(t *testing.T, change ...func(*apply.Options)) apply.Outcome {
	t.Helper()
	in := repository.Inputs{}
	o := apply.Options{Repository: r.repository, Inputs: in, Verification: apply.Strict, Runtime: r.runtime, Now: time.Now}
	for _, c := range append([]func(*apply.Options){r.options}, change...) {
		c(&o)
	}
	return apply.Run(t.Context(), network, o, func(ctx context.Context, w *apply.Work) error {
		stored, err := r.store.FindRecord(ctx, r.record.Target, r.record.ID())
		if err != nil {
			return err
		}
		w.Take(r.store, stored)
		return w.Review(ctx)
	})
}

func (r *ruled) run(t *testing.T, change ...func(*apply.Options)) apply.Outcome {
	t.Helper()
	return r.apply(t.Context(), t, &steps{}, append([]func(*apply.Options){r.options}, change...)...)
}

// planfile is a record's planfile.
func (r *ruled) planfile(t *testing.T, of planstore.Record) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "planfile")
	if _, err := r.store.Fetch(t.Context(), of, file); err != nil {
		t.Fatal(err)
	}
	return file
}

// forge stores a record as whoever may plan can, with the planfile of another one, and has it applied.
func (r *ruled) forge(t *testing.T, record planstore.Record, planfile string) {
	t.Helper()
	stored, err := r.store.Put(t.Context(), record, planfile)
	if err != nil {
		t.Fatal(err)
	}
	r.record = stored
}

// refused checks that nothing was applied or claimed.
func (r *ruled) refused(t *testing.T, o apply.Outcome, code problem.Code, says string) {
	t.Helper()
	if o.Decision != apply.Refused || problem.CodeOf(o.Err) != code || !strings.Contains(o.Err.Error(), says) {
		t.Errorf("%s: %v, want %s: %s", o.Decision, o.Err, code, says)
	}
	if stored, err := r.store.FindRecord(t.Context(), r.record.Target, r.record.ID()); err != nil || stored.Status != planstore.StatusPlanned || r.made(t) {
		t.Errorf("the plan is %s, %v, applied %t", stored.Status, err, r.made(t))
	}
}

// audit is what the claim says, of a plan that was applied.
func (r *ruled) audit(t *testing.T, o apply.Outcome) planstore.Audit {
	t.Helper()
	stored, err := r.store.FindRecord(t.Context(), r.record.Target, r.record.ID())
	if err != nil || o.Err != nil || stored.Status != planstore.StatusApplied || !r.made(t) {
		t.Fatalf("the plan is %s, error %v, outcome %v", stored.Status, err, o.Err)
	}
	return stored.Claim.Audit
}

const (
	noOnes = "package main\n\ndeny contains msg if {\n\tsome c in input.resource_changes\n\tc.change.after.input == 1\n\tmsg := \"there is a one\"\n}\n"
	needs  = "approvals: { count: 1, teams: [acme/dba] }\n"
)

func TestAVerdictInTheRecordLetsNothingThrough(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"policies/ones.rego": noOnes})
	for _, stored := range []policy.Result{policy.Passed, policy.Denied, ""} {
		forged := r.record
		forged.PolicyResult, forged.PolicyDigest = string(stored), strings.Repeat("ab", 32)
		forged.CreatedAt = forged.CreatedAt.Add(time.Second)
		r.forge(t, forged, r.planfile(t, r.record))
		o := r.run(t)
		r.refused(t, o, problem.Policy, "there is a one (policies/ones.rego:3)")
		if o.Policy == nil || o.Policy.Result != policy.Denied {
			t.Errorf("the outcome's verdict is %+v", o.Policy)
		}
	}
}

// What the record asks for is forged too, if the record is: the policies are asked again.
func TestTheMergedPoliciesSayWhoHasToApprove(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"policies/dba.rego": "package main\n\nrequire_approval contains {\"team\": \"acme/dba\", \"reason\": \"there is a one\"} if {\n\tsome c in input.resource_changes\n\tc.change.after.input == 1\n}\n"})
	r.refused(t, r.run(t), problem.Approval, "1 of acme/dba (there is a one, policies/dba.rego:3)")
	r.review("author", "")
	r.refused(t, r.run(t), problem.Approval, "author is the author")
	r.review("dana", "")
	o := r.run(t)
	audit := r.audit(t, o)
	if len(audit.Required) != 1 || len(audit.Given) != 1 || audit.Given[0].User != "dana" || audit.Given[0].ReviewID == 0 || audit.PolicyResult != "passed" || audit.PolicyDigest == "" {
		t.Errorf("the claim has %+v", audit)
	}
	if len(o.Given) != 1 || len(o.Missing) != 0 {
		t.Errorf("the outcome has %+v, missing %+v", o.Given, o.Missing)
	}
}

func TestAPlanIsNotOlderThanItsPlanfile(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"gitops.yaml": needs, "component/given.tf": given})
	honest := r.record
	r.review("dana", "")
	// Planned after the review; the record says that it was before.
	later := r.plan(t, 1, "TF_VAR_given=2")
	forged := later
	forged.CreatedAt = honest.CreatedAt.Add(time.Millisecond)
	r.forge(t, forged, r.planfile(t, later))
	r.refused(t, r.run(t), problem.Approval, "and the plan was made at")

	// The honest one is as old as it says.
	r.record = honest
	r.audit(t, r.run(t))
}

// Whoever approved the first attempt of a run was not shown what is applied in the second one. The
// record of that may say that the first attempt planned it.
func TestAnEnvironmentsApprovalIsOfWhatItsAttemptHasShown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attempt     string
		shown, want bool
	}{"the same attempt": {"1", true, true}, "another attempt": {"2", true, false}, "without an expected digest": {"1", false, false}} {
		r := newRuled(t, map[string]string{"gitops.yaml": needs}, "GITHUB_RUN_ATTEMPT="+c.attempt)
		record := r.record
		record.Run.Attempt, record.CreatedAt = 1, record.CreatedAt.Add(time.Millisecond)
		r.server.SetClock(func() time.Time { return record.CreatedAt.Add(-time.Hour) })
		r.github.AddRun(7)
		r.github.AnswerRun(7, fakegithub.RunApproval{User: "dana", Environments: []string{"production"}})
		r.forge(t, record, r.planfile(t, r.record))
		o := r.run(t, func(o *apply.Options) {
			o.Merge.Shown, o.Merge.Environment = c.shown, func(inventory.Name) string { return "production" }
		})
		if t.Log(name); c.want {
			r.audit(t, o)
		} else {
			r.refused(t, o, problem.Approval, "start a new run")
		}
	}
}

// A review of a merged pull request is one of its head, so it never approves a plan of the merged commit.
func TestNobodyIsAskedForAReviewThatCannotCount(t *testing.T) {
	t.Parallel()
	for name, policies := range map[string]map[string]string{
		"approvals": {"gitops.yaml": needs}, "override": {"policies/ones.rego": noOnes, "gitops.yaml": "policy: { override: { teams: [acme/dba] } }\n"},
	} {
		for _, ofMerge := range []bool{false, true} {
			r := newRuled(t, policies)
			if ofMerge {
				r.number = r.github.AddPullRequest(fakegithub.PullRequest{Author: "author"})
				r.github.Merge(r.number, fakegithub.Squash, r.record.Commit)
			}
			var refusal *apply.Refusal
			if o := r.run(t); !errors.As(o.Err, &refusal) || strings.Contains(refusal.Next, "in a review") == ofMerge && name == "approvals" || strings.Contains(refusal.Next, "approving review") == ofMerge && name == "override" {
				t.Errorf("%s, of the merge %t: %v: %+v", name, ofMerge, o.Err, refusal)
			}
		}
	}
}

// A plan that the apply has to make is never the one that was approved: that is said before anybody is asked.
func TestAPlanThatNobodyCanApproveIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"gitops.yaml": needs})
	waits := r.record
	waits.Outcome, waits.Counts, waits.CreatedAt = planstore.OutcomeWaiting, changes.Counts{}, waits.CreatedAt.Add(time.Millisecond)
	waits.Digest, waits.ObjectKey, waits.ObjectVersion, waits.Size = "", "", "", 0
	r.forge(t, waits, "")
	r.review("dana", "")
	o := r.reviewed(t, func(o *apply.Options) {
		o.Verification, o.Merge.Environment = apply.Replan, func(inventory.Name) string { return "production" }
	})
	if o.Decision != apply.Refused || problem.CodeOf(o.Err) != problem.Approval {
		t.Errorf("%s: %v, cautions %q", o.Decision, o.Err, o.Cautions)
	}
}

// A record is shown by other jobs, whose runtime does not know the secrets of this one.
func TestNoSecretOfTheJobIsStored(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{
		"component/given.tf": given,
		"policies/dba.rego":  "package main\n\nrequire_approval contains {\"team\": \"acme/dba\", \"reason\": sprintf(\"it is %s\", [v])} if v := input.variables.given.value\n",
	}, "TF_VAR_given=s3cr3t-value")
	r.runtime.Redact("s3cr3t-value")
	r.plan(t, 1)
	if reason := r.record.Required[0].Reason; reason != "it is ***" {
		t.Errorf("the record has %q", reason)
	}
	r.review("dana", "s3cr3t-value is fine")
	audit := r.audit(t, r.run(t))
	if audit.Required[0].Reason != "it is ***" || audit.Given[0].Text != "*** is fine" {
		t.Errorf("the claim has %+v", audit)
	}
}

func TestAnApprovalIsKeptByAPlanThatSaysTheSame(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"gitops.yaml": needs, "component/given.tf": given})
	first := r.record
	r.review("dana", "")
	second := r.plan(t, 1)
	r.refused(t, r.run(t), problem.Approval, "and the plan was made at") // the record names no equal plan
	again := second
	again.CreatedAt, again.EqualTo = again.CreatedAt.Add(time.Millisecond), []string{second.ID(), first.ID()}
	r.forge(t, again, r.planfile(t, second))
	if audit := r.audit(t, r.run(t)); len(audit.Given) != 1 || audit.Given[0].User != "dana" {
		t.Errorf("the claim has %+v", audit)
	}
}

func TestAPlanThatOnlyClaimsToSayTheSameKeepsNoApproval(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"gitops.yaml": needs, "component/given.tf": given})
	first := r.record
	r.review("dana", "")
	other := r.plan(t, 1, "TF_VAR_given=2")

	// It changes something else.
	forged := other
	forged.CreatedAt, forged.EqualTo, forged.ChangesDigest = forged.CreatedAt.Add(time.Millisecond), []string{first.ID()}, first.ChangesDigest
	r.forge(t, forged, r.planfile(t, other))
	o := r.run(t)
	r.refused(t, o, problem.Approval, "and the plan was made at")
	if !strings.Contains(strings.Join(o.Notes, " "), "another plan was made after it") {
		t.Errorf("notes %q", o.Notes)
	}
	// Also if it names the plan in between, which is compared.
	forged.CreatedAt, forged.EqualTo = forged.CreatedAt.Add(time.Millisecond), []string{r.record.ID(), other.ID(), first.ID()}
	r.forge(t, forged, r.planfile(t, other))
	o = r.run(t)
	r.refused(t, o, problem.Approval, "and the plan was made at")
	if !strings.Contains(strings.Join(o.Notes, " "), "it would change something else") {
		t.Errorf("notes %q", o.Notes)
	}
	// It says the same as an earlier one, and whoever approved the commit was shown another one last.
	same := r.plan(t, 1)
	same.CreatedAt, same.EqualTo = same.CreatedAt.Add(time.Millisecond), []string{first.ID()}
	r.forge(t, same, r.planfile(t, first))
	r.refused(t, r.run(t), problem.Approval, "and the plan was made at")
}

func TestADeniedPlanIsOverriddenByAMemberOnly(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"policies/ones.rego": noOnes, "gitops.yaml": "policy: { override: { teams: [acme/dba] } }\n"})
	r.review("eve", "override")
	r.refused(t, r.run(t), problem.Policy, "eve is not in acme/dba")
	r.review("author", "override")
	r.refused(t, r.run(t), problem.Policy, "author is the author")
	r.review("dana", "fine")
	r.refused(t, r.run(t), problem.Policy, "there is a one")
	r.review("dana", "I override this.")
	audit := r.audit(t, r.run(t))
	if audit.PolicyResult != "denied" || audit.Override == nil || audit.Override.User != "dana" || audit.Override.Text != "I override this." {
		t.Errorf("the claim has %+v", audit)
	}
}

// The policies of the checkout are evaluated, whatever they were when the plan was made.
func TestPoliciesThatChangedSinceThePlanAreThoseOfTheMerge(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"policies/ones.rego": strings.ReplaceAll(noOnes, "== 1", "== 2")})
	if err := os.WriteFile(filepath.Join(r.root, "policies", "ones.rego"), []byte(noOnes), 0o600); err != nil {
		t.Fatal(err)
	}
	r.plan(t, 1) // opens the repository again
	r.refused(t, r.run(t), problem.Policy, "there is a one")
}

// Before Terraform runs, the apply may wait long for another target of the folder.
func TestPoliciesSeeTheTimeAtWhichTheyAreEvaluated(t *testing.T) {
	t.Parallel()
	r := newRuled(t, map[string]string{"policies/hours.rego": "package main\n\ndeny contains \"it is late\" if time.parse_rfc3339_ns(data.gitops.time) > time.parse_rfc3339_ns(\"" +
		time.Now().Add(time.Hour).Format(time.RFC3339) + "\")\n"})
	begun := &steps{}
	r.refused(t, r.apply(t.Context(), t, begun, r.options, func(o *apply.Options) {
		o.Now = func() time.Time {
			if begun.Terraform == nil {
				return time.Now()
			}
			return time.Now().Add(2 * time.Hour)
		}
	}), problem.Policy, "it is late")
}

// A policy that loops for ever, or eats memory, denies its own target. Another one, which is applied by
// the same process at the same time, does not notice.
func TestARunawayPolicyHurtsNoOtherTarget(t *testing.T) {
	t.Parallel()
	says := map[string]string{"time": "3s", "memory": "200 MiB of memory"}
	for name, rule := range map[string]string{
		"time":   "count([x | some a in numbers.range(1, 100000); some b in numbers.range(1, 100000); x := a * b; x < 0]) > 0",
		"memory": "count({s | some a in numbers.range(1, 100000000); s := sprintf(\"%d%d%d\", [a, a, a])}) < 0",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			runaway := newRuled(t, map[string]string{"policies/runaway.rego": strings.Join([]string{
				"package main", "deny contains \"never\" if {",
				"data.gitops.pull_request.author # not known to the plan, which has no such limits", rule, "}",
			}, "\n")})
			other := newRuled(t, map[string]string{
				"policies/ones.rego": strings.ReplaceAll(noOnes, "== 1", "== 2"),
				"component/slow.tf":  "resource \"terraform_data\" \"slow\" {\n  provisioner \"local-exec\" {\n    command = \"sleep 4\"\n  }\n}\n",
			})
			limit := func(o *apply.Options) { o.PolicyTime, o.PolicyMemory = 3*time.Second, 200<<20 }
			if name == "memory" { // which it eats more slowly beside other tests
				limit = func(o *apply.Options) { o.PolicyTime, o.PolicyMemory = time.Minute, 200<<20 }
			}
			applied := make(chan apply.Outcome)
			go func() { applied <- other.run(t) }()
			o := runaway.run(t, limit)
			runaway.refused(t, o, problem.Policy, says[name])
			other.audit(t, <-applied)
		})
	}
}
