package render

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/changes/ignore"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/report"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// evil are texts that try to become something else on GitHub's page. Most contain the word evil_, which
// may never be visible outside of code.
var evil = []string{
	"<script>evil_1()</script>", "<img src=http://localhost:1/evil_1 onerror=evil_1()>", "<svg onload=evil_1()>", "<iframe src=javascript:evil_1()>",
	"</details></details></td></tr></table></code></pre><b>evil_1</b>", "</summary>evil_1<details open ontoggle=evil_1()>", "<plaintext>evil_1", "<textarea>evil_1", "<!-- evil_1",
	"\n</details>\n\n# evil_1\n", "\n```\n\n# evil_1\n", "\n~~~~\n</pre>evil_1", "`evil_1` <b>evil_1</b>", "``evil_1", "````\nevil_1", "\\`evil_1\\`", "evil_1\\",
	"|evil_1|\n|-|\n|evil_1|", "\\|evil_1\\\\|", "\n\n> [!CAUTION]\n> evil_1", "- evil_1\n1. evil_1\n- [x] evil_1", "\t\tevil_1", "evil_1\n===", "---\nevil_1",
	"![evil_1](http://localhost:1/evil_1.png)", "[evil_1](javascript:evil_1())", "[evil_1]: javascript:evil_1()", "[^1]\n\n[^1]: evil_1", "<https://localhost:1/evil_1>",
	"https://localhost:1/evil_1", "www.example.com/evil_1", "evil_1@example.com", "mailto:evil_1@example.com",
	"@evil_1", "@octocat", "&#64;octocat", "\\@octocat", "@acme/everyone", "#12", "GH-12", "acme/infra#12", "fixes #12", "4f1c2d9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5e", "acme/infra@4f1c2d9",
	":tada:", "$evil_1$", "$$\nevil_1\n$$", "\u202eevil_1\u2066", "e\u200bvil_1", "\xffevil_1", "\x1b[31mevil_1", "", " ", "`",
}

const (
	run = "https://github.com/acme/infra/actions/runs/1234567890"
	// noURL begins what no report may link to.
	noURL = "javascript:"
)

func value(s string) changes.Value { return changes.Value{Kind: changes.Known, Text: s, String: true} }

// hostilePlan has the four main actions, with s for every name and value.
func hostilePlan(s string) *changes.Plan {
	var c changes.Plan
	for _, action := range []changes.Action{changes.Delete, changes.Replace, changes.Update, changes.Create} {
		c.Resources = append(c.Resources, changes.Resource{
			Address: `x.y["` + s + `"]`, PreviousAddress: s, ModuleAddress: s, Type: s, Deposed: s, Action: action, Importing: true, ImportID: s, Reason: s, ReplacePaths: []string{s},
			Attributes: []changes.Attribute{
				{Path: s, Old: value(s), New: value(s + s), ForcesReplacement: true},
				{Path: "text", Old: value("a\n" + s + "\nb\n"), New: value("a\nb\n" + s + "\n")},
				{Path: "json", Old: changes.Value{Kind: changes.Known, Text: s}, New: value(s)},
			},
		})
		c.ByType = append(c.ByType, changes.TypeCount{Action: action, Type: s, Count: 1})
	}
	c.Counts = changes.Counts{Create: 1, Update: 1, Delete: 1, Replace: 1, Import: 1, Move: 1, Drift: 1, Deferred: 1, Outputs: 1}
	c.Drift, c.Deferred = c.Resources[2:3], c.Resources[3:]
	c.Outputs = []changes.Output{{Name: s, Action: changes.Update, Old: value(s), New: value(s + "\n" + s)}}
	c.Ignored = changes.Ignored{
		Uses: []ignore.Use{{Rule: s, Differences: 2}, {Rule: s, Presence: ignore.NoResource}}, Resources: c.Resources[2:3], Outputs: c.Outputs,
	}
	c.Checks = []changes.Check{{Address: s, Status: "fail", Messages: []string{s}}, {Address: s, Status: s, Messages: []string{s}}}
	return &c
}

