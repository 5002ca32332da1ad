package report

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
	"github.com/terraform-gitops/gitops/shared/report/planned"
	"github.com/terraform-gitops/gitops/shared/terraform"
)

// randomPlan is a plan of n resources or so, with texts from words.
func randomPlan(rng *rand.Rand, n int, words []string) Plan {
	word := func() string { return words[rng.IntN(len(words))] }
	value := func() changes.Value {
		switch rng.IntN(9) {
		case 0:
			return absent
		case 1:
			return null
		case 2:
			return unknown
		case 3:
			return sensitive
		case 4:
			return known(word() + "\n" + word() + "\n" + word() + "\n")
		case 5:
			return known(`{"a":[1,2,{"b":"` + strings.Repeat("x", rng.IntN(40)) + `"}],"c":{}}`)
		case 6:
			return raw(`["` + strings.Repeat("é", rng.IntN(60)) + `","機械"]`)
		case 7:
			return changes.Value{Kind: changes.Known, Text: strings.Repeat(word(), rng.IntN(30)), String: true, Cut: rng.IntN(2) * 1234}
		}
		return known(word())
	}
	actions := []changes.Action{changes.Delete, changes.Replace, changes.Forget, changes.Update, changes.Create, changes.Import, changes.Move, changes.ReadData, "sleep"}
	some := func(n int) (rs []changes.Resource) {
		for range n {
			r := changes.Resource{Address: word() + "." + word(), Type: word(), Action: actions[rng.IntN(len(actions))], CreateFirst: rng.IntN(2) == 0}
			for range rng.IntN(4) {
				r.Attributes = append(r.Attributes, changes.Attribute{Path: word(), Old: value(), New: value(), ForcesReplacement: rng.IntN(3) == 0})
			}
			switch rng.IntN(6) {
			case 0:
				r.Reason = []string{"replace_because_tainted", word()}[rng.IntN(2)]
			case 1:
				r.ReplacePaths = []string{word(), word()}
			case 2:
				r.PreviousAddress, r.Importing, r.ImportID = word(), true, word()
			case 3:
				r.Deposed, r.AttributesOmitted = word(), rng.IntN(5)
			}
			rs = append(rs, r)
		}
		slices.SortStableFunc(rs, func(a, b changes.Resource) int {
			return slices.Index(actions, a.Action) - slices.Index(actions, b.Action)
		})
		return rs
	}
	c := planOf(some(n)...)
	if rng.IntN(2) == 0 {
		c.Drift, c.Deferred = some(rng.IntN(n+1)), some(rng.IntN(3))
		c.Counts.Drift, c.Counts.Deferred, c.Complete = len(c.Drift)+rng.IntN(3), len(c.Deferred), false
	}
	if rng.IntN(3) == 0 {
		c.Omitted = rng.IntN(1000)
		c.ByType = append(c.ByType, changes.TypeCount{Action: changes.Create, Type: word(), Count: c.Omitted})
		c.Counts.Create += c.Omitted
	}
	for range rng.IntN(4) {
		c.Outputs = append(c.Outputs, changes.Output{Name: word(), Old: value(), New: value()})
		c.Checks = append(c.Checks, changes.Check{Address: word(), Status: []string{"fail", "unknown", word()}[rng.IntN(3)], Messages: []string{word()}})
	}
	c.Counts.Outputs = len(c.Outputs)
	p := Plan{Subject: subject(), Changes: c, ApplyHow: word()}
	p.Component, p.Stack, p.Actor, p.Notes, p.DependsOn = word(), word(), word(), []string{word()}, []string{word()}
	p.Reproduce = []string{word(), word() + "\n" + word()}
	p.RunURL, p.Rest = []string{word(), subject().RunURL}[rng.IntN(2)], []string{"", word()}[rng.IntN(2)]
	for range rng.IntN(4) {
		p.Diagnostics = append(p.Diagnostics, terraform.Diagnostic{Severity: []string{"error", "warning"}[rng.IntN(2)], Summary: word(), Detail: word() + "\n\n  " + word(), Address: word(), File: word(), Line: rng.IntN(3), Snippet: word()})
	}
	if rng.IntN(2) == 0 {
		p.Rules = randomRules(rng, words)
	}
	if rng.IntN(8) == 0 {
		p.Changes, p.Error, p.Code = nil, word(), problem.Terraform
	}
	return p
}

