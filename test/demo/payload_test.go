package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakerunner"
)

var update = flag.Bool("update", false, "copy the payloads and the style sheet from npm's packages")

// The demo has no npm: its payloads are copies of GitHub's examples.
func TestPayloadsAreGitHubsExamples(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file, event, action string
		embedded            []byte
	}{
		{"pull_request.json", "pull_request", "opened", opened},
		{"issues.json", "issues", "labeled", labelled},
		{"schedule.json", "schedule", "", schedule},
	} {
		payload, err := fakerunner.ActionPayload("../..", test.event, test.action)
		if err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if err := json.Indent(&want, payload, "", "  "); err != nil {
			t.Fatal(err)
		}
		want.WriteByte('\n')
		if *update {
			if err := os.WriteFile(test.file, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if !bytes.Equal(test.embedded, want.Bytes()) {
			t.Errorf("%s is not GitHub's example: run this test with -update", test.file)
		}
	}
}

func TestStyleSheetIsThePackages(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../npm/node_modules/github-markdown-css/github-markdown.css")
	if err != nil {
		t.Fatal(err)
	}
	if _, sheet, ok := bytes.Cut(githubCSS, []byte("*/\n")); !ok || !bytes.Equal(sheet, want) {
		t.Error("github-markdown.css is not the npm package's, below its licence")
	}
}
