package github

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/test/kit/fakegithub"
)

func TestThePermissionIsTheRoleThatWasGiven(t *testing.T) {
	t.Parallel()
	_, r, c := withIssues(t)
	for _, role := range []string{"none", "read", "triage", "write", "maintain", "admin"} {
		r.SetPermission("user-"+role, role)
	}
	r.SetPermission("rel_acme", "release-manager:write")
	r.SetPermission("Looker", "auditor:read")
	for user, want := range map[string]string{
		"user-none": "none", "user-read": "read", "user-triage": "triage", "USER-write": "write", "user-maintain": "maintain", "user-admin": "admin",
		"rel_acme": "write", "looker": "read", "stranger": "none", "dependabot[bot]": "none",
	} {
		if got, err := c.Permission(t.Context(), repo, user); err != nil || got != want {
			t.Errorf("%s: %q, error %v; want %q", user, got, err, want)
		}
	}
	r.MakePublic()
	if got, err := c.Permission(t.Context(), repo, "stranger"); err != nil || got != "read" {
		t.Errorf("%q, error %v", got, err)
	}
	if _, err := c.Permission(t.Context(), "acme/nothing", "stranger"); err == nil {
		t.Error("no error for a repository that is not there")
	}
}

// A role's name never counts for more than the permission beside it.
func TestARoleIsNotBelievedAgainstItsPermission(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]string{
		`"permission":"read","role_name":"admin"`:    "read",
		`"permission":"read","role_name":"maintain"`: "read",
		`"permission":"none","role_name":"write"`:    "none",
		`"permission":"write","role_name":"write "`:  "write",
		`"permission":"write"`:                       "write",
		`"permission":"owner","role_name":"admin"`:   "",
		`"role_name":"admin"`:                        "",
		`"permission":"maintain"`:                    "",
	} {
		c := connect(t, "", "", withBase(roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("{" + answer + "}")), Request: r}, nil
		})))
		got, err := c.Permission(t.Context(), repo, "octocat")
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, error %v; want %q", answer, got, err, want)
		}
	}
}

func TestTheMembersOfATeamAreListed(t *testing.T) {
	t.Parallel()
	s, _, c := withIssues(t)
	var members []string
	for i := range 130 {
		members = append(members, fmt.Sprint("user-", i))
	}
	s.AddTeam("acme", "ops", members...)
	app := connect(t, s.URL(), s.NewToken("infra[bot]", fakegithub.Permissions{"members": "read"}))
	got, err := app.TeamMembers(t.Context(), "ACME", "ops")
	if err != nil || strings.Join(got, " ") != strings.Join(members, " ") {
		t.Errorf("%d members, error %v", len(got), err)
	}
	if got := requests(s); got != "GET 200, GET 200" {
		t.Errorf("requests %s", got)
	}
	wantError(t, second(app.TeamMembers(t.Context(), "acme", "gone")), "list the members of team acme/gone", "404", "there is no such team")
	wantError(t, second(c.TeamMembers(t.Context(), "acme", "ops")), "403", "`members: read`", "no workflow's own token has")
}
