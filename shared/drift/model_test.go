package drift_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/changes"
	"github.com/terraform-gitops/gitops/shared/drift"
	"github.com/terraform-gitops/gitops/shared/github"
	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
	"github.com/terraform-gitops/gitops/test/kit/seed"
)

const (
	repository = "acme/infrastructure"
	us         = "github-actions[bot]"
	sequences  = 2000
)

// Random sequences of what happens to targets, to issues, and to runs. After each,
// two quiet runs: then there is one open issue for each drifted target, within the
// cap, and none for others, and nothing that people wrote is lost.
func TestModel(t *testing.T) {
	t.Parallel()
	n := sequences
	if s := os.Getenv("DRIFT_SEQUENCES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := seed.Number(t)
	t.Logf("each of %d sequences has the next seed: DRIFT_SEQUENCES=1 plays only the first", n)
	const shards = 4
	for shard := range shards {
		t.Run(strconv.Itoa(shard), func(t *testing.T) {
			t.Parallel()
			gh, err := fakegithub.New(t.Errorf)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(gh.Close)
			for i := shard; i < n && !t.Failed(); i += shards {
				play(t, gh, seed+uint64(i))
			}
		})
	}
}

// world is a repository whose issues are kept, and what has happened to it.
type world struct {
	*rand.Rand
	t      *testing.T
	seed   uint64
	log    []string
	gh     *fakegithub.Server
	repo   *fakegithub.Repository
	name   string
	token  string
	store  *planstore.Store
	now    time.Time
	cap    int
	runs   int
	names  []drift.Name
	state  map[drift.Name]string // "", "A", "B": what differs; "error"
	inGit  map[drift.Name]bool
	notes  map[int]string        // what people wrote into issues, by number
	closed map[drift.Name]string // the changes that an issue showed when people closed it
	theirs []int                 // issues of people
}

func (w *world) say(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("seed %d: %s\n%s", w.seed, fmt.Sprintf(format, args...), strings.Join(w.log, "\n"))
}

func play(t *testing.T, gh *fakegithub.Server, seed uint64) {
	w := newWorld(t, gh, seed)
	for range 4 + w.IntN(8) {
		w.step()
	}
	w.now = w.now.Add(time.Hour) // no run is at it any more
	w.detect(w.everything(), nil)
	w.now = w.now.Add(time.Hour)
	w.detect(w.everything(), nil)
	w.check()
	_, before := w.gh.Counts()
	w.now = w.now.Add(time.Minute)
	w.detect(w.everything(), nil)
	if _, after := w.gh.Counts(); after != before && !t.Failed() {
		w.fail("a run that finds nothing new writes %d times", after-before)
	}
}

func newWorld(t *testing.T, gh *fakegithub.Server, seed uint64) *world {
	w := &world{
		Rand: rand.New(rand.NewPCG(seed, 0)), t: t, seed: seed, gh: gh, name: fmt.Sprintf("acme/infrastructure-%d", seed),
		now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), state: map[drift.Name]string{}, inGit: map[drift.Name]bool{}, notes: map[int]string{}, closed: map[drift.Name]string{},
	}
	w.repo = gh.Repository(w.name)
	w.token = gh.NewToken(us, fakegithub.Permissions{"contents": "read", "issues": "write"})
	w.cap = []int{-1, 1, 2, 10}[w.IntN(4)]
	for _, stack := range []string{"dev", "prod", "<!-- x -->"} {
		name := drift.Name{Component: "network", Stack: stack}
		w.names = append(w.names, name)
		w.inGit[name] = true
	}
	w.newStore()
	w.say("at most %d issues", w.cap)
	return w
}

// memory is a folder that is synced to nothing, where there is one.
func memory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "drift-*") //nolint:usetesting // not on a disk
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// newStore is a store without any items.
func (w *world) newStore() {
	backend, err := folder.Open(memory(w.t))
	if err != nil {
		w.t.Fatal(err)
	}
	w.store = planstore.New(backend, func() time.Time { return w.now })
}

func (w *world) everything() []drift.Name { return w.names }

// step is one thing that happens.
func (w *world) step() {
	w.now = w.now.Add(time.Duration(1+w.IntN(40)) * time.Minute)
	name := w.names[w.IntN(len(w.names))]
	open := w.open()
	var issue fakegithub.Issue
	if len(open) > 0 {
		issue = open[w.IntN(len(open))]
	}
	switch what := w.IntN(22); {
	case what < 6:
		w.state[name] = []string{"", "A", "A", "B", "error"}[w.IntN(5)]
		w.say("%s: %q", name, w.state[name])
	case what == 6:
		w.inGit[name] = !w.inGit[name]
		w.say("%s is in Git: %t", name, w.inGit[name])
	case what == 7:
		w.theirs = append(w.theirs, w.repo.AddIssue(fakegithub.Issue{Title: "mine", Body: drift.Marker("network", "dev") + "\nfake", Author: "mona", Labels: []string{drift.Label}}))
		w.say("mona opens #%d with our label and a forged name", w.theirs[len(w.theirs)-1])
	case what == 8:
		for _, i := range open {
			if !slices.Contains(i.Labels, drift.Label) {
				return // with the label and the link gone, an issue is found by nothing
			}
		}
		w.newStore()
		w.say("all items are lost")
	case what == 9 && issue.Number > 0:
		i := w.repo.AddIssue(fakegithub.Issue{Title: issue.Title, Body: issue.Body, Author: us, Labels: []string{drift.Label}})
		w.say("#%d is a duplicate of #%d", i, issue.Number)
	case what < 17 && issue.Number > 0:
		w.people(issue)
	default:
		w.run()
	}
}