func hostileSubject(s string) report.Subject {
	return report.Subject{
		Component: s, Stack: s, Commit: s, BaseCommit: s, PullRequest: 12, Digest: s, RecordID: s, CreatedAt: time.Unix(1e9, 0), ExpiresAt: time.Unix(2e9, 0),
		Actor: s, RunURL: noURL + s, TerraformName: s, TerraformVersion: s, Notes: []string{s, s}, Settings: []string{s}, Rest: s,
	}
}

// hostileReports returns every kind of report, once for each evil text. The evil text stands for
// everything that comes from outside.
func hostileReports(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	many := report.NewMany(t.TempDir(), report.Plans, report.Subject{RunURL: run})
	approval := report.NewMany(t.TempDir(), report.WouldApply, report.Subject{RunURL: run, Notes: evil})
	var done []drift.Done
	for i, s := range evil {
		subject, planned := hostileSubject(s), hostilePlan(s)
		diagnostics := []terraform.Diagnostic{
			{Severity: "error", Summary: s, Detail: s + "\n\n    " + s, Address: s, File: s, Line: 3, Snippet: s},
			{Severity: "warning", Summary: s, Detail: s},
		}
		plan := report.Plan{Subject: subject, Changes: planned, Diagnostics: diagnostics, DependsOn: []string{s, s}, ApplyHow: s}
		failed := report.Plan{Subject: subject, Diagnostics: diagnostics, Error: s}
		apply := report.Apply{
			Subject: subject, Status: report.Failed, Error: s, Differs: []string{s, s}, NextSteps: []string{s}, Verification: s, Diagnostics: diagnostics,
			Outputs:      []terraform.Output{{Name: s, Value: encoded(t, s)}, {Name: s, Sensitive: true}},
			Resources:    []terraform.ResourceResult{{Address: s, Action: "create", Status: terraform.Applied}, {Address: s, Action: s, Status: terraform.Failed}},
			ErroredState: &report.ErroredState{StoredAt: s, Commands: []string{s, s}},
		}
		refused := report.Apply{Subject: subject, Status: report.Refused, Error: s, Differs: []string{s}, Now: planned, NextSteps: []string{s}}
		drifted := report.Drift{Subject: subject, Drifted: true, Changes: planned, Diagnostics: diagnostics, Next: s}
		for kind, render := range map[string]func(int) string{
			"plan": plan.Markdown, "failed plan": failed.Markdown, "apply": apply.Markdown, "refused apply": refused.Markdown, "drift": drifted.Markdown, "drift section": drifted.Section,
		} {
			// The shortest reports have the fewest words of ours between outside texts.
			all[fmt.Sprintf("%s of evil %d", kind, i)] = render(markdown.SummaryLimit)
			all[fmt.Sprintf("short %s of evil %d", kind, i)] = render(2 << 10)
		}
		for _, m := range []*report.Many{many, approval} {
			for _, status := range []report.Status{report.Planned, report.Failed, report.Blocked, report.Selected, report.Skipped} {
				if err := m.Add(report.Entry{Component: s, Stack: s, Status: status, Note: s, Digest: s, Counts: planned.Counts}, nil); err != nil {
					t.Fatal(err)
				}
			}
		}
		step := drift.Step{Kind: drift.NoRoom, Name: drift.Name{Component: s, Stack: s}, Result: drift.Result{Outcome: drift.Drifted}}
		done = append(done, drift.Done{Step: step, Err: fmt.Errorf("the issue of %s: %w", s, github.ErrLocked)})
		all[fmt.Sprintf("note of evil %d", i)] = "⏭️ " + markdown.Code(s) + " is skipped: " + markdown.Text(s) + ".\n"
	}
	for name, m := range map[string]*report.Many{"many of evil": many, "approval of evil": approval} {
		page, err := m.Markdown(markdown.SummaryLimit)
		if err != nil || m.Close() != nil {
			t.Fatal(err)
		}
		all[name] = page
	}
	var ignored drift.Ignored
	for _, s := range evil {
		ignored.Uses = append(ignored.Uses, ignore.Use{Rule: s, Differences: 2, Presence: ignore.NoResource})
	}
	all["drift issues of evil"] = drift.Summary{Reconciled: drift.Reconciled{Done: done, Ignored: ignored}, MaxOpened: 3}.Markdown()
	return all
}

// encoded returns s as Terraform writes a string output: as JSON without escapes for HTML.
func encoded(t *testing.T, s string) json.RawMessage {
	t.Helper()
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(b.String())
}
