package report

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/policy"
)

// jobSubject is the subject of a job of many targets.
func jobSubject() Subject {
	s := subject()
	return Subject{CreatedAt: s.CreatedAt, Commit: s.Commit, BaseCommit: s.BaseCommit, PullRequest: s.PullRequest, Actor: s.Actor, RunURL: s.RunURL}
}

// manyOf is a summary of entries, each with the report that render makes.
func manyOf(t *testing.T, job Job, entries []Entry, render func(Entry) Report) *Many {
	t.Helper()
	m := NewMany(t.TempDir(), job, jobSubject())
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, e := range entries {
		if err := m.Add(e, render(e)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// written is a report of what a function writes, alone or as a part.
type written func(limit int) string

func (w written) Markdown(limit int) string        { return w(limit) }
func (w written) Part(_ Subject, limit int) string { return w(limit) }

func markdownOf(t *testing.T, m *Many, limit int) string {
	t.Helper()
	md, err := m.Markdown(limit)
	if err != nil {
		t.Fatal(err)
	}
	if len(md) > limit {
		t.Errorf("%d bytes, with a limit of %d", len(md), limit)
	}
	return md
}

// reportOf is a small report of e, such as the actions make.
func reportOf(e Entry) Report {
	s := subject()
	s.Component, s.Stack, s.Digest, s.Unknown = e.Component, e.Stack, e.Digest, e.Unknown
	switch e.Status {
	case Failed:
		return Plan{Subject: s, Error: e.Note}
	case Refused:
		return Apply{Subject: s, Status: Refused, Error: e.Note}
	case Succeeded:
		return Apply{Subject: s, Status: Succeeded, Planned: e.Counts}
	case Planned, NoChanges, Denied:
		var resources []changes.Resource
		for action, n := range map[changes.Action]int{changes.Delete: e.Counts.Delete, changes.Replace: e.Counts.Replace, changes.Create: e.Counts.Create, changes.Update: e.Counts.Update} {
			for i := range n {
				resources = append(resources, resource(action, fmt.Sprintf("terraform_data.%s[%d]", action, i), attr("input", known("x"), known("y"))))
			}
		}
		slices.SortFunc(resources, func(a, b changes.Resource) int { return strings.Compare(a.Address, b.Address) })
		return Plan{Subject: s, Changes: planOf(resources...)}
	}
	return nil
}

// inDev is an entry of the stack acme-ue2-dev.
func inDev(component string, status Status, counts changes.Counts, note string) Entry {
	return Entry{Component: component, Stack: "acme-ue2-dev", Status: status, Counts: counts, Note: note,
		TerraformName: "terraform", TerraformVersion: map[bool]string{true: "1.9.8", false: "1.11.4"}[component == "cache"],
		Digest: strings.Repeat(fmt.Sprintf("%02x", len(component)*17%256), 32)}
}

// manyCases are the summaries of the golden files, by the file's name.
func manyCases(t *testing.T) map[string]*Many {
	planned := []Entry{
		inDev("dns", NoChanges, changes.Counts{}, ""),
		inDev("app", Planned, changes.Counts{Create: 2, Update: 1}, ""),
		inDev("old", Deleted, changes.Counts{}, ""),
		inDev("network", Planned, changes.Counts{Delete: 3}, "Held by #41: this plan cannot be applied."),
		inDev("certificates", NoChanges, changes.Counts{}, "It has no provider lock file."),
		inDev("db", Failed, changes.Counts{}, "terraform plan: exit status 1: Unsupported attribute | main.tf:12"),
		inDev("cache", Planned, changes.Counts{Replace: 1}, ""),
		inDev("lab", Skipped, changes.Counts{}, "settings.github.actions_enabled is false"),
	}
	planned[1].Applies = true
	planned[6].Applies, planned[6].Environment = true, "production"
	applied := []Entry{
		inDev("network", Succeeded, changes.Counts{Create: 2, Delete: 1}, ""),
		inDev("db", Refused, changes.Counts{Update: 1}, "the plan is stale: plan again"),
		inDev("app", Blocked, changes.Counts{Update: 4}, "depends on db in acme-ue2-dev, which was not applied"),
	}
	approval := manyOf(t, WouldApply, planned[1:2], reportOf)
	approval.CombinedDigest = strings.Repeat("ab", 32)
	for _, e := range []Entry{planned[3], planned[6]} {
		if err := approval.Add(e, reportOf(e)); err != nil {
			t.Fatal(err)
		}
	}
	selected := []Entry{
		inDev("network", Selected, changes.Counts{}, "modules/vpc/main.tf changed"),
		inDev("app", Selected, changes.Counts{}, "depends on network in acme-ue2-dev"),
		inDev("old", Deleted, changes.Counts{}, ""),
	}
	judged := []Entry{
		inDev("app", Planned, changes.Counts{Create: 2, Update: 1}, ""),
		inDev("network", Denied, changes.Counts{Delete: 3}, "3 are deleted (policies/few.rego:4)"),
		inDev("cache", Planned, changes.Counts{Replace: 1}, ""),
		inDev("dns", NoChanges, changes.Counts{}, ""),
	}
	judged[0].Policy, judged[1].Policy, judged[2].Policy, judged[3].Policy = policy.Warned, policy.Denied, policy.Passed, policy.Passed
	judged[2].BasePolicy, judged[0].Needs = policy.Denied, "Needs approval by 1 of acme/dba."
	for i := range 3 {
		judged[i].Unknown = []string{"Who has approved this so far is not known: list the members of team acme/dba: 403."}
	}
	judgedMany := manyOf(t, Plans, judged, reportOf)
	judgedMany.RulesChanged(RulesChanged{Policies: []string{"policies/few.rego"}})
	judgedMany.RulesChanged(RulesChanged{Policies: []string{"policies/few.rego", "policies/a.rego"}, Settings: []string{"approvals"}})
	// One policy denies many for the same reason, and one target for another.
	var denied, alike []Entry
	for _, component := range []string{"app", "cache", "db", "dns", "network"} {
		e := inDev(component, Denied, changes.Counts{Create: 1}, "the provider acme/evil is not one that may be used (policies/providers.rego:11)")
		e.Policy, e.Overriders = policy.Denied, []string{"acme/security"}
		e.Needs = "Needs approval by 1 of acme/dba (destroys aws_db_instance.main)."
		denied = append(denied, e)
		alike = append(alike, inDev(component, Refused, changes.Counts{Create: 1}, "the policies deny the plan: it is closed (policies/hours.rego:4)"))
	}
	denied[2].Note, denied[4].Needs = "3 are deleted (policies/few.rego:4)", ""
	return map[string]*Many{
		"many-denied":   manyOf(t, Plans, denied, reportOf),
		"many-refused":  manyOf(t, Applies, alike, reportOf),
		"many-judged":   judgedMany,
		"many-selected": manyOf(t, Plans, selected, reportOf),
		"many-planned":  manyOf(t, Plans, planned, reportOf),
		"many-applied":  manyOf(t, Applies, applied, reportOf),
		"many-approval": approval,
	}
}

// large is 500 targets, most of which have a large plan, in no order.
func large() []Entry {
	var entries []Entry
	for i := range 500 {
		e := Entry{Component: fmt.Sprintf("component-%d", i%50), Stack: fmt.Sprintf("acme-ue2-%d", i/50), Status: Planned,
			Counts: changes.Counts{Create: i % 9, Update: i % 20, Outputs: 1}, Digest: strings.Repeat("0123456789abcdef", 4)}
		switch {
		case i%100 == 17:
			e.Status, e.Counts, e.Note = Failed, changes.Counts{}, "terraform plan: exit status 1"
		case i%50 == 23:
			e.Counts.Delete = 1 + i%7
		case i%5 == 1:
			e.Status, e.Counts = NoChanges, changes.Counts{}
		}
		entries = append(entries, e)
	}
	return entries
}
