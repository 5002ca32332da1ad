package approvals_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
)

// The cases that GitHub documents, with what its page says of them.
// https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#example-of-a-codeowners-file
func TestCodeOwnersAsGitHubDocumentsThem(t *testing.T) {
	t.Parallel()
	const example = `# This is a comment.
# Each line is a file pattern followed by one or more owners.
*       @global-owner1 @global-owner2
*.js    @js-owner #This is an inline comment.
*.go docs@example.com @go-owner
*.txt @octo-org/octocats
/build/logs/ @doctocat
docs/*  @docs-owner
apps/ @octocat
/docs/ @doctocat
/scripts/ @doctocat @octocat
**/logs @logs-owner
/apps/ @octocat
/apps/github
`
	for name, c := range map[string]struct{ content, files string }{
		"the default owners, unless a later pattern matches": {"* @global-owner1 @global-owner2\n*.js @js-owner #This is an inline comment.\n", "main.tf: @global-owner1 @global-owner2, a/b/main.tf: @global-owner1 @global-owner2, .github/x.yml: @global-owner1 @global-owner2, a.js: @js-owner, a/b.js: @js-owner"},
		"a team": {"*.txt @octo-org/octocats", "a/b.txt: octo-org/octocats, a.txt.md: nobody"},
		"a folder at the root, and its subfolders":        {"/build/logs/ @doctocat", "build/logs/x: @doctocat, build/logs/a/x: @doctocat, a/build/logs/x: nobody, build/logs: nobody, build/logsx/x: nobody"},
		"files in a folder, not nested":                   {"docs/* @docs", "docs/getting-started.md: @docs, docs/build-app/troubleshooting.md: nobody, a/docs/x.md: nobody"},
		"a folder of that name anywhere":                  {"apps/ @octocat", "apps/x: @octocat, a/apps/b/x: @octocat, apps: nobody, a/apps: nobody"},
		"the folder docs at the root, and its subfolders": {"/docs/ @doctocat", "docs/a/b: @doctocat, a/docs/b: nobody"},
		"any of several owners":                           {"/scripts/ @doctocat @octocat", "scripts/x: @doctocat @octocat"},
		"any folder logs, wherever it lies":               {"**/logs @octocat", "build/logs/x: @octocat, scripts/logs/x: @octocat, deeply/nested/logs/x: @octocat, logs/x: @octocat, logsx/x: nobody"},
		"a folder without owners in one that has some":    {"/apps/ @octocat\n/apps/github\n", "apps/x: @octocat, apps/github/x: nobody, apps/githubx: @octocat"},
		"a folder with another owner in one that has one": {"/apps/ @octocat\n/apps/github @doctocat\n", "apps/x: @octocat, apps/github/x: @doctocat, apps/github: @doctocat"},
		"no owner":              {"/a/ @x", "b: nobody"},
		"the last pattern wins": {"/a/b/ @late\n* @all\n", "a/b/c: @all"},
		"case counts":           {"/A.tf @x", "a.tf: nobody, A.tf: @x"},
		"a space in a path":     {`/my\ module/ @x`, "my module/a.tf: @x"},
		"a comment alone, blank lines, tabs and Windows lines": {"# x @y\r\n\r\n  \t\r\n*.tf\t\t@x  @org/y\t# z\r\n", "a.tf: org/y @x"},
		"a single character":     {"/a?.tf @x", "ab.tf: @x, a/.tf: nobody, a.tf: nobody"},
		"a line break in a name": {"* @all\n/db/** @x\nnet/ @y\n", "db/a\nb.tf: @x, q/net/a\nb.tf: @y, a\nb: @all"},
		"a whole example":        {example, "a.txt: octo-org/octocats, docs/x/y.js: @doctocat, apps/github/x: nobody, scripts/logs/a: @logs-owner, apps/a.go: @octocat"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, f := range strings.Split(c.files, ", ") {
				file, want, _ := strings.Cut(f, ": ")
				required, err := approvals.Codeowners([]byte(c.content), "CODEOWNERS", []string{file})
				if err != nil {
					t.Fatal(err)
				}
				got := "nobody"
				for _, r := range required {
					owners := append([]string{}, r.Teams...)
					for _, u := range r.Users {
						owners = append(owners, "@"+u)
					}
					got = strings.Join(owners, " ")
				}
				if got != want || len(required) > 1 {
					t.Errorf("%s: %s, want %s", file, got, want)
				}
			}
		})
	}
}

