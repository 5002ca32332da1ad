package report

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/report/markdown"
	"github.com/terraform-gitops/gitops/shared/report/markdown/markdowntest"
	"github.com/terraform-gitops/gitops/test/kit/seed"
)

func TestManyLargePlansFitTheSummaryWorstFirst(t *testing.T) {
	t.Parallel()
	plan := plan(planCases()["plan-large"].Changes) // of about 400 KB
	m := manyOf(t, Plans, large(), func(e Entry) Report {
		p := plan
		p.Component, p.Stack = e.Component, e.Stack
		switch e.Status {
		case Failed:
			p.Changes, p.Error = nil, e.Note
		case NoChanges:
			p.Changes = planOf()
		}
		return p
	})
	for limit, leftOut := range map[int]bool{markdown.SummaryLimit: false, markdown.CommentLimit: true} {
		md := markdownOf(t, m, limit)
		page := markdowntest.Check(t, md)
		if len(md) < limit*9/10 {
			t.Errorf("limit %d: %d bytes are not used", limit, limit-len(md))
		}
		for _, want := range []string{
			"## ❌ Plan failed for 5 of 500 targets", "**500 targets: 5 failed, 10 with deletions, 385 with changes, 100 without changes.**",
			"The log of this run",
		} {
			if !strings.Contains(md, want) {
				t.Errorf("limit %d: %q is missing in:\n%s", limit, want, markdown.Clip(md, 2000))
			}
		}
		if got := strings.Contains(md, "Reports left out: "); got != leftOut {
			t.Errorf("limit %d: reports are left out: %v", limit, got)
		}
		seen := strings.Join(append(page.Code, page.Prose...), "\n")
		for i := range 50 {
			if name := fmt.Sprintf("component-%d", i); !strings.Contains(seen, name) {
				t.Errorf("limit %d: %s is not named", limit, name)
			}
		}
		if limit == markdown.CommentLimit {
			continue
		}
		rows := page.Rows[:400]
		for i, row := range rows {
			var want string
			switch {
			case i < 5:
				want = "failed"
			case i < 15:
				want = "-"
			default:
				want = "1 output"
			}
			if !strings.Contains(row[1], want) || i >= 15 && strings.Contains(row[1], "-") {
				t.Errorf("row %d is %q", i, row)
			}
		}
		// The worst reports are the longest.
		failed, destroys, change := strings.Index(md, "## ❌ Plan failed for `component-17`"), strings.Index(md, "## Plan for `component-23`"), strings.LastIndex(md, "## Plan for `component-4`")
		if failed < 0 || destroys < failed || change < destroys {
			t.Errorf("the reports are at %d, %d, %d", failed, destroys, change)
		}
		if n := strings.Count(md[destroys:change], "terraform_data.machine"); n < 1000 {
			t.Errorf("a report of one that destroys something names %d resources", n)
		}
		if end := md[change:]; !strings.Contains(end, "Shortened to fit") {
			t.Errorf("the last reports do not say that they are short: %s", end)
		}
	}
}

func TestEveryLimitOfManyIsKept(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		rng := rand.New(rand.NewPCG(seed, 3))
		word := func() string { return markdowntest.Hostile[rng.IntN(len(markdowntest.Hostile))] }
		var links []string
		m := NewMany(t.TempDir(), Job(seed%3), jobSubject())
		defer m.Close()
		m.Notes, m.CombinedDigest = []string{word()}, word()
		for range 12 {
			e := Entry{Component: word(), Stack: word(), Note: word() + "|" + word() + "\n| x |", Digest: word(),
				Status: []Status{Planned, Succeeded, Failed, Refused, Blocked, Selected, NoChanges, Skipped, Deleted, "odd"}[rng.IntN(10)],
				Counts: changes.Counts{Create: rng.IntN(2), Delete: rng.IntN(2), Replace: rng.IntN(2), Forget: rng.IntN(2), Update: rng.IntN(9000), Drift: rng.IntN(3)}}
			p, a := randomPlan(rng, 4, markdowntest.Hostile), randomApply(rng, 4, markdowntest.Hostile)
			links = append(links, p.RunURL, a.RunURL)
			if err := m.Add(e, []Report{p, a, nil}[rng.IntN(3)]); err != nil {
				t.Fatal(err)
			}
		}
		full := len(markdownOf(t, m, markdown.SummaryLimit))
		for limit := 0; limit <= full+1; limit += 1 + limit/50 {
			checkReport(t, markdownOf(t, m, limit), limit, links...)
			if t.Failed() {
				t.Fatalf("seed %d, limit %d", seed, limit)
			}
		}
	}
}

