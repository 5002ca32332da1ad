package github

import (
	"errors"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/github/githubtest"
)

func TestAnEventIsSentWithItsPayload(t *testing.T) {
	t.Parallel()
	s, r, c := withStatuses(t, "write")
	payload := map[string]any{"pull_request": 7, "head_sha": head}
	if err := c.Dispatch(t.Context(), repo, "terraform-gitops-plan", payload); err != nil {
		t.Fatal(err)
	}
	sent := r.Dispatches()
	want := `{"head_sha":"` + head + `","pull_request":7}`
	if len(sent) != 1 || sent[0].Type != "terraform-gitops-plan" || string(sent[0].Payload) != want || sent[0].Sender != bot {
		t.Errorf("%+v", sent)
	}
	if got := requests(s); got != "POST 204" {
		t.Errorf("requests: %s, want one", got)
	}
}

func TestAnEventThatCannotBeSentSaysWhy(t *testing.T) {
	t.Parallel()
	s, r, writer := withStatuses(t, "write")
	reader := connect(t, s.URL(), s.Token())
	err := reader.Dispatch(t.Context(), repo, "terraform-gitops-plan", struct{}{})
	wantError(t, err, "send event terraform-gitops-plan to the workflows of acme/infra", "`contents: write`")
	if !errors.Is(err, ErrPermission) {
		t.Error("it is not ErrPermission")
	}
	err = writer.Dispatch(t.Context(), repo, "x", map[string]string{"reason": strings.Repeat("a", 64<<10)})
	wantError(t, err, "422", "too large")
	wantError(t, writer.Dispatch(t.Context(), repo, "x", func() {}), "send event x", "unsupported type")
	if len(r.Dispatches()) != 0 {
		t.Errorf("sent: %+v", r.Dispatches())
	}
	s.Fail(githubtest.Fault{Method: "POST", Done: true})
	if err := writer.Dispatch(t.Context(), repo, "x", struct{}{}); !errors.Is(err, ErrUnknownOutcome) || len(r.Dispatches()) != 1 {
		t.Errorf("%v, %+v", err, r.Dispatches())
	}
}
