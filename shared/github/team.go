package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/shared/problem"
)

var slug = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// TeamMembers lists the logins of a team's members, with those of its child teams. team is its
// slug. It takes one request for each 100 members. It needs the organization permission
// `members: read`, which no workflow's own token has.
func (c *Client) TeamMembers(ctx context.Context, org, team string) ([]string, error) {
	if !slug.MatchString(org) || !slug.MatchString(team) {
		return nil, fmt.Errorf("list the members of team %q of %q: name the team by its slug, the last part of its page's address", team, org)
	}
	doing := fmt.Sprintf("list the members of team %s/%s", org, team)
	options := &gogithub.TeamListTeamMembersOptions{ListOptions: gogithub.ListOptions{PerPage: 100}}
	var members []string
	for {
		page, resp, err := c.api.Teams.ListTeamMembersBySlug(ctx, org, team, options)
		if status := statusOf(err); status == http.StatusForbidden || status == http.StatusNotFound {
			var answer *gogithub.ErrorResponse
			errors.As(err, &answer)
			return nil, problem.With(problem.GitHubPermission, fmt.Errorf("%s: GitHub answered %d (%s): there is no such team, or the token may not see it: "+
				"it needs the organization permission `members: read`, which no workflow's own token has: pass an app's or a person's", doing, status, c.said(answer)))
		}
		if err != nil {
			return nil, c.explain(err, doing, "members: read")
		}
		for _, member := range page {
			members = append(members, member.GetLogin())
		}
		if resp.NextPage <= options.Page {
			return members, nil
		}
		options.Page = resp.NextPage
	}
}