// links are the stored links.
func (w *world) links() map[planstore.Target]drift.Link {
	var targets []planstore.Target
	for _, name := range w.names {
		targets = append(targets, planstore.Target{Repository: w.name, Component: name.Component, Stack: name.Stack})
	}
	links, err := drift.In(w.store).Links(w.t.Context(), targets)
	if err != nil {
		w.t.Fatal(err)
	}
	return links
}

func (w *world) linked(number int) bool {
	for _, link := range w.links() {
		if link.Number == number {
			return true
		}
	}
	return false
}

// open are our open issues.
func (w *world) open() []fakegithub.Issue {
	return slices.DeleteFunc(w.repo.Issues(), func(i fakegithub.Issue) bool { return i.State != "open" || i.Author != us })
}

// people do something to one of our issues.
func (w *world) people(i fakegithub.Issue) {
	switch w.IntN(10) {
	case 0, 8, 9:
		for target, link := range w.links() {
			if name := (drift.Name{Component: target.Component, Stack: target.Stack}); link.Number == i.Number {
				w.closed[name] = link.ChangesDigest
				if w.IntN(2) == 0 {
					w.state[name] = []string{"", "A", "B"}[w.IntN(3)]
				}
			}
		}
		w.repo.CloseIssue(i.Number, "mona")
		w.say("mona closes #%d; now %v", i.Number, w.state)
	case 1:
		note := fmt.Sprintf("note %d", w.Uint32())
		w.notes[i.Number] = note
		w.repo.EditIssue(i.Number, "renamed", i.Body+"\n"+note+"\n")
		w.say("mona renames #%d and adds %q", i.Number, note)
	case 2:
		w.repo.EditIssue(i.Number, i.Title, strings.ReplaceAll(i.Body, "drift", "rift"))
		delete(w.notes, i.Number)
		w.say("mona spoils our section of #%d", i.Number)
	case 3:
		if !w.linked(i.Number) {
			return // as above
		}
		w.repo.Unlabel(i.Number, "mona", drift.Label)
		w.say("mona takes our label from #%d", i.Number)
	case 4:
		w.repo.Label(i.Number, "mona", "todo")
		w.say("mona labels #%d todo", i.Number)
	case 5:
		w.repo.DeleteIssue(i.Number)
		w.say("mona deletes #%d", i.Number)
	case 6:
		w.repo.TransferIssue(i.Number, w.gh.Repository("acme/other"))
		w.say("mona transfers #%d", i.Number)
	case 7:
		w.repo.LockIssue(i.Number)
		w.say("mona locks #%d", i.Number)
	}
}

// run is a detection that all kinds of things happen to.
func (w *world) run() {
	planned := slices.DeleteFunc(slices.Clone(w.names), func(drift.Name) bool { return w.IntN(4) == 0 })
	switch k := w.IntN(7); w.IntN(6) {
	case 0:
		ctx, cancel := context.WithCancel(w.t.Context())
		w.say("the run is killed at request %d", k)
		w.gh.Fail(fakegithub.Fault{Skip: k, Done: w.IntN(2) == 0, Call: cancel})
		w.detect(planned, ctx)
		cancel()
		w.gh.Settle() // the request that was under way has had its effect
	case 1:
		w.say("request %d fails", k)
		w.gh.Fail(fakegithub.Fault{Skip: k, Status: 502, Done: w.IntN(2) == 0, Times: 3})
		w.detect(planned, nil)
	case 2:
		w.say("another run begins and ends at request %d", k)
		before := w.perTarget()
		w.gh.Fail(fakegithub.Fault{Skip: k, Pass: true, Call: func() { w.detect(planned, nil) }})
		w.detect(planned, nil)
		for name, n := range w.perTarget() {
			if n > max(1, before[name]) {
				w.fail("two runs at once opened two issues for %s", name)
			}
		}
	default:
		w.detect(planned, nil)
	}
	w.gh.ClearFaults()
}

func digest(s string) string { return strings.Repeat(fmt.Sprintf("%02x", s[0]), 32) }