func TestAnOwnerOfEachFileHasToApprove(t *testing.T) {
	t.Parallel()
	const content = "# owners\n* @all\n/db/ @acme/dba @alice\n/net/ @acme/net someone@example.photography\n/free/\n"
	files := []string{"db/b.tf", "main.tf", "free/x.tf", "db/a.tf", "net/x.tf", "db/a.tf"}
	got, err := approvals.Codeowners([]byte(content), ".github/CODEOWNERS", files)
	if err != nil {
		t.Fatal(err)
	}
	want := []approvals.Requirement{
		{Users: []string{"all"}, Count: 1, Write: true, Source: ".github/CODEOWNERS:2", Reason: "changes main.tf"},
		{Teams: []string{"acme/dba"}, Users: []string{"alice"}, Count: 1, Write: true, Source: ".github/CODEOWNERS:3", Reason: "changes db/a.tf and 1 more that they own"},
		{Teams: []string{"acme/net"}, Count: 1, Write: true, Source: ".github/CODEOWNERS:4", Reason: "changes net/x.tf (someone@example.photography counts for nothing: a review doesn't show email addresses)"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// GitHub skips such a line, so that an earlier one counts, or none.
func TestALineThatGitHubSkipsIsAnError(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`\#file @x`:                       "line 2: a comment begins after a space",
		"a#b @x":                          "line 2: a comment begins after a space",
		`a\ #b @x`:                        "line 2: a comment begins after a space",
		"/ @x":                            "line 2: the pattern / matches no file",
		"/\t@x":                           "line 2: the pattern / matches no file",
		"/":                               "line 2: the pattern / matches no file",
		"/ # all":                         "line 2: the pattern / matches no file",
		"/a @x#y":                         "line 2: a comment begins after a space",
		"!/a @x":                          "line 2: unexpected character '!'",
		"/[ab].tf @x":                     "line 2: unexpected character '['",
		"[Section]":                       "line 2: unexpected character '['",
		"/a x":                            "line 2: invalid owner format 'x'",
		"/a @x/y/z":                       "line 2: invalid owner format '@x/y/z'",
		"/a @x, @y":                       "line 2: unexpected character ','",
		"/*** @x":                         "line 2: pattern cannot contain three consecutive asterisks",
		"/größe/ @x":                      "line 2: unexpected character 'ö'",
		"\uFEFF* @x":                      "line 2: unexpected character",
		"/a a@b.c":                        "CODEOWNERS:2 names only email addresses (a@b.c)",
		"/" + strings.Repeat("a", 70_000): "token too long",
		"#" + strings.Repeat("a", 3<<20):  "GitHub loads no file of 3 MB or more",
	} {
		got, err := approvals.Codeowners([]byte("* @all\n"+line+"\n"), "CODEOWNERS", []string{"a"})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "CODEOWNERS") || got != nil {
			t.Errorf("%.20s: %+v, error %v; want %q", line, got, err, want)
		}
	}
}

// Git has a symbolic link as a file with the path that it leads to.
func TestAFileThatNamesNoOwnerIsAnError(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"", "# nobody yet\n", "../OWNERS", "/apps/\n"} {
		if got, err := approvals.Codeowners([]byte(content), "CODEOWNERS", []string{"a"}); err == nil || !strings.Contains(err.Error(), "CODEOWNERS names no owner") {
			t.Errorf("%q: %+v, error %v", content, got, err)
		}
	}
}

func TestCodeOwnersAreReadWhereGitHubReadsThem(t *testing.T) {
	t.Parallel()
	for there, want := range map[string]string{
		".github/CODEOWNERS CODEOWNERS docs/CODEOWNERS": ".github/CODEOWNERS",
		"CODEOWNERS docs/CODEOWNERS":                    "CODEOWNERS",
		"docs/CODEOWNERS":                               "docs/CODEOWNERS",
		".gitlab/CODEOWNERS codeowners":                 "",
	} {
		content, path, err := approvals.FindCodeowners(func(path string) ([]byte, bool, error) {
			for _, p := range strings.Fields(there) {
				if p == path {
					return []byte(path), true, nil
				}
			}
			return nil, false, nil
		})
		if path != want || string(content) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, error %v", there, path, err)
		}
	}
	down := errors.New("no such commit")
	if _, _, err := approvals.FindCodeowners(func(string) ([]byte, bool, error) { return nil, false, fmt.Errorf("read: %w", down) }); !errors.Is(err, down) {
		t.Errorf("error %v", err)
	}
}
