package docs

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link      = regexp.MustCompile(`\]\(([^()\s]+(?:\([^()\s]*\))?)\)`)
	heading   = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	anchor    = regexp.MustCompile(`<a name="([^"]+)">`)
	inLink    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	codeSpans = regexp.MustCompile("`[^`\n]*`")
)

// TestLinksLeadSomewhere checks that the file, folder or heading of each relative link exists. Links to
// other sites are only parsed.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	followed := 0
	for _, file := range pages(t) {
		_, prose := blocks(t, file)
		for _, found := range link.FindAllStringSubmatch(codeSpans.ReplaceAllString(prose, "`"), -1) {
			to, err := url.Parse(strings.ReplaceAll(found[1], `\_`, "_")) // as terraform-docs writes it
			switch {
			case err != nil:
				t.Errorf("%s: %s is no link: %v", file, found[1], err)
			case to.Scheme == "":
				followed++
				if err := follow(t, file, to); err != nil {
					t.Errorf("%s: %s: %v", file, found[1], err)
				}
			case to.Scheme != "https" || to.Host == "":
				t.Errorf("%s: %s is no https link", file, found[1])
			}
		}
	}
	if followed < 100 {
		t.Errorf("only %d links were followed", followed)
	}
}

func follow(t *testing.T, file string, to *url.URL) error {
	target := file
	if to.Path != "" {
		target = path.Join(path.Dir(file), to.Path)
	}
	info, err := os.Stat(filepath.Join(root, target))
	if err != nil {
		return fmt.Errorf("there is no %s", target)
	}
	if to.Fragment == "" {
		return nil
	}
	if info.IsDir() {
		target = path.Join(target, "README.md")
	}
	if !anchors(t, target)[to.Fragment] {
		return fmt.Errorf("%s has no heading %q", target, to.Fragment)
	}
	return nil
}

// anchors returns the anchors that a link to a page may have after its #.
func anchors(t *testing.T, file string) map[string]bool {
	t.Helper()
	_, prose := blocks(t, file)
	all, times := map[string]bool{}, map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(prose, -1) {
		slug := slugOf(found[1])
		if n := times[slug]; n > 0 {
			all[fmt.Sprintf("%s-%d", slug, n)] = true
		} else {
			all[slug] = true
		}
		times[slug]++
	}
	for _, found := range anchor.FindAllStringSubmatch(prose, -1) {
		all[found[1]] = true
	}
	return all
}

// slugOf returns a heading's anchor as GitHub makes it: in lower case, with hyphens for spaces, and
// without punctuation.
// https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
func slugOf(title string) string {
	title = inLink.ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case unicode.IsLetter(r), unicode.IsNumber(r), r == '-', r == '_':
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}
