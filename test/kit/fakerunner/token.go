package fakerunner

import (
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

// bot is the login of a workflow's own token.
const bot = "github-actions[bot]"

// neededPermission matches a line of an action.yml with a permission that its job needs.
var neededPermission = regexp.MustCompile(`(?m)^#   ([a-z-]+): ([a-z]+) - `)

// token is the job's token for an action. It has only the permissions that the action.yml asks for,
// unless the story says otherwise.
func (s *story) token(ts *testscript.TestScript, action string) string {
	if token := s.tokens[action]; token != "" {
		return token
	}
	s.tokens[action] = s.github.NewToken(bot, s.needed(ts, action))
	return s.tokens[action]
}

func (s *story) needed(ts *testscript.TestScript, action string) fakegithub.Permissions {
	permissions := fakegithub.Permissions{}
	for _, m := range neededPermission.FindAllStringSubmatch(ts.ReadFile(filepath.Join(s.Root, "actions", action, "action.yml")), -1) {
		permissions[strings.ReplaceAll(m[1], "-", "_")] = m[2]
	}
	return permissions
}

func givePermissions(ts *testscript.TestScript, s *story, args []string) {
	permissions := s.needed(ts, args[0])
	for _, arg := range args[1:] {
		name, level, _ := strings.Cut(arg, "=")
		permissions[strings.ReplaceAll(name, "-", "_")] = level
	}
	s.tokens[args[0]] = s.github.NewToken(bot, permissions)
}
