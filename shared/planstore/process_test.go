package planstore

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/folder"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/terraform-gitops/gitops/test/kit/seed"
)

// Environment variables of a child process.
const (
	childVariable  = "PLANSTORE_CHILD"  // what to do
	folderVariable = "PLANSTORE_FOLDER" // the store
	argVariable    = "PLANSTORE_ARG"
)

// TestMain lets this test binary also run as another process: several can use one store, and
// one that is killed can't clean up.
func TestMain(m *testing.M) {
	child := os.Getenv(childVariable)
	if child == "" {
		os.Exit(m.Run())
	}
	f, err := folder.Open(os.Getenv(folderVariable))
	if err == nil {
		s := New(f, time.Now)
		switch child {
		case "claim":
			err = childClaims(s)
		case "story":
			err = childTellsStory(f, os.Getenv(argVariable))
		}
	}
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
}

// child is this test binary as another process.
func child(what, path, arg string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+what, folderVariable+"="+path, argVariable+"="+arg)
	return cmd
}

// childClaims tries to claim every record that it reads, one JSON a line, and prints those that
// it got.
func childClaims(s *Store) error {
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r Record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		err := s.Claim(context.Background(), r, runNumber(fmt.Sprint(os.Getpid()), 1), "x", Audit{})
		var refused *NotClaimableError
		switch {
		case err == nil:
			fmt.Println("won", r.ID())
		case !errors.As(err, &refused):
			return err
		}
	}
	return nil
}

func TestOneOfManyProcessesClaimsAPlan(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	b := newFolderBackend(t, path)
	b.Store, b.clock = New(b.Backend, time.Now), storetest.NewClockAt(time.Now())
	var records []string
	for i := range 20 {
		r := b.newRecord(nil)
		r.Component = fmt.Sprint("c", i)
		line, err := json.Marshal(b.put(t, r, "plan"))
		must(t, err)
		records = append(records, string(line))
	}
	var mu sync.Mutex
	wins := map[string]int{}
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for range 4 {
		cmd := child("claim", path, "")
		stdin, err := cmd.StdinPipe()
		must(t, err)
		stdout, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		ready.Add(1)
		done.Go(func() {
			lines := bufio.NewScanner(stdout)
			lines.Scan()
			ready.Done()
			<-start
			_, err := io.WriteString(stdin, strings.Join(records, "\n")+"\n")
			if err := errors.Join(err, stdin.Close()); err != nil {
				t.Error(err)
			}
			for lines.Scan() {
				id, ok := strings.CutPrefix(lines.Text(), "won ")
				if !ok {
					t.Error(lines.Text())
				}
				mu.Lock()
				wins[id]++
				mu.Unlock()
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	total := 0
	for _, n := range wins {
		total += n
	}
	if total != len(records) {
		t.Errorf("%d records were claimed %d times", len(records), total)
	}
}

// steps are the points of the story at which the process can be killed.
var steps = []string{
	"before object", "after object", "before record", "after record", "before claim", "after claim", "before finish", "after finish", "after state",
}

// dying kills this process at one step of the story.
type dying struct {
	storage.Backend
	at string
}

func (d dying) step(name string) {
	if name == d.at {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

// around runs a write with a step before and after it.
func (d dying) around(before, after string, write func() error) error {
	d.step(before)
	err := write()
	d.step(after)
	return err
}

func (d dying) PutObject(ctx context.Context, key string, f *os.File, content storage.Content) (version string, err error) {
	after := "after object"
	if strings.HasPrefix(key, erroredStatePrefix) {
		after = "after state"
	}
	err = d.around("before object", after, func() (err error) {
		version, err = d.Backend.PutObject(ctx, key, f, content)
		return err
	})
	return version, err
}

func (d dying) Put(ctx context.Context, item storage.Item, condition storage.Condition) error {
	return d.around("before record", "after record", func() error { return d.Backend.Put(ctx, item, condition) })
}

func (d dying) Transact(ctx context.Context, token string, writes ...storage.Write) error {
	what := "claim"
	if writes[0].Set != nil {
		what = "finish"
	}
	return d.around("before "+what, "after "+what, func() error { return d.Backend.Transact(ctx, token, writes...) })
}

// childTellsStory plans, claims, applies and rescues a state, again and again. It prints each
// step when it is done. It dies at a step, or when it is killed.
func childTellsStory(backend storage.Backend, step string) error {
	s := New(dying{backend, step}, time.Now)
	ctx := context.Background()
	dir, err := os.MkdirTemp(os.Getenv(folderVariable), "child-*")
	if err != nil {
		return err
	}
	for i := 1; ; i++ {
		contents := strings.Repeat(fmt.Sprintf("planfile %d of %d. ", i, os.Getpid()), 5000)
		planfile := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(planfile, []byte(contents), 0o600); err != nil {
			return err
		}
		r := storyRecord(i)
		if _, err := s.Find(ctx, r.Target, r.Commit); !errors.Is(err, ErrNotFound) {
			continue // told by a process before
		}
		fmt.Println("putting", i)
		if r, err = s.Put(ctx, r, planfile); err != nil {
			return err
		}
		fmt.Println("put", i)
		if err := s.Claim(ctx, r, r.Run, "x", Audit{}); err != nil {
			return err
		}
		fmt.Println("claimed", i)
		if _, err := s.PutErroredState(ctx, r, r.Run, planfile); err != nil {
			return err
		}
		if err := s.Finish(ctx, r, r.Run, Result{Status: StatusApplied}); err != nil {
			return err
		}
		fmt.Println("applied", i)
	}
}

// storyRecord is the record of the story's round i. Each has its own target.
func storyRecord(i int) Record {
	return Record{
		Target: Target{"acme/infra", fmt.Sprint("c", i), "dev"}, Commit: commitA,
		Run: runNumber(fmt.Sprint(100+i), 1), Actor: "x", Kind: KindChange, Outcome: OutcomeChanges,
		ExpiresAt: time.Now().Add(time.Hour),
	}
}

// checkStory checks the store after the child is dead: everything that it said is done must be
// done, and the one thing that it was doing is done or not.
func checkStory(t *testing.T, path string, said []string) {
	t.Helper()
	b := newFolderBackend(t, path)
	b.Store, b.clock = New(b.Backend, time.Now), storetest.NewClockAt(time.Now())
	s := b.Store
	order := map[string]int{"putting": 0, "put": 1, "claimed": 2, "applied": 3}
	reached := map[int]int{}
	for _, line := range said {
		var what string
		var i int
		if _, err := fmt.Sscan(line, &what, &i); err != nil {
			t.Fatalf("the child said %q", line)
		}
		reached[i] = order[what]
	}
	for i, least := range reached {
		found, err := s.Find(t.Context(), storyRecord(i).Target, commitA)
		is := 0
		switch {
		case errors.Is(err, ErrNotFound):
		case err != nil:
			t.Fatalf("round %d: %v", i, err)
		default:
			is = map[Status]int{StatusPlanned: 1, StatusApplying: 2, StatusApplied: 3}[found.Status]
			if _, err := s.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "f")); err != nil {
				t.Errorf("round %d: a record that can be seen has no whole planfile: %v", i, err)
			}
		}
		if is != least && is != least+1 {
			t.Errorf("round %d is at %d, and the child was told that it is at %d", i, is, least)
		}
		if (is == 3) != (found.Last != nil) {
			t.Errorf("round %d: status %s and last apply %v", i, found.Status, found.Last)
		}
		if is >= 2 {
			if err := s.Claim(t.Context(), found.Record, runNumber("9", 1), "x", Audit{}); err == nil {
				t.Errorf("round %d was claimed twice", i)
			}
		}
	}
	// Every file under an object's name is complete.
	root := filepath.Join(path, "objects")
	must(t, filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, content, err := openMeasured(path)
		must(t, err)
		defer f.Close()
		if digest, _, _ := strings.Cut(d.Name(), "."); digest != content.Digest() {
			t.Errorf("%s is not whole", path)
		}
		return nil
	}))
	// And the store still works.
	r := b.newRecord(nil)
	r.ExpiresAt = time.Now().Add(time.Hour)
	r = b.put(t, r, "after the crash")
	b.apply(t, r, r.Run)
}

func TestProcessKilledAtAStepLeavesNothingHalfMade(t *testing.T) {
	t.Parallel()
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			path := t.TempDir()
			out, err := child("story", path, step).Output()
			if !killed(err) {
				t.Fatalf("the child was not killed: %v\n%s", err, out)
			}
			checkStory(t, path, strings.Split(strings.TrimSpace(string(out)), "\n"))
		})
	}
}

