package memo_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/memo"
)

type pair struct{ a, b string }

func TestEachKeyIsLookedForOnce(t *testing.T) {
	t.Parallel()
	var m memo.Memo[pair, int]
	var asked atomic.Int64
	var all sync.WaitGroup
	for range 20 {
		for i, key := range []pair{{"a", "b"}, {"a\" b", ""}} {
			all.Go(func() {
				if v, err := m.Get(key, func() (int, error) { asked.Add(1); return i, nil }); v != i || err != nil {
					t.Errorf("%v: %d, %v", key, v, err)
				}
			})
		}
	}
	all.Wait()
	if asked.Load() != 2 {
		t.Errorf("asked %d times", asked.Load())
	}
}

// A slow look-up, such as a network call, must not delay look-ups of other keys.
func TestAnotherKeyDoesNotWait(t *testing.T) {
	t.Parallel()
	var m memo.Memo[string, string]
	slow, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, _ = m.Get("slow", func() (string, error) { <-slow; return "", nil })
	}()
	if v, err := m.Get("quick", func() (string, error) { return "found", nil }); v != "found" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	close(slow)
	<-done
}

func TestAFailureIsNotKept(t *testing.T) {
	t.Parallel()
	var m memo.Memo[string, int]
	failure := errors.New("not now")
	if _, err := m.Get("k", func() (int, error) { return 0, failure }); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
	if v, err := m.Get("k", func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
}

// The first caller may be cancelled: those who wait for it are not.
func TestAnotherCallersErrorIsNotReturned(t *testing.T) {
	t.Parallel()
	var m memo.Memo[string, int]
	asked, cancelled := make(chan struct{}), errors.New("cancelled")
	first := make(chan error)
	go func() {
		_, err := m.Get("k", func() (int, error) {
			close(asked)
			time.Sleep(50 * time.Millisecond) // for the other one to wait here
			return 0, cancelled
		})
		first <- err
	}()
	<-asked
	if v, err := m.Get("k", func() (int, error) { return 7, nil }); v != 7 || err != nil {
		t.Errorf("%d, %v", v, err)
	}
	if err := <-first; !errors.Is(err, cancelled) {
		t.Errorf("the first one: %v", err)
	}
}