func TestHostileEntriesStayInTheirCells(t *testing.T) {
	t.Parallel()
	var entries []Entry
	for _, s := range markdowntest.Hostile {
		entries = append(entries, Entry{Component: "c" + s, Stack: "s" + s, Status: Planned, Note: s + " | " + s + "\n\n| a | b | c |\n"})
	}
	md := markdownOf(t, manyOf(t, Plans, entries, func(Entry) Report { return nil }), markdown.SummaryLimit)
	page := markdowntest.Check(t, md)
	if len(page.Rows) != len(entries) {
		t.Errorf("%d rows for %d entries", len(page.Rows), len(entries))
	}
	for _, row := range page.Rows {
		if len(row) != 3 || !strings.HasPrefix(row[0], "c") || row[1] != "no changes" {
			t.Errorf("a row of %d cells: %q", len(row), row)
		}
	}
}

func TestManyIsTheSameInAnyOrder(t *testing.T) {
	t.Parallel()
	entries := large()[:60]
	want := markdownOf(t, manyOf(t, Plans, entries, reportOf), markdown.SummaryLimit)
	m := NewMany(t.TempDir(), Plans, jobSubject())
	defer m.Close()
	var targets sync.WaitGroup
	for _, i := range seed.Random(t).Perm(len(entries)) {
		targets.Go(func() {
			if err := m.Add(entries[i], reportOf(entries[i])); err != nil {
				t.Error(err)
			}
		})
	}
	targets.Wait()
	if diff := cmp.Diff(want, markdownOf(t, m, markdown.SummaryLimit)); diff != "" {
		t.Error(diff)
	}
}

func TestTheDigestsToApproveAreThereInFull(t *testing.T) {
	t.Parallel()
	entries := large()
	for i := range entries {
		entries[i].Digest = fmt.Sprintf("%064x", i+1<<40)
	}
	m := manyOf(t, WouldApply, entries, func(Entry) Report { return nil })
	m.CombinedDigest = strings.Repeat("ab", 32)
	md := markdownOf(t, m, markdown.SummaryLimit)
	page := markdowntest.Check(t, md)
	if strings.Count(md, m.CombinedDigest) != 1 || !strings.Contains(md, "combined SHA-256 `"+m.CombinedDigest[:12]+"`") {
		t.Error("the combined digest is not named")
	}
	for _, row := range page.Rows {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return row[2] == e.Digest[:12] }) {
			t.Errorf("no digest in %q", row)
		}
	}
	for _, e := range entries {
		if !strings.Contains(md, e.Digest+"  "+e.Component+" in "+e.Stack+"\n") {
			t.Errorf("%s is not there in full", e.Digest)
		}
	}
}

//nolint:paralleltest // it measures the memory
func TestManyReportsTakeLittleMemory(t *testing.T) {
	const size = 200 << 10
	heap := func() uint64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return s.HeapAlloc
	}
	dir := t.TempDir()
	m := NewMany(dir, Plans, jobSubject())
	defer m.Close()
	before := heap()
	for i := range 2000 {
		text := fmt.Sprintf("## Plan for `%d`\n\n", i) + strings.Repeat("x", size)
		// The note is a piece of the report: it must not keep the whole.
		err := m.Add(Entry{Component: fmt.Sprint(i), Status: Planned, Note: text[20:60]}, written(func(limit int) string { return text[:min(limit, len(text))] }))
		if err != nil {
			t.Fatal(err)
		}
	}
	if after := heap(); after > before+8<<20 {
		t.Errorf("2,000 reports take %d bytes", after-before)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) > 0 {
		t.Errorf("others can open %v, %v", names, err)
	}
	if md := markdownOf(t, m, markdown.SummaryLimit); !strings.Contains(md, "2,000 targets: 2,000 with changes.") {
		t.Errorf("got %s", markdown.Clip(md, 500))
	}
	runtime.KeepAlive(m)
}

