package fakerunner

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/testscript"
)

// checkStep reads what an action wrote, as the runner and GitHub's pages do: nothing in it may have
// an effect that the action did not intend. Every story does this after every step.
func checkStep(ts *testscript.TestScript, s *story, action string, step *Step, log string, killed bool) {
	summary, err := step.Summary()
	ts.Check(err)
	problems := logProblems(log, killed)
	for _, p := range pageProblems(summary) {
		problems = append(problems, "summary: "+p)
	}
	for n := range s.pulls {
		for _, comment := range s.github.Repository(repository).Comments(n) {
			if comment.Author != bot {
				continue
			}
			text := hiddenState.ReplaceAllString(comment.Body, "")
			marker, body, _ := strings.Cut(text, "\n")
			if !strings.HasPrefix(marker, "<!-- ") || strings.Count(text, "<!--") != 1 {
				problems = append(problems, fmt.Sprintf("comment: it begins with %q", marker))
			}
			for _, p := range pageProblems(body) {
				problems = append(problems, "comment: "+p)
			}
		}
	}
	problems = append(problems, s.issueProblems()...)
	outputs, err := step.Outputs()
	ts.Check(err)
	known, err := outputsOf(s.Root, action)
	ts.Check(err)
	for name := range outputs {
		if !known[name] {
			problems = append(problems, fmt.Sprintf("output %q is not in action.yml", name))
		}
	}
	checkLeaks(ts, s, log)
	if len(problems) > 0 {
		ts.Fatalf("what action %s left has effects:\n%s", action, strings.Join(problems, "\n"))
	}
}

// hiddenState is what a comment on a merged pull request keeps for the next run, in its last line.
var hiddenState = regexp.MustCompile(`\n<!-- gitops-state [A-Za-z0-9+/=]+ -->\n?$`)

// outputsOf lists the names of the outputs in an action's action.yml.
func outputsOf(root, action string) (map[string]bool, error) {
	content, err := os.ReadFile(filepath.Join(root, "actions", action, "action.yml"))
	if err != nil {
		return nil, err
	}
	var file struct{ Outputs map[string]any }
	if err := yaml.Unmarshal(content, &file); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for name := range file.Outputs {
		names[name] = true
	}
	return names, nil
}
