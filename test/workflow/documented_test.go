package workflow

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedWorkflowsAreValid checks workflows with actionlint: those in the READMEs and in docs,
// those in examples with the reusable ones that they call, and those in testdata. actionlint only knows
// the inputs and outputs of actions in the same repository, so the test makes ours local. A block with
// only triggers and steps is completed; "# …" in it stands for what is left out.
func TestDocumentedWorkflowsAreValid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil { // how actionlint finds the root
		t.Fatal(err)
	}
	write(".github/actionlint.yaml", read(t, ".github/actionlint.yaml"))
	if err := os.CopyFS(filepath.Join(dir, "shared", "launcher"), os.DirFS(filepath.Join(root, "shared", "launcher"))); err != nil {
		t.Fatal(err) // actionlint looks for the files that action.yml names
	}
	for _, file := range glob(t, ".github/workflows/*.yml", "examples/*.yml", "examples/atmos/*.yml", "examples/team/.github/workflows/*.yml", "test/workflow/testdata/*.yml") {
		local := localWorkflows.ReplaceAllString(localActions.ReplaceAllString(read(t, file), "uses: ./actions/$1"), "uses: ./.github/workflows/$1")
		write(filepath.Join(".github", "workflows", strings.ReplaceAll(strings.TrimPrefix(file, ".github/workflows/"), "/", "-")), local)
	}
	for _, readme := range glob(t, "README.md", "CONTRIBUTING.md", "docs/*.md", "actions/*/README.md") {
		action := filepath.Dir(readme) // actions/NAME, or not one
		workflows := fencedWorkflows(t, readme)
		if strings.HasPrefix(action, "actions/") {
			write(filepath.Join(action, "action.yml"), read(t, filepath.Join(action, "action.yml")))
			if len(workflows) == 0 {
				t.Errorf("%s shows no workflow", readme)
			}
		}
		for i, workflow := range workflows {
			name := strings.NewReplacer("/", "-", ".md", "").Replace(readme) + "-" + string(rune('a'+i)) + ".yml"
			local := localWorkflows.ReplaceAllString(localActions.ReplaceAllString(workflow, "uses: ./actions/$1"), "uses: ./.github/workflows/$1")
			write(filepath.Join(".github", "workflows", name), local)
		}
	}
	cmd := exec.CommandContext(t.Context(), tool(t, "actionlint"), "-no-color")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}

var (
	fence          = regexp.MustCompile("(?ms)^```ya?ml\n(.*?)^```$")
	localWorkflows = regexp.MustCompile(`uses: [^ /]+/[^ /]+/\.github/workflows/([a-z]+\.yml)@\S+`)
	localActions   = regexp.MustCompile(`uses: [^ /]+/[^ /]+/actions/([a-z-]+)@\S+`)
)

// fencedWorkflows returns the YAML blocks of a Markdown file that are workflows.
func fencedWorkflows(t *testing.T, file string) (workflows []string) {
	t.Helper()
	for _, match := range fence.FindAllStringSubmatch(read(t, file), -1) {
		switch block := "\n" + match[1]; {
		case strings.Contains(block, "\njobs:"):
			workflows = append(workflows, match[1])
		case strings.Contains(block, "\non:"):
			workflows = append(workflows, complete(match[1]))
		}
	}
	return workflows
}

// complete completes a fragment, which has triggers and perhaps, after a line "# …", steps of a job.
func complete(fragment string) string {
	triggers, steps, _ := strings.Cut(fragment, "# …\n")
	if steps == "" {
		steps = "      - run: true\n"
	}
	return triggers + "jobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n" + steps
}

// glob lists files of this repository.
func glob(t *testing.T, patterns ...string) (files []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no file (%v)", pattern, err)
		}
		for _, path := range found {
			name, err := filepath.Rel(root, path)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, name)
		}
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// checkoutStep matches a step with actions/checkout, up to the next step.
var checkoutStep = regexp.MustCompile(`(?m)^( *)- uses: actions/checkout@.*(?:\n(?: *\n| +[^ -].*|$))*`)

// TestNoCheckoutKeepsItsCredentials: by default, actions/checkout leaves the job's token in .git/config,
// where any later step can read it.
func TestNoCheckoutKeepsItsCredentials(t *testing.T) {
	t.Parallel()
	seen := 0
	look := func(file, text string) {
		for _, step := range checkoutStep.FindAllString(text, -1) {
			seen++
			if !strings.Contains(step, "persist-credentials: false") {
				t.Errorf("%s: this step lacks persist-credentials: false:\n%s", file, step)
			}
		}
	}
	for _, file := range glob(t, "examples/*.yml", "examples/atmos/*.yml", "examples/team/.github/workflows/*.yml", ".github/workflows/*.yml", "test/workflow/testdata/*.yml") {
		look(file, read(t, file))
	}
	for _, page := range glob(t, "*.md", "docs/*.md", "*/README.md", "actions/*/README.md", "modules/*/README.md", "shared/*/README.md") {
		for _, match := range fence.FindAllStringSubmatch(read(t, page), -1) {
			look(page, match[1])
		}
	}
	if seen < 20 {
		t.Errorf("only %d steps were found", seen)
	}
}