func TestProcessKilledAtAnyMomentLeavesNothingHalfMade(t *testing.T) {
	t.Parallel()
	// How long the story takes depends on the disk. So the kills are spread over the time that
	// three rounds take, each some time after a random line.
	began := time.Now()
	enough := tellStory(t, t.TempDir(), func(_ *os.Process, said string) bool { return said == "applied 3" })
	span := time.Since(began) / time.Duration(len(enough))

	random := seed.Random(t)
	reached := 0
	path := ""
	for round := range 25 {
		// Sometimes a new store, so that its creation is hit, too, sometimes one with a past.
		if round%3 == 0 {
			path = filepath.Join(t.TempDir(), fmt.Sprint(round))
		}
		line, delay := random.IntN(len(enough)), time.Duration(random.Int64N(int64(span)))
		lines := 0
		said := tellStory(t, path, func(p *os.Process, _ string) bool { // called first at the start
			if lines == line {
				time.AfterFunc(delay, func() { _ = p.Kill() })
			}
			lines++
			return false
		})
		t.Logf("killed %v after line %d: %q", delay, line, said)
		checkStory(t, path, said)
		if t.Failed() {
			t.Fatalf("round %d, killed %v after line %d: %v", round, delay, line, said)
		}
		reached = max(reached, len(said))
	}
	if len(enough) < 12 {
		t.Errorf("three rounds of the story are told in %q", enough)
	}
	if reached < len(enough)/3 {
		t.Errorf("no round got further than %d lines: the kills come too early to tell anything", reached)
	}
}

// tellStory runs a child that tells the story until it is killed. watch is called at the start
// and with each line; the child is killed if it returns true, or by what watch has set up. It
// returns what the child said.
func tellStory(t *testing.T, path string, watch func(p *os.Process, said string) (kill bool)) (said []string) {
	t.Helper()
	cmd := child("story", path, "")
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	lines := bufio.NewScanner(stdout)
	for line := ""; ; line = lines.Text() {
		if line != "" {
			said = append(said, line)
		}
		if watch(cmd.Process, line) {
			must(t, cmd.Process.Kill())
		}
		if !lines.Scan() {
			break
		}
	}
	if err := cmd.Wait(); !killed(err) {
		t.Fatalf("the child was not killed: %v: %v", err, said)
	}
	return said
}

func killed(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}
