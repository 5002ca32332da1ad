package fakegithub

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStatusesCombineAsGitHubCombinesThem(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	token := s.NewToken("reader", Permissions{"statuses": "read"})
	commit := strings.Repeat("1a", 20)
	var says string
	for _, step := range []struct{ context, state, want string }{
		{"", "", "pending"},
		{"ci", "success", "success"},
		{"plan", "pending", "pending"},
		{"CI", "error", "failure"},
		{"ci", "success", "pending"},
		{"plan", "success", "success"},
	} {
		if step.context != "" {
			r.AddStatus(Status{Commit: commit, Context: step.context, State: step.state})
		}
		r.AddStatus(Status{Commit: strings.Repeat("2b", 20), Context: "ci", State: "failure"})
		_, body := send(t, s, token, "GET", "/repos/acme/infra/commits/"+commit+"/status", "")
		var got struct{ State string }
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		says += step.context + "=" + step.state + " "
		if got.State != step.want {
			t.Errorf("after %s: %s, want %s", says, got.State, step.want)
		}
	}
}

func TestAStatusThatGitHubWouldNotTakeIsRefused(t *testing.T) {
	t.Parallel()
	s := Start(t)
	r := s.Repository("acme/infra")
	token := s.NewToken("writer", Permissions{"statuses": "write"})
	for length, want := range map[int]int{140: 201, 141: 422} {
		body := `{"state":"failure","description":"` + strings.Repeat("é", length) + `"}`
		if resp, _ := send(t, s, token, "POST", "/repos/acme/infra/statuses/"+strings.Repeat("1a", 20), body); resp.StatusCode != want {
			t.Errorf("%d characters: %d, want %d", length, resp.StatusCode, want)
		}
	}
	if n := len(r.Statuses()); n != 1 {
		t.Errorf("%d statuses, want 1", n)
	}
}