// randomApply is an apply of n resources or so, with texts from words.
func randomApply(rng *rand.Rand, n int, words []string) Apply {
	word := func() string { return words[rng.IntN(len(words))] }
	a := Apply{Subject: randomPlan(rng, 1, words).Subject, Status: []Status{Succeeded, Failed, Refused, NoChanges, "odd"}[rng.IntN(5)],
		Error: word(), NextSteps: []string{word()}, Differs: []string{word(), word()}, Verification: word()}
	for range n {
		a.Resources = append(a.Resources, terraform.ResourceResult{Address: word(), Action: []string{"create", "delete", word()}[rng.IntN(3)],
			Status: []terraform.ResourceStatus{terraform.Applied, terraform.Failed, terraform.Unfinished, terraform.NotStarted}[rng.IntN(4)], Elapsed: time.Duration(rng.IntN(500)) * time.Second})
		a.Outputs = append(a.Outputs, terraform.Output{Name: word(), Sensitive: rng.IntN(2) == 0, Value: []byte(fmt.Sprintf("%q", word()))})
	}
	if rng.IntN(2) == 0 {
		a.Now = randomPlan(rng, n, words).Changes
	}
	if rng.IntN(2) == 0 {
		a.ErroredState = &ErroredState{StoredAt: word(), Commands: []string{word(), word()}}
	}
	return a
}

// ours are the headings a report may have, code left out.
var ours = []string{"Plan for", "❌ Plan failed for", "✅ Applied", "✅ Nothing to apply for", "⛔ Not applied:", "❌ Apply failed for", "Error:", "Warnings:",
	"Destroy:", "Replace:", "Forget (left running, no longer managed):", "Change in place:", "Create:", "Import without change:", "Move without change:", "Read during apply:",
	"What it would do now", "To be applied:", "Selected ", "Outputs:", "Changed outside Terraform:", "Deferred to a later plan:", "Not done:", "Done:",
	"Drift in", "✅ No drift in", "No drift in the part of", "❌ Drift plan failed for", "Exists but not in Git:", "Differs; will be replaced:",
	"Exists but no longer managed (left running):", "Differs:", "In Git but missing:", "Exists; will be imported:", "Moved in Git:", "⏳ Nothing to apply yet:", "⛔ Policies deny the plan for"}

// checkReport checks md as check does, and that it has no headings and links but ours.
func checkReport(t *testing.T, md string, limit int, links ...string) {
	t.Helper()
	if len(md) > limit {
		t.Errorf("%d bytes, with a limit of %d", len(md), limit)
	}
	p := markdowntest.Check(t, md)
	for _, h := range p.Headings {
		if !slices.ContainsFunc(ours, func(o string) bool { return strings.HasPrefix(h, o) }) {
			t.Errorf("a heading that is not ours: %q", h)
		}
	}
	for _, l := range p.Links {
		if l != subject().RunURL && !slices.Contains(links, l) && !strings.HasPrefix(l, problem.Code("").URL()) {
			t.Errorf("a link that is not ours: %q", l)
		}
	}
}

func TestEveryLimitIsKept(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 1))
			p, a := randomPlan(rng, 7, markdowntest.Hostile), randomApply(rng, 7, markdowntest.Hostile)
			d, few := driftOf(randomPlan(rng, 7, markdowntest.Hostile), rng), driftOf(randomPlan(rng, 1, markdowntest.Hostile), rng)
			reports := map[string]func(int) string{"plan": p.Markdown, "apply": a.Markdown, "drift": d.Markdown, "drift in an issue": few.Section}
			for name, render := range reports {
				full := len(render(markdown.SummaryLimit))
				for limit := 0; limit <= full+1; limit++ {
					if limit > 5000 && limit < full-500 {
						limit += 6
					}
					md := render(limit)
					if len(md) > limit {
						t.Fatalf("%s: %d bytes, with a limit of %d", name, len(md), limit)
					}
					if limit%67 == 0 || limit >= full-1 { // parsing each would take minutes
						checkReport(t, md, limit, p.RunURL, a.RunURL, d.RunURL, few.RunURL)
					}
					if t.Failed() {
						t.Fatalf("%s, limit %d", name, limit)
					}
				}
			}
		})
	}
}

// exact is a plan whose summary is exactly size bytes long, multi-byte text included.
func exact(t *testing.T, size int) Plan {
	t.Helper()
	var resources []changes.Resource
	add := func(pad int) {
		resources = append(resources, resource(changes.Create, fmt.Sprintf("terraform_data.machine[%d]", len(resources)),
			attr("input", absent, known(strings.Repeat("機é🙂", 20))), attr("pad", absent, known(strings.Repeat("x", pad)))))
	}
	room := func() int { return size - len(plan(planOf(resources...)).Markdown(2*size)) }
	for range planned.FoldAt + 1 {
		add(1000)
	}
	for left := room(); left > 4000; left = room() {
		for range left / 2000 {
			add(1000)
		}
	}
	add(1)
	for range 10 {
		left := room()
		if left == 0 {
			return plan(planOf(resources...))
		}
		if left > 1500 { // a value of more than maxValue would be cut
			add(1)
			continue
		}
		pad := &resources[len(resources)-1].Attributes[1].New
		pad.Text = strings.Repeat("x", max(0, len(pad.Text)+left))
	}
	t.Fatal("no plan of that size found")
	return Plan{}
}

