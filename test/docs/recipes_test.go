package docs

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

// recipes are the words that people search for.
var recipes = []string{
	"private module", "TF_TOKEN", "destroy", "Slack", "existing state", "several environments", "draft", "no-plan", "discover",
	"Terraform Cloud", "workspace", "import", "self-hosted", "OpenTofu", "private registry", "Google Cloud", "Azure",
}

// TestRecipesAreFound checks that "How do I …?" in README.md has a row with each of these words, and that
// the section, or the page, that the row links has it, too.
func TestRecipesAreFound(t *testing.T) {
	t.Parallel()
	rows := strings.Split(section(t, "README.md", "how-do-i-"), "\n")
	for _, word := range recipes {
		found := false
		for _, row := range rows {
			target := link.FindStringSubmatch(row)
			if target == nil || !contains(row, word) {
				continue
			}
			to, err := url.Parse(target[1])
			if err != nil {
				t.Fatal(err)
			}
			if found = contains(section(t, path.Clean(to.Path), to.Fragment), word); found {
				break
			}
			t.Errorf("README.md: %s does not say %q", target[1], word)
		}
		if !found {
			t.Errorf("README.md: \"How do I …?\" leads nobody who looks for %q to a page about it", word)
		}
	}
}

func contains(text, word string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(word))
}

// section returns a page's section by its anchor, with the sections in it, or the whole page.
func section(t *testing.T, file, anchor string) string {
	t.Helper()
	if anchor == "" {
		return read(t, file)
	}
	level, text := 0, ""
	for _, line := range strings.Split(read(t, file), "\n") {
		if title := heading.FindStringSubmatch(line); title != nil {
			depth := strings.IndexByte(line, ' ')
			switch {
			case level == 0 && slugOf(title[1]) == anchor:
				level = depth
			case level > 0 && depth <= level:
				return text
			}
		}
		if level > 0 {
			text += line + "\n"
		}
	}
	if level == 0 {
		t.Errorf("%s has no section %s", file, anchor)
	}
	return text
}
