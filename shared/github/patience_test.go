package github

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// onFakeClock runs a test on a clock that jumps over every wait, with a server that is
// reached without a network.
func onFakeClock(t *testing.T, test func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client)) {
	s, r := commented(t)
	token := s.NewToken(bot, fakegithub.Permissions{"issues": "write", "pull_requests": "write"})
	synctest.Test(t, func(t *testing.T) {
		test(t, s, r, func(options ...Option) *Client {
			return connect(t, "http://github.test", token, append(options, withBase(s))...)
		})
	})
}

func TestAReadIsTriedAgainWhenGitHubFails(t *testing.T) {
	t.Parallel()
	header := func(seconds string) http.Header { return http.Header{"Retry-After": {seconds}} }
	for name, c := range map[string]struct {
		fault fakegithub.Fault
		ok    bool
		want  string
		waits time.Duration
	}{
		"three times":               {fakegithub.Fault{Times: 3, Status: 502}, true, "GET 502, GET 502, GET 502, GET 200", 7 * time.Second},
		"and no more":               {fakegithub.Fault{Times: 4, Status: 503, Message: "Unicorn"}, false, "GET 503, GET 503, GET 503, GET 503", 7 * time.Second},
		"connection cut":            {fakegithub.Fault{Times: 2}, true, "GET 0, GET 0, GET 200", 3 * time.Second},
		"as GitHub asks":            {fakegithub.Fault{Status: 503, Header: header("30")}, true, "GET 503, GET 200", 30 * time.Second},
		"not when it is too long":   {fakegithub.Fault{Status: 503, Header: header("600")}, false, "GET 503", 0},
		"a strange time is ignored": {fakegithub.Fault{Status: 503, Header: header("-5 minutes")}, true, "GET 503, GET 200", time.Second},
		"not when it is our fault":  {fakegithub.Fault{Status: 422}, false, "GET 422", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, _ *fakegithub.Repository, connect func(...Option) *Client) {
				s.Fail(c.fault)
				start := time.Now()
				_, err := connect().PullRequest(t.Context(), repo, 1)
				if (err == nil) != c.ok {
					t.Errorf("error %v", err)
				}
				if got := requests(s); got != c.want {
					t.Errorf("requests %s, want %s", got, c.want)
				}
				if got := time.Since(start); got != c.waits {
					t.Errorf("waited %s, want %s", got, c.waits)
				}
			})
		})
	}
}

func TestAWriteIsNeverSentTwiceAfterAFailure(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakegithub.Fault{
		"502":                  {Method: "POST", Path: "/comments", Status: 502},
		"502 but done":         {Method: "POST", Path: "/comments", Status: 502, Done: true},
		"connection cut":       {Method: "POST", Path: "/comments"},
		"connection cut, done": {Method: "POST", Path: "/comments", Done: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
				s.Fail(fault)
				err := connect().StickyComment(t.Context(), repo, 1, "k", "x")
				wantError(t, err, "comment on pull request #1", "it may have been done")
				if !errors.Is(err, ErrUnknownOutcome) {
					t.Errorf("error %v", err)
				}
				if n := len(s.Requests()); n != 2 {
					t.Errorf("%d requests, want a GET and a POST", n)
				}
				if err := connect().StickyComment(t.Context(), repo, 1, "k", "x"); err != nil {
					t.Error(err)
				}
				if n := len(r.Comments(1)); n != 1 {
					t.Errorf("%d comments after the next run", n)
				}
			})
		})
	}
}

func TestAskingWhoWeAreIsARead(t *testing.T) {
	t.Parallel()
	onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
		r.AddComment(1, "github-actions[bot]", "<!-- k -->\nold")
		s.Fail(fakegithub.Fault{Path: "/graphql", Times: 2, Status: 502})
		if err := connect().StickyComment(t.Context(), repo, 1, "k", "new"); err != nil {
			t.Error(err)
		}
	})
}

func TestTheTimeoutOfOneRequestIsRetriedAndNamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := connect(t, "http://github.test", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			<-r.Context().Done()
			return nil, r.Context().Err()
		})))
		start := time.Now()
		_, err := c.PullRequest(t.Context(), repo, 1)
		wantError(t, err, "no complete answer within 30s")
		if took := time.Since(start); asked != 4 || took != 127*time.Second {
			t.Errorf("asked %d times in %s", asked, took)
		}
	})
}

func TestAUsedUpPrimaryLimitIsWaitedForWithinTheBound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		reset time.Duration
		times int
		ok    bool
		waits time.Duration
	}{
		"a minute":                       {time.Minute, 1, true, 61 * time.Second},
		"twice":                          {time.Minute, 2, true, 62 * time.Second}, // the second has the same end
		"an hour":                        {time.Hour, 1, false, 0},
		"already over, as clocks differ": {-time.Minute, 1, true, time.Second},
		"for ever over":                  {-time.Minute, 99, false, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
				var notices []string
				client := connect(WithWaitNotice(func(text string) { notices = append(notices, text) }))
				fault := fakegithub.PrimaryLimit(time.Now().Add(c.reset))
				fault.Method, fault.Times = "POST", c.times
				s.Fail(fault)
				start := time.Now()
				err := client.StickyComment(t.Context(), repo, 1, "k", "the body")
				if got := time.Since(start); got != c.waits {
					t.Errorf("waited %s, want %s", got, c.waits)
				}
				if c.ok {
					if err != nil {
						t.Fatal(err)
					}
					if got := bodies(r); got != "github-actions[bot]: <!-- k -->\nthe body" {
						t.Errorf("comments %q", got)
					}
				} else {
					wantError(t, err, "comment on pull request #1 of acme/infra", "rate limit for this token is used up", "run the job again")
				}
				if (len(notices) > 0) != (c.waits > 0) {
					t.Errorf("notices %q", notices)
				}
				if c.reset == time.Hour {
					wantError(t, err, "until 2000-01-01T01:00:00Z, in 1h0m0s")
				}
			})
		})
	}
}