func TestASummaryOfExactlyTheLimitIsWhole(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{markdown.CommentLimit, markdown.SummaryLimit} {
		p := exact(t, limit)
		whole := p.Markdown(2 * limit)
		if got := p.Markdown(limit); got != whole || len(got) != limit {
			t.Errorf("limit %d: %d bytes of %d", limit, len(got), len(whole))
		}
		if limit < markdown.SummaryLimit { // parsing takes seconds
			checkReport(t, whole, limit)
		}
		cut := p.Markdown(limit - 1)
		checkReport(t, cut, limit-1)
		if !strings.Contains(cut, "Shortened to fit") || len(cut) < limit-2000 {
			t.Errorf("limit %d: one byte too much leaves %d bytes", limit, len(cut))
		}
		if units := len(utf16.Encode([]rune(whole))); units > limit {
			t.Errorf("limit %d: %d UTF-16 code units", limit, units)
		}
	}
}

func TestDetailsGoFirstThenNamesThenNumbers(t *testing.T) {
	t.Parallel()
	p := planCases()["plan-large"]
	for _, step := range []struct {
		limit              int
		diffs, names, last bool
	}{{markdown.SummaryLimit, true, true, true}, {200 << 10, true, true, true}, {16 << 10, true, true, false}, {3000, false, false, false}} {
		md := p.Markdown(step.limit)
		checkReport(t, md, step.limit)
		first, last := `machine[0]`, `machine[1999]`
		if !strings.Contains(md, "1,905 to add, 92 to change, 8 to destroy") {
			t.Errorf("limit %d: no numbers", step.limit)
		}
		if got := strings.Contains(md, "```diff"); got != step.diffs {
			t.Errorf("limit %d: has diffs: %v", step.limit, got)
		}
		if got := strings.Contains(md, first); step.names && !got {
			t.Errorf("limit %d: %s is missing", step.limit, first)
		}
		if got := strings.Contains(md, last); got != step.last {
			t.Errorf("limit %d: has %s: %v", step.limit, last, got)
		}
		if got := strings.Contains(md, "Shortened to fit"); got == (step.limit == markdown.SummaryLimit) {
			t.Errorf("limit %d: says that it is shortened: %v", step.limit, got)
		}
	}
}

func TestWhatNobodyKeptIsCounted(t *testing.T) {
	t.Parallel()
	c := planOf(resource(changes.Create, "terraform_data.kept", attr("input", absent, known("x"))))
	c.Counts.Create, c.ByType[0].Count, c.Omitted = 12, 12, 11
	md := plan(c).Markdown(markdown.SummaryLimit)
	checkReport(t, md, markdown.SummaryLimit)
	for _, want := range []string{"12 to add", "### Create: 12", "```diff\n+ input", "And 11 more, not listed here.", "11 entries are only counted", "The log of this run"} {
		if !strings.Contains(md, want) {
			t.Errorf("%q is missing in:\n%s", want, md)
		}
	}
}

func FuzzPlanMarkdown(f *testing.F) {
	for i, s := range markdowntest.Hostile {
		f.Add(s, uint64(i), 1000+i*300)
	}
	f.Fuzz(func(t *testing.T, s string, seed uint64, limit int) {
		limit = min(max(0, limit), markdown.SummaryLimit)
		rng := rand.New(rand.NewPCG(seed, 2))
		words := []string{s, s + s, "x" + s, "plain words", "a\n" + s}
		p, a := randomPlan(rng, 6, words), randomApply(rng, 6, words)
		checkReport(t, p.Markdown(limit), limit, p.RunURL)
		checkReport(t, a.Markdown(limit), limit, a.RunURL)
		d := driftOf(p, rng)
		checkReport(t, d.Markdown(limit), limit, d.RunURL)
		checkReport(t, d.Section(limit), limit, d.RunURL)
	})
}

func BenchmarkPlanMarkdown(b *testing.B) {
	var resources []changes.Resource
	for i := range 10000 {
		resources = append(resources, resource(changes.Update, fmt.Sprintf("terraform_data.machine[%d]", i),
			attr("input", known(script), known(strings.Replace(script, "app", "web", 1))), attr("policy", known(policyOld), known(policyNew)), attr("id", known("x"), unknown)))
	}
	p := plan(planOf(resources...))
	for b.Loop() {
		p.Markdown(markdown.SummaryLimit)
	}
}
