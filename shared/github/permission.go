package github

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// legacy is what GitHub's answer also calls each built-in role.
// https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
var legacy = map[string]string{
	"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin",
}

// login is a person's, or an app's. Those that an enterprise manages hold an underscore.
var login = regexp.MustCompile(`^[A-Za-z0-9_-]+(\[bot\])?$`)

// Permission is what an account may do with a repository, by any way it was given: "none",
// "read", "triage", "write", "maintain" or "admin". An organization's own
// role counts as the one of none, read, write and admin that it is built on. Who is not a
// person, as an app is, has "none". It is one request, for any token.
func (c *Client) Permission(ctx context.Context, repo, user string) (string, error) {
	owner, name, err := splitRepository(repo)
	if err != nil {
		return "", fmt.Errorf("ask for a permission: %w", err)
	}
	if !login.MatchString(user) {
		return "", fmt.Errorf("ask what a user may do with %s: %q is not a login", repo, user)
	}
	doing := fmt.Sprintf("ask what %s may do with %s", user, repo)
	got, _, err := c.api.Repositories.GetPermissionLevel(ctx, owner, name, user)
	if err != nil {
		if statusOf(err) == http.StatusNotFound && strings.Contains(messageOf(err), "is not a user") {
			return "none", nil
		}
		return "", c.explain(err, doing, "metadata: read")
	}
	base := got.GetPermission()
	if legacy[base] != base || base == "" {
		return "", fmt.Errorf("%s: GitHub answered the unknown permission %q", doing, base)
	}
	if role := got.GetRoleName(); legacy[role] == base {
		return role, nil
	}
	return base, nil
}
