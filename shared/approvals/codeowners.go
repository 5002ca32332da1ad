package approvals

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hmarr/codeowners"
)

// CodeownersPaths are where CODEOWNERS may be. The first that is there counts, as at GitHub.
// https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-location
var CodeownersPaths = []string{".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// maxCodeowners is the size in bytes from which on GitHub doesn't load the file.
// https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners#codeowners-file-size
const maxCodeowners = 3 << 20

// Codeowners returns who has to approve a change of files: an owner of each that has owners, by the
// file CODEOWNERS, which lies at path. Take it from the base commit, since a pull request may change
// who owns what. Paths are relative to the repository's root, with slashes.
//
// GitHub skips a line that it does not understand. Here it is an error, with its number: who skips a
// line may ask the wrong owners. So is a file whose only owners are email addresses, which no review
// shows.
func Codeowners(content []byte, path string, files []string) ([]Requirement, error) {
	rules, err := parseCodeowners(content)
	if err != nil {
		return nil, fmt.Errorf("read the code owners: %s: %w", path, err)
	}
	if !slices.ContainsFunc(rules, func(r codeowners.Rule) bool { return len(r.Owners) > 0 }) {
		return nil, fmt.Errorf("read the code owners: %s names no owner: add some (if it is a symbolic link, replace it with the file), or remove `codeowners: true`", path)
	}
	owned := map[*codeowners.Rule][]string{}
	for _, f := range files {
		// A wildcard of the library matches no line break, which a name may have.
		rule, err := rules.Match(strings.ReplaceAll(f, "\n", "\x00"))
		if err != nil {
			return nil, fmt.Errorf("find the code owners of %s: %w", f, err)
		}
		if rule != nil && len(rule.Owners) > 0 && !slices.Contains(owned[rule], f) {
			owned[rule] = append(owned[rule], f)
		}
	}
	var required []Requirement
	for i := range rules {
		rule := &rules[i]
		files := owned[rule]
		if len(files) == 0 {
			continue
		}
		slices.Sort(files)
		r := Requirement{Count: 1, Write: true, Source: fmt.Sprintf("%s:%d", path, rule.LineNumber), Reason: "changes " + files[0]}
		if more := len(files) - 1; more > 0 {
			r.Reason += fmt.Sprintf(" and %d more that they own", more)
		}
		var emails []string
		for _, o := range rule.Owners {
			switch o.Type {
			case codeowners.TeamOwner:
				r.Teams = append(r.Teams, o.Value)
			case codeowners.UsernameOwner:
				r.Users = append(r.Users, o.Value)
			default:
				emails = append(emails, o.Value)
			}
		}
		if len(r.Teams)+len(r.Users) == 0 {
			return nil, fmt.Errorf("find the code owners of %s: %s names only email addresses (%s), which no review shows: name the login or the team", files[0], r.Source, strings.Join(emails, ", "))
		}
		if len(emails) > 0 {
			r.Reason += fmt.Sprintf(" (%s counts for nothing: a review doesn't show email addresses)", strings.Join(emails, ", "))
		}
		required = append(required, r)
	}
	return required, nil
}

// inline finds a # that begins no comment at GitHub, but would for the library.
var inline = regexp.MustCompile(`[^\s]#`)

// root finds a line whose pattern is only a slash.
var root = regexp.MustCompile(`^/(\s|$)`)

func parseCodeowners(content []byte) (codeowners.Ruleset, error) {
	if len(content) >= maxCodeowners {
		return nil, errors.New("GitHub loads no file of 3 MB or more")
	}
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line, _, comment := strings.Cut(strings.TrimSpace(lines.Text()), " #")
		switch {
		case strings.HasPrefix(line, "#"):
		case inline.MatchString(line), comment && strings.HasSuffix(line, `\`):
			return nil, fmt.Errorf("line %d: a comment begins after a space, and no pattern has a #", n)
		case root.MatchString(line): // the library would crash
			return nil, fmt.Errorf("line %d: the pattern / matches no file: write * for all", n)
		}
	}
	if err := lines.Err(); err != nil { // the library would leave out the rest of the file
		return nil, err
	}
	email := codeowners.OwnerMatchFunc(func(s string) (codeowners.Owner, error) {
		// The library's own knows no domain such as .photography.
		if name, domain, ok := strings.Cut(s, "@"); ok && name != "" && domain != "" {
			return codeowners.Owner{Value: s, Type: codeowners.EmailOwner}, nil
		}
		return codeowners.Owner{}, codeowners.ErrNoMatch
	})
	return codeowners.ParseFile(bytes.NewReader(content), codeowners.WithOwnerMatchers([]codeowners.OwnerMatcher{
		email, codeowners.OwnerMatchFunc(codeowners.MatchTeamOwner), codeowners.OwnerMatchFunc(codeowners.MatchUsernameOwner),
	}))
}

// FindCodeowners looks for the file where GitHub does. read returns the content of a file of the
// base commit, and false if it is not there. None at all is an error.
func FindCodeowners(read func(path string) ([]byte, bool, error)) (content []byte, path string, err error) {
	for _, path := range CodeownersPaths {
		content, ok, err := read(path)
		if err != nil {
			return nil, "", fmt.Errorf("read the code owners: %w", err)
		}
		if ok {
			return content, path, nil
		}
	}
	return nil, "", fmt.Errorf("read the code owners: the base commit has none of %s: add one, or remove `codeowners: true`", strings.Join(CodeownersPaths, ", "))
}
