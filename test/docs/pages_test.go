// Package docs tests this repository's documentation: links work, examples can be used, and nothing
// is left out. test/workflow tests the workflows in it.
package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// root of this repository.
const root = "../.."

// pages returns all Markdown files of this repository, committed or not, except those of tests.
func pages(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "-c", "safe.directory=*", "-C", root, "ls-files", "-z",
		"--cached", "--others", "--exclude-standard", "--", "*.md", ":!*/testdata/*")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	slices.Sort(files)
	files = slices.DeleteFunc(slices.Compact(files), func(file string) bool {
		_, err := os.Stat(filepath.Join(root, file))
		return err != nil // deleted, and not yet committed
	})
	if len(files) < 15 {
		t.Fatalf("only %d pages were found: %v", len(files), files)
	}
	return files
}

func read(t *testing.T, file string) string {
	t.Helper()
	return readPath(t, filepath.Join(root, file))
}

func readPath(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// block is a fenced block of a page.
type block struct {
	file     string
	line     int
	language string
	text     string
}

var fence = regexp.MustCompile("^( *)```+(.*)$")

// blocks returns a page's fenced blocks, and its text without them. Line numbers stay the same.
func blocks(t *testing.T, file string) (found []block, prose string) {
	t.Helper()
	var rest strings.Builder
	var open *block
	indent := ""
	for i, line := range strings.Split(read(t, file), "\n") {
		mark := fence.FindStringSubmatch(line)
		switch {
		case open == nil && mark != nil:
			open, indent = &block{file: file, line: i + 1, language: strings.TrimSpace(mark[2])}, mark[1]
		case open != nil && mark != nil && strings.TrimSpace(mark[2]) == "":
			found, open = append(found, *open), nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		default:
			rest.WriteString(line)
		}
		rest.WriteString("\n")
	}
	if open != nil {
		t.Errorf("%s:%d: the block has no end", file, open.line)
	}
	return found, rest.String()
}