func TestAReportIsMadeOnceForAllLimitsItFits(t *testing.T) {
	t.Parallel()
	m := NewMany(t.TempDir(), Plans, jobSubject())
	defer m.Close()
	if err := m.Add(Entry{Component: "another", Status: Planned}, nil); err != nil {
		t.Fatal(err)
	}
	var asked []int
	err := m.Add(Entry{Component: "network", Status: Planned}, written(func(limit int) string {
		asked = append(asked, limit)
		return strings.Repeat("x", min(limit-1, 20<<10)) + "\n"
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{256 << 10, 4 << 10, 1 << 10}, asked); diff != "" {
		t.Error(diff)
	}
}

// There is nothing to go through for one target: its report is the summary, made for exactly
// the limit that is asked for.
func TestTheSummaryOfOneTargetIsItsReport(t *testing.T) {
	t.Parallel()
	m := NewMany(t.TempDir(), Plans, jobSubject())
	defer m.Close()
	render := written(func(limit int) string { return fmt.Sprintf("report of %d\n", limit) })
	if err := m.Add(Entry{Component: "network", Status: Failed, Told: true}, render); err != nil {
		t.Fatal(err)
	}
	if md := markdownOf(t, m, 5000); md != "report of 5000\n" {
		t.Errorf("got %q", md)
	}
	cautious := NewMany(t.TempDir(), Plans, jobSubject())
	defer cautious.Close()
	report := Plan{Subject: subject(), Changes: planOf(resource(changes.Create, "a.b"))}
	report.Cautions, report.Notes = []string{"The state is empty."}, []string{"A note."}
	if err := cautious.Add(Entry{Component: "network", Status: Planned, Cautions: report.Cautions, Note: "Locked."}, report); err != nil {
		t.Fatal(err)
	}
	if got, want := markdownOf(t, cautious, markdown.CommentLimit), report.Markdown(markdown.CommentLimit); got != want {
		t.Errorf("with cautions and notes: %s", cmp.Diff(want, got))
	}
	if err := m.Add(Entry{Component: "gone", Status: Deleted}, nil); err != nil {
		t.Fatal(err)
	}
	if md := markdownOf(t, m, 5000); !strings.Contains(md, "2 targets") || strings.Contains(md, "report of") {
		t.Errorf("with another one: %q", md)
	}
	skipped := NewMany(t.TempDir(), Plans, jobSubject())
	defer skipped.Close()
	if err := skipped.Add(Entry{Component: "network", Stack: "dev", Status: Skipped, Note: "it is off"}, nil); err != nil {
		t.Fatal(err)
	}
	if md := markdownOf(t, skipped, 5000); md != "⏭️ `network` in `dev` is skipped: it is off.\n\n[This run]("+jobSubject().RunURL+")\n\n" {
		t.Errorf("got %q", md)
	}
}

func TestWithoutAFileTheOverviewIsWhole(t *testing.T) {
	t.Parallel()
	m := NewMany(filepath.Join(t.TempDir(), "missing"), Plans, jobSubject())
	e := inDev("network", Failed, changes.Counts{}, "terraform plan: exit status 1")
	if err := m.Add(Entry{Component: "another", Status: NoChanges}, nil); err != nil {
		t.Fatal(err)
	}
	if err := m.Add(e, reportOf(e)); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "network in acme-ue2-dev") {
		t.Errorf("got %v", err)
	}
	md := markdownOf(t, m, markdown.SummaryLimit)
	markdowntest.Check(t, md)
	if !strings.Contains(md, "**failed** `network` in `acme-ue2-dev`: terraform plan: exit status 1") {
		t.Errorf("got %s", md)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheWorstReportHasRoomAmongTenThousandTargets(t *testing.T) {
	t.Parallel()
	m := NewMany(t.TempDir(), Plans, jobSubject())
	defer m.Close()
	for i := range 10_000 {
		e := Entry{Component: fmt.Sprintf("component-%d", i), Stack: "acme-ue2-dev-with-a-long-name", Status: Planned, Note: strings.Repeat("Held by another one. ", 5)}
		var render Report
		if i == 9876 {
			e.Status = Failed
			render = reportOf(e)
		}
		if err := m.Add(e, render); err != nil {
			t.Fatal(err)
		}
	}
	md := markdownOf(t, m, markdown.SummaryLimit)
	markdowntest.Check(t, md)
	for _, want := range []string{"## ❌ Plan failed for `component-9876`", "entries are listed without details"} {
		if !strings.Contains(md, want) {
			t.Errorf("%q is missing in:\n%s", want, markdown.Clip(md, 2000))
		}
	}
}
