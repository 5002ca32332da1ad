package fakegithub

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "copy examples.json from GitHub's description")

func TestExamplesAreThoseOfGitHubsDescription(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../" + descriptionPath)
	if err != nil {
		t.Fatal(err)
	}
	var described struct {
		Components struct {
			Examples map[string]struct{ Value json.RawMessage }
		}
	}
	if err := json.Unmarshal(data, &described); err != nil {
		t.Fatal(err)
	}
	want := map[string]json.RawMessage{}
	for _, name := range exampleNames {
		value := described.Components.Examples[name].Value
		if len(value) == 0 {
			t.Fatalf("GitHub's description has no example %s", name)
		}
		want[name] = value
	}
	content, err := json.MarshalIndent(want, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("examples.json", append(content, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(bytes.TrimSpace(examplesJSON), content) {
		t.Error("examples.json is not what GitHub's description says: run this test with -update")
	}
}

// The server answers the same, whether or not it holds both sides to the description.
func TestAnswersWithoutTheDescription(t *testing.T) {
	t.Parallel()
	checked, problems := newServer(t)
	unchecked := NewUnchecked(func(format string, args ...any) { t.Errorf(format, args...) })
	t.Cleanup(unchecked.Close)
	tokens := map[*Server]string{}
	for _, s := range []*Server{checked, unchecked} {
		s.Repository("acme/infra").AddIssue(Issue{Title: "drift"})
		tokens[s] = s.NewToken("github-actions[bot]", Permissions{"issues": "write"})
	}
	const issues, undescribed = "/repos/acme/infra/issues", `{"title":"drift","colour":"red"}`
	if resp, body := send(t, unchecked, tokens[unchecked], "POST", issues, undescribed); resp.StatusCode != 201 {
		t.Errorf("unchecked, %s answers %s: %s", undescribed, resp.Status, body)
	}
	if resp, _ := send(t, checked, tokens[checked], "POST", issues, undescribed); resp.StatusCode != 400 || len(problems.lines) != 1 {
		t.Errorf("checked, %s answers %s, and %q is reported", undescribed, resp.Status, problems.lines)
	}
	if resp, _ := send(t, unchecked, tokens[unchecked], "GET", "/repos/acme/infra/issues/1", ""); resp.StatusCode != 200 {
		t.Errorf("the issue: %s", resp.Status)
	}
}
