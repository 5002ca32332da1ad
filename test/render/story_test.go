package render

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

// written returns what the actions write in stories, by the number of hidden lines that it has to have.
func written(t *testing.T) map[int]map[string]string {
	t.Helper()
	all := map[int]map[string]string{0: {}, 1: {}, 4: {}}
	t.Run("stories", func(t *testing.T) {
		actions, dir := map[string]string{}, t.TempDir()
		for _, name := range []string{"plan", "drift-detection", "drift-remediation"} {
			var err error
			if actions[name], err = fakerunner.Binary(t.Context(), root(t), dir, name); err != nil {
				t.Fatal(err)
			}
		}
		params := fakerunner.Scripts{Root: root(t), Actions: actions}.Params("testdata/script")
		params.Cmds["keep"] = func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(keep(ts, all, args)) }
		testscript.Run(t, params)
	})
	return all
}

// keep adds what the last action has written to all.
func keep(ts *testscript.TestScript, all map[int]map[string]string, args []string) error {
	all[0]["the summary of "+args[0]] = ts.ReadFile("summary.md")
	if len(args) == 1 {
		return nil
	}
	var issue struct{ Body string }
	if err := get(ts, args[1], &issue); err != nil {
		return err
	}
	if strings.HasPrefix(issue.Body, "<!-- gitops-drift ") {
		all[4]["the issue of "+args[0]] = issue.Body
	}
	var comments []struct{ Body string }
	if err := get(ts, args[1]+"/comments?per_page=100", &comments); err != nil {
		return err
	}
	for i, c := range comments {
		lines := 0
		if strings.HasPrefix(c.Body, "<!-- gitops+plan") {
			lines = 1
		}
		all[lines][fmt.Sprintf("comment %d of %s", i, args[0])] = c.Body
	}
	return nil
}

// get asks the story's GitHub for an issue, or for what belongs to it.
func get(ts *testscript.TestScript, path string, into any) error {
	r, err := http.NewRequest(http.MethodGet, ts.Getenv("GITHUB_API_URL")+"/repos/acme/infrastructure/issues/"+path, nil) //nolint:noctx // it is on this machine
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+ts.Getenv("INPUT_TOKEN"))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("GET issues/%s: %s", path, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
