package gha_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/retry"
)

// tokenEndpoint is GitHub's ID token endpoint as the runner passes it on. It
// gives answers in their order, then tokens.
type tokenEndpoint struct {
	*httptest.Server
	answers []http.HandlerFunc
	asked   []string // for which audience
	waited  []time.Duration
}

func newTokenEndpoint(t *testing.T, answers ...http.HandlerFunc) *tokenEndpoint {
	e := &tokenEndpoint{answers: answers}
	e.Server = httptest.NewServer(e)
	// On a connection that was used before, the client tries again by itself.
	e.Config.SetKeepAlivesEnabled(false)
	t.Cleanup(e.Close)
	return e
}

func (e *tokenEndpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.asked = append(e.asked, r.URL.Query().Get("audience"))
	if r.Header.Get("Authorization") != "Bearer request-token" || r.URL.Query().Get("api-version") != "2.0" {
		http.Error(w, `{"message":"unauthorized"}`, http.StatusUnauthorized)
		return
	}
	if len(e.answers) > 0 {
		answer := e.answers[0]
		e.answers = e.answers[1:]
		answer(w, r)
		return
	}
	fmt.Fprintf(w, `{"count":1234,"value":"token-%d"}`, len(e.asked))
}

// runtime returns a runtime that may have ID tokens.
func (e *tokenEndpoint) runtime(out io.Writer) *gha.Runtime {
	return gha.New([]string{
		"GITHUB_ACTIONS=true",
		"ACTIONS_ID_TOKEN_REQUEST_URL=" + e.URL + "/idtoken?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token",
	}, out).WithWait(func(_ context.Context, d time.Duration) error {
		e.waited = append(e.waited, d)
		return nil
	})
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

func hangUp(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

func TestIDTokenIsFreshAndMasked(t *testing.T) {
	t.Parallel()
	e := newTokenEndpoint(t)
	var out strings.Builder
	r := e.runtime(&out)
	for _, audience := range []string{"sts.amazonaws.com", "a&b=c", ""} {
		token, err := r.IDToken(t.Context(), audience)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("token-%d", len(e.asked)); token != want {
			t.Errorf("got %s, want %s", token, want)
		}
		if got := r.Redacted("a " + token); got != "a ***" {
			t.Errorf("got %q", got)
		}
	}
	if diff := cmp.Diff([]string{"sts.amazonaws.com", "a&b=c", ""}, e.asked); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff("::add-mask::token-1\n::add-mask::token-2\n::add-mask::token-3\n", out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestIDTokenIsAskedForAgainWhereThatMayHelp(t *testing.T) {
	t.Parallel()
	e := newTokenEndpoint(t, answer(503, "busy"), hangUp, answer(429, "slow down"))
	token, err := e.runtime(io.Discard).IDToken(t.Context(), "a")
	if err != nil || token != "token-4" {
		t.Errorf("got %q, error %v", token, err)
	}
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, e.waited); diff != "" {
		t.Error(diff)
	}
}

func TestIDTokenErrors(t *testing.T) {
	t.Parallel()
	redirect := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		want    string
		asked   int
	}{
		"refused":        {[]http.HandlerFunc{answer(403, `{"message":"no request-token"}`)}, `get an ID token: GitHub answered 403 Forbidden: "{\"message\":\"no ***\"}"`, 1},
		"down":           {[]http.HandlerFunc{answer(500, "1"), answer(500, "2"), answer(500, "3"), answer(500, "4")}, `get an ID token: GitHub answered 500 Internal Server Error: "4"`, 4},
		"no JSON":        {[]http.HandlerFunc{answer(200, `"ey-secret`)}, "get an ID token: GitHub's answer has no token in it", 1},
		"no value":       {[]http.HandlerFunc{answer(200, `{"token":"ey-secret"}`)}, "get an ID token: GitHub's answer has no token in it", 1},
		"sent elsewhere": {[]http.HandlerFunc{redirect}, `get an ID token: GitHub answered 302 Found: `, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := newTokenEndpoint(t, test.answers...)
			_, err := e.runtime(io.Discard).IDToken(t.Context(), "a")
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("got error %v, want %s", err, test.want)
			}
			if len(e.asked) != test.asked {
				t.Errorf("asked %d times", len(e.asked))
			}
		})
	}
}

func TestIDTokenIsNotAskedForAfterCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e := newTokenEndpoint(t, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
	_, err := e.runtime(io.Discard).IDToken(ctx, "a")
	if !errors.Is(err, context.Canceled) || len(e.asked) != 1 || len(e.waited) != 0 {
		t.Errorf("asked %d times, waited %d times, error %v", len(e.asked), len(e.waited), err)
	}
}

func TestIDTokenWaitEndsWithCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	e := newTokenEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
	})
	r := e.runtime(io.Discard).WithWait(func(ctx context.Context, d time.Duration) error {
		cancel()
		return retry.Sleep(ctx, d)
	})
	_, err := r.IDToken(ctx, "a")
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "500 Internal Server Error") {
		t.Errorf("got error %v", err)
	}
}

func TestWhyThereIsNoIDToken(t *testing.T) {
	t.Parallel()
	fork := example(t, "pull_request", "opened")
	fork["pull_request"].(map[string]any)["head"].(map[string]any)["repo"] = nil
	for name, test := range map[string]struct {
		event   string
		payload any
		actor   string
		want    string
	}{
		"no permission": {"push", example(t, "push", ""), "octocat",
			"GitHub gives this run no ID token: give the job (or the workflow) `permissions: id-token: write`"},
		"no permission on a pull request": {"pull_request", example(t, "pull_request", "opened"), "octocat",
			"GitHub gives this run no ID token: give the job (or the workflow) `permissions: id-token: write`"},
		"a fork": {"pull_request", fork, "octocat",
			"GitHub gives this run no ID token: runs for pull requests from forks may not have one, since anybody can write their code: push the branch to this repository to have it planned"},
		"Dependabot": {"pull_request", example(t, "pull_request", "opened"), "dependabot[bot]",
			"GitHub gives this run no ID token: runs that Dependabot starts may only read unless told otherwise: give the job (or the workflow) `permissions: id-token: write`"},
		"no payload": {"push", "", "",
			"GitHub gives this run no ID token: give the job (or the workflow) `permissions: id-token: write`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "event.json")
			if err := os.WriteFile(path, []byte(asText(t, test.payload)), 0o600); err != nil {
				t.Fatal(err)
			}
			r := gha.New([]string{"GITHUB_EVENT_NAME=" + test.event, "GITHUB_EVENT_PATH=" + path, "GITHUB_ACTOR=" + test.actor}, io.Discard)
			_, err := r.IDToken(t.Context(), "a")
			if !errors.Is(err, gha.ErrNoIDToken) {
				t.Fatalf("got error %v", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