func TestASecondaryLimitIsWaitedForAndTheBodySentAgain(t *testing.T) {
	t.Parallel()
	onFakeClock(t, func(t *testing.T, s *fakegithub.Server, r *fakegithub.Repository, connect func(...Option) *Client) {
		fault := fakegithub.SecondaryLimit(50 * time.Second)
		fault.Method, fault.Times = "POST", 2
		s.Fail(fault)
		var notices []string
		start := time.Now()
		err := connect(WithWaitNotice(func(text string) { notices = append(notices, text) })).StickyComment(t.Context(), repo, 1, "k", "the body")
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 100*time.Second {
			t.Errorf("waited %s", got)
		}
		if got := bodies(r); got != "github-actions[bot]: <!-- k -->\nthe body" {
			t.Errorf("comments %q", got)
		}
		if len(notices) != 2 || !strings.Contains(notices[0], "waiting 50s") {
			t.Errorf("notices %q", notices)
		}
	})
}

func TestASecondaryLimitThatIsTooLongIsAnErrorThatNamesItsEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wait  time.Duration
		times int
		want  string
		most  time.Duration
	}{
		"too long at once":         {10 * time.Minute, 1, "until 2000-01-01T00:10:00Z, in 10m0s", 0},
		"too long together":        {time.Minute, 99, "in 1m0s: run the job again after that", 3 * time.Minute},
		"seconds, again and again": {time.Second, 99, "gave up after 8 tries", 8 * time.Second},
		"of no length (no header)": {0, 1, "in 1h0m0s", 0}, // the primary limit's reset is what there is
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, _ *fakegithub.Repository, connect func(...Option) *Client) {
				fault := fakegithub.SecondaryLimit(c.wait)
				fault.Times = c.times
				s.Fail(fault)
				start := time.Now()
				_, err := connect().PullRequest(t.Context(), repo, 1)
				wantError(t, err, "read pull request #1", c.want)
				if took := time.Since(start); took > c.most {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// The limiter sends again at once when a limit has ended by the runner's clock.
func TestAClockThatRunsAheadDoesNotHammerGitHub(t *testing.T) {
	t.Parallel()
	onFakeClock(t, func(t *testing.T, s *fakegithub.Server, _ *fakegithub.Repository, connect func(...Option) *Client) {
		fault := fakegithub.SecondaryLimit(0)
		fault.Header.Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(-time.Hour).Unix(), 10))
		fault.Times = 1000
		s.Fail(fault)
		_, err := connect().PullRequest(t.Context(), repo, 1)
		wantError(t, err, "gave up after 8 tries")
		if n := len(s.Requests()); n != 8 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestAllWaitsTogetherStayWithinTheBound(t *testing.T) {
	t.Parallel()
	onFakeClock(t, func(t *testing.T, s *fakegithub.Server, _ *fakegithub.Repository, connect func(...Option) *Client) {
		client := connect(WithMaxWait(100 * time.Second))
		start := time.Now()
		for _, fault := range []fakegithub.Fault{
			fakegithub.SecondaryLimit(40 * time.Second),
			fakegithub.PrimaryLimit(time.Now().Add(80 * time.Second)), // 40 are left of it by then
		} {
			s.Fail(fault)
			if _, err := client.PullRequest(t.Context(), repo, 1); err != nil {
				t.Fatal(err)
			}
		}
		s.Fail(fakegithub.SecondaryLimit(30 * time.Second))
		_, err := client.PullRequest(t.Context(), repo, 1)
		wantError(t, err, "secondary rate limit", "in 30s")
		s.Fail(fakegithub.PrimaryLimit(time.Now().Add(30 * time.Second)))
		_, err = client.PullRequest(t.Context(), repo, 1)
		wantError(t, err, "used up until", "in 30s")
		if took := time.Since(start); took > 100*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestACancelEndsAWait(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fakegithub.Fault{
		"for a primary limit":   fakegithub.PrimaryLimit(time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)),
		"for a secondary limit": fakegithub.SecondaryLimit(time.Minute),
		"between two tries":     {Status: 503, Header: http.Header{"Retry-After": {"60"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onFakeClock(t, func(t *testing.T, s *fakegithub.Server, _ *fakegithub.Repository, connect func(...Option) *Client) {
				s.Fail(fault)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				start := time.Now()
				_, err := connect().PullRequest(ctx, repo, 1)
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
				if took := time.Since(start); took != 5*time.Second {
					t.Errorf("took %s", took)
				}
				if got := len(s.Requests()); got != 1 {
					t.Errorf("%d requests", got)
				}
			})
		})
	}
}

func TestAnAnswerBrokenOffInTheMiddleIsReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		c := connect(t, "http://github.test", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			asked++
			body := io.Reader(strings.NewReader(`{"number":1,`))
			if asked == 1 {
				body = io.MultiReader(body, failing{})
			} else {
				body = io.MultiReader(body, strings.NewReader(`"state":"open"}`))
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(body), Request: r}, nil
		})))
		pr, err := c.PullRequest(t.Context(), repo, 1)
		if err != nil || pr.State != "open" || asked != 2 {
			t.Errorf("%+v, %v, asked %d times", pr, err, asked)
		}
	})
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
