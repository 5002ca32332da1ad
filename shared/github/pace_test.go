package github

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestWritesArePacedAndReadsAreNot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options []Option
		want    time.Duration
	}{
		"as told":  {[]Option{WithPace(5 * time.Second)}, 20 * time.Second},
		"not":      {[]Option{WithPace(0)}, 0},
		"not told": {nil, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, _ func(...Option) *Client) {
				client, err := New("http://github.test", s.NewToken(bot, nil), append(c.options, WithMaxWait(0), withBase(s))...)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				done := make(chan error)
				for range 5 { // at once, and still one after another
					go func() {
						_, err := client.CreateIssue(t.Context(), repo, NewIssue{Title: "x"})
						done <- err
					}()
				}
				for range 5 {
					if _, err := client.Issues(t.Context(), repo, IssueQuery{}); err != nil {
						t.Error(err)
					}
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("reads took %s", took)
				}
				for range 5 {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				if took := time.Since(start); took != c.want {
					t.Errorf("5 writes took %s, want %s", took, c.want)
				}
			})
		})
	}
}

func TestACancelEndsThePauseBetweenWrites(t *testing.T) {
	t.Parallel()
	onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
		client := connect(WithPace(time.Hour))
		if _, err := client.CreateIssue(t.Context(), repo, NewIssue{Title: "x"}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		_, err := client.CreateIssue(ctx, repo, NewIssue{Title: "y"})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("error %v after %s", err, time.Since(start))
		}
		if n := len(r.Issues()); n != 1 {
			t.Errorf("%d issues", n)
		}
	})
}
