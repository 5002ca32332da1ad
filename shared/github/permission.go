package github

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// legacy is the older name that GitHub's answer also has for each built-in role.
// https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
var legacy = map[string]string{
	"none": "none", "read": "read", "triage": "read", "write": "write", "maintain": "write", "admin": "admin",
}

// login matches the login of a person or an app. Accounts that an enterprise manages have an
// underscore.
var login = regexp.MustCompile(`^[A-Za-z0-9_-]+(\[bot\])?$`)

// Permission is what an account may do with a repository, however it was granted: "none",
// "read", "triage", "write", "maintain" or "admin". An organization's custom role counts as
// the one of read, write and admin that it is based on. An account that is not a person, such
// as an app, has "none". It is one request, for which any token is enough.
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
