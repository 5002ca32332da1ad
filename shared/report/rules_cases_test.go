package report

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

func message(name, file string, line int, text, details string) policy.Message {
	m := policy.Message{Rule: policy.Rule{Name: name, File: file, Line: line}, Text: text}
	if details != "" {
		m.Details = json.RawMessage(details)
	}
	return m
}

// rulesCases are reports with what policies say, by the golden file's name.
func rulesCases() map[string]Plan {
	deleted := planOf(resource(changes.Delete, "aws_db_instance.main", attr("id", known("db-1"), null)))
	warned, denied, changed := plan(deleted), plan(deleted), plan(deleted)
	dba := approvals.Requirement{Teams: []string{"acme/dba"}, Reason: "destroys aws_db_instance.main", Source: "policies/stateful.rego:12"}
	two := approvals.Requirement{Users: []string{"alice", "renovate[bot]"}, Count: 2, Source: "gitops.yaml"}
	warned.Rules = Rules{
		Policy: &policy.Verdict{
			Result: policy.Warned, Digest: subject().Digest,
			Warned:   []policy.Message{message("warn_tags", "policies/tags.rego", 9, "aws_db_instance.main has no tag \"owner\"", `{"resource":"aws_db_instance.main"}`)},
			Excepted: []policy.Message{message("deny", "policies/hours.rego", 4, "it is after 17:00", "")}, MoreWarned: 3,
		},
		Required: []approvals.Requirement{dba, two}, Missing: []approvals.Missing{{Requirement: dba, Why: []string{"octocat is the author", "bob approved commit 1a2b3c4, and 4f1c2d9 was planned"}}},
		Given: []approvals.Approval{{User: "alice", At: subject().CreatedAt, Commit: subject().Commit}},
	}
	denied.Rules = Rules{Overriders: []string{"acme/security"}, Policy: &policy.Verdict{
		Result: policy.Denied, Digest: subject().Digest,
		Denied: []policy.Message{
			message("deny", "policies/stateful.rego", 5, "aws_db_instance.main must not be destroyed", ""),
			message("", "policies/broken.rego", 7, "rego_parse_error: unexpected eof token", ""),
			message("", "", 0, "the policies were not evaluated within 1m0s", ""),
		},
	}}
	overridden := plan(deleted)
	overridden.Rules = denied.Rules
	overridden.Rules.Override = &approvals.Approval{User: "sam", At: subject().CreatedAt, Commit: subject().Commit}
	changed.Rules = denied.Rules
	changed.Rules.Policy = &policy.Verdict{Result: policy.Passed, Digest: subject().Digest}
	changed.Rules.Changed = RulesChanged{Policies: []string{"policies/limits.yaml", "policies/stateful.rego"}, Settings: []string{"approvals"}, Base: denied.Rules.Policy}
	return map[string]Plan{"plan-warned": warned, "plan-denied": denied, "plan-overridden": overridden, "plan-rules-changed": changed}
}

// ruledApplies are applies of such plans.
func ruledApplies(ok, refused Apply) map[string]Apply {
	overridden, unapproved := ok, refused
	rules := rulesCases()
	dba := rules["plan-warned"].Rules.Required[0]
	at := subject().CreatedAt.Add(time.Hour)
	review := approvals.Approval{User: "sam", At: at, Commit: subject().Commit, ReviewID: 7, Text: "override"}
	overridden.Rules = rules["plan-denied"].Rules
	overridden.Rules.Override = &review
	overridden.Rules.Required = []approvals.Requirement{dba}
	overridden.Rules.Given = []approvals.Approval{{User: "dana", At: at, Environment: "production"}, review}
	unapproved.Error = "it needs approval by 1 of acme/dba (destroys aws_db_instance.main, policies/stateful.rego:12): bob is not in acme/dba [GITOPS-APPROVAL]"
	unapproved.Differs = nil
	unapproved.NextSteps = []string{"One of them can approve #41 in a review, as GitHub allows after a merge, too, and run this job again."}
	unapproved.Rules = rules["plan-warned"].Rules
	return map[string]Apply{"apply-overridden": overridden, "apply-unapproved": unapproved}
}

// randomRules are any rules, with texts from words.
func randomRules(rng *rand.Rand, words []string) Rules {
	word := func() string { return words[rng.IntN(len(words))] }
	messages := func() (all []policy.Message) {
		for range rng.IntN(80) {
			all = append(all, message(word(), word(), rng.IntN(3), word()+" "+word(), []string{"", `{"a":"` + word() + `"}`}[rng.IntN(2)]))
		}
		return all
	}
	verdict := func() *policy.Verdict {
		if rng.IntN(3) == 0 {
			return nil
		}
		v := &policy.Verdict{Digest: word(), Denied: messages(), Warned: messages(), Excepted: messages(), MoreDenied: rng.IntN(2)}
		v.Settle()
		return v
	}
	r := Rules{Policy: verdict(), Changed: RulesChanged{Base: verdict()}}
	for range rng.IntN(60) {
		needed := approvals.Requirement{Teams: []string{word()}, Users: []string{word()}, Count: rng.IntN(3), Reason: word(), Source: word()}
		r.Required, r.Missing = append(r.Required, needed), append(r.Missing, approvals.Missing{Requirement: needed, Why: []string{word()}})
		r.Given = append(r.Given, approvals.Approval{User: word(), At: time.Unix(1, 0), Environment: word()})
		r.Changed.Policies, r.Changed.Settings = append(r.Changed.Policies, word()), append(r.Changed.Settings, word())
	}
	if rng.IntN(2) == 0 {
		r.Missing = nil
	}
	return r
}