// detect plans targets, and reconciles.
func (w *world) detect(planned []drift.Name, ctx context.Context) {
	if ctx == nil {
		ctx = w.t.Context()
	}
	w.runs++
	run := planstore.Run{ID: strconv.Itoa(w.runs), Attempt: 1, URL: "https://github.com/acme/runs/" + strconv.Itoa(w.runs)}
	for i, name := range planned {
		state := w.state[name]
		if !w.inGit[name] {
			continue
		}
		r := drift.Result{
			Target: planstore.Target{Repository: w.name, Component: name.Component, Stack: name.Stack},
			Run:    run, Commit: strings.Repeat("a", 40), At: w.now, Outcome: drift.NotDrifted,
		}
		switch state {
		case "error":
			r.Outcome, r.Error = drift.PlanFailed, "Error: no"
		case "A", "B":
			r.Outcome, r.ChangesDigest, r.BaseDigest = drift.Drifted, digest(state), digest("x")
			r.Counts = changes.Counts{Update: 1 + i}
			r.RecordID = fmt.Sprintf("drift#%s#%s#%s.1#%s", r.Commit, w.now.Format("2006-01-02T15:04:05.000000000Z"), run.ID, digest(state))
			r.PlanDigest, r.ExpiresAt, r.Report = digest("p"), w.now.Add(24*time.Hour), "drift of "+state
		}
		if err := drift.In(w.store).PutResult(w.t.Context(), r); err != nil {
			w.t.Fatal(err)
		}
	}
	client, err := github.New(w.gh.URL(), w.token, github.WithPace(0), github.WithMaxWait(0))
	if err != nil {
		w.t.Fatal(err)
	}
	reconciled, err := drift.Reconciler{
		Repository: w.name, Run: run, GitHub: client, Store: drift.In(w.store), Now: func() time.Time { return w.now },
		Options: drift.Options{MaxOpened: w.cap, CloseFixed: true, DiscardFor: 30 * 24 * time.Hour},
		InGit: func(context.Context) (names []drift.Name, err error) {
			for name, is := range w.inGit {
				if is {
					names = append(names, name)
				}
			}
			return names, nil
		},
	}.Reconcile(ctx)
	done := reconciled.Done
	w.say("run %s: %v", run.ID, err)
	for _, d := range done {
		w.say("  %s: %v", d.Step, d.Err)
	}
}

// perTarget counts our open issues.
func (w *world) perTarget() map[drift.Name]int {
	n := map[drift.Name]int{}
	for _, i := range w.open() {
		if component, stack, ok := drift.Named(i.Body); ok {
			n[drift.Name{Component: component, Stack: stack}]++
		}
	}
	return n
}

// check looks whether all is as it should be.
func (w *world) check() {
	links := w.links()
	of := map[drift.Name]int{}
	for _, i := range w.open() {
		component, stack, ok := drift.Named(i.Body)
		if !ok {
			// Its name is gone, and only its link knows it: of a target that is planned.
			for target, link := range links {
				if name := (drift.Name{Component: target.Component, Stack: target.Stack}); link.Number == i.Number && w.inGit[name] {
					w.fail("#%d of %s names no target", i.Number, name)
				}
			}
			continue
		}
		name := drift.Name{Component: component, Stack: stack}
		labelled := slices.Contains(i.Labels, drift.Label)
		if !labelled && !w.inGit[name] {
			continue // nobody looks for it any more
		}
		of[name]++
		if !labelled && w.state[name] != "" {
			w.fail("#%d is without our label", i.Number)
		}
	}
	total, without := len(w.open()), 0
	for _, number := range w.theirs {
		if i, ok := w.repo.Issue(number); !ok || i.State != "open" || i.Title != "mine" || !strings.HasSuffix(i.Body, "fake") {
			w.fail("mona's #%d was touched: %+v", number, i)
		}
		total++
	}
	for _, name := range w.names {
		state := w.state[name]
		link := links[planstore.Target{Repository: w.name, Component: name.Component, Stack: name.Stack}]
		drifted := w.inGit[name] && state != ""
		quiet := drifted && state != "error" && link.DiscardedDigest == digest(state) && w.closed[name] == digest(state)
		switch {
		case of[name] > 1:
			w.fail("%s has %d issues", name, of[name])
		case of[name] == 1 && !drifted:
			w.fail("%s has an issue, and no drift", name)
		case of[name] == 1 && quiet:
			w.fail("%s has an issue, and these changes were discarded", name)
		case of[name] == 0 && drifted && !quiet:
			without++
		}
	}
	if without > 0 && (w.cap < 0 || total < w.cap) {
		w.fail("%d drifted targets have no issue, and %d of %d are open", without, total, w.cap)
	}
	for number, note := range w.notes {
		if i, ok := w.repo.Issue(number); ok && !strings.Contains(i.Body, note) {
			w.fail("mona's %q in #%d is lost:\n%s", note, number, i.Body)
		}
	}
}
