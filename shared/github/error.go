package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v84/github"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrPermission is in the error of a call that GitHub answered with 403 Forbidden, if not for
// a rate limit. Usually the token lacks a permission, which the error names.
var ErrPermission = errors.New("GitHub forbids it")

// forbidden says what GitHub's 403 means. It matches ErrPermission without repeating its text.
type forbidden string

func (f forbidden) Error() string { return string(f) }

func (forbidden) Code() problem.Code { return problem.GitHubPermission }

// Is makes errors.Is(err, ErrPermission) true.
func (f forbidden) Is(target error) bool { return target == ErrPermission }

// explain turns go-github's error into one for people: what could not be done, why, and what
// to do. permissions are those that the call needs, as a workflow's `permissions:` has them.
//
// go-github's errors are not wrapped: they hold the request, and nobody outside this package
// knows their types. A context's error and ErrPermission can be matched.
func (c *Client) explain(err error, doing, permissions string) error {
	return fmt.Errorf("%s: %w", doing, c.cause(err, permissions))
}

func (c *Client) cause(err error, permissions string) error {
	var primary *gogithub.RateLimitError
	if errors.As(err, &primary) {
		return rateLimited("GitHub's rate limit for this token is used up", primary.Rate.Reset.Time)
	}
	var secondary *gogithub.AbuseRateLimitError
	if errors.As(err, &secondary) {
		var end time.Time
		if secondary.RetryAfter != nil {
			end = time.Now().Add(*secondary.RetryAfter)
		}
		return rateLimited("GitHub refuses more requests for now (secondary rate limit)", end)
	}
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		text := c.answered(answer, permissions)
		switch answer.Response.StatusCode {
		case http.StatusForbidden:
			if strings.Contains(strings.ToLower(answer.Message), "locked") {
				return fmt.Errorf("%w: unlock it, or pass the token of a person who may write", ErrLocked)
			}
			return forbidden(text)
		case http.StatusUnauthorized, http.StatusNotFound:
			return problem.With(problem.GitHubPermission, errors.New(text))
		}
		return problem.With(problem.GitHub, errors.New(text))
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return problem.With(problem.GitHub, fmt.Errorf("no usable answer from GitHub: %w", err))
}

func rateLimited(what string, end time.Time) error {
	if !end.After(time.Now()) { // GitHub did not say, or the clocks differ
		return problem.With(problem.GitHubRateLimit, fmt.Errorf("%s: run the job again in a few minutes", what))
	}
	return problem.With(problem.GitHubRateLimit, fmt.Errorf("%s until %s, in %s: run the job again after that", what,
		end.UTC().Format(time.RFC3339), max(time.Until(end).Round(time.Second), time.Second)))
}

func (c *Client) answered(answer *gogithub.ErrorResponse, permissions string) string {
	status := answer.Response.StatusCode
	text := fmt.Sprintf("GitHub answered %d %s", status, http.StatusText(status))
	if said := c.said(answer); said != "" {
		text += " (" + said + ")"
	}
	switch {
	case status == http.StatusUnauthorized && c.token == "":
		return text + ": no token was given: pass one as `token`"
	case status == http.StatusUnauthorized:
		return text + ": the token is wrong, expired or revoked: pass a valid one as `token`"
	case status == http.StatusForbidden:
		// For tokens of apps and workflows, GitHub says which permissions would be enough.
		// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#insufficient-permissions-errors
		if accepted := answer.Response.Header.Get("X-Accepted-Github-Permissions"); accepted != "" {
			permissions = inWorkflow(accepted)
		}
		if answer.Message != "" && !strings.Contains(answer.Message, "not accessible") {
			// The message says why, such as an organization's single sign-on.
			return text + fmt.Sprintf(": the call needs `%s`", permissions)
		}
		text += fmt.Sprintf(": the token needs `%s`: add it to the job's `permissions:`", permissions)
		if strings.Contains(permissions, "write") {
			text += ". On a pull request from a fork, GitHub gives a token that can only read"
		}
		return text
	case status == http.StatusNotFound && c.token == "":
		return text + ": there is no such thing, or it is private and no token was given: pass one as `token`"
	case status == http.StatusNotFound:
		return text + fmt.Sprintf(": there is no such thing, or the token may not see it (it needs `%s`)", permissions)
	case status >= http.StatusInternalServerError:
		return text + ": run the job again when GitHub is well (https://www.githubstatus.com)"
	}
	return text
}

// said is GitHub's own message in one line, shortened. It leaves out the token, which a proxy
// might have repeated.
func (c *Client) said(answer *gogithub.ErrorResponse) string {
	parts := []string{answer.Message}
	for _, e := range answer.Errors {
		parts = append(parts, strings.TrimSpace(strings.Join([]string{e.Resource, e.Field, e.Code, e.Message}, " ")))
	}
	said := strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
	if c.token != "" {
		said = strings.ReplaceAll(said, c.token, "***")
	}
	if runes := []rune(said); len(runes) > 300 {
		said = string(runes[:300]) + "…"
	}
	return said
}

// inWorkflow rewrites "issues=write; pull_requests=write" in the form of a workflow. There, a
// semicolon means or, and a comma means and.
func inWorkflow(accepted string) string {
	return strings.NewReplacer("_", "-", "=", ": ", "; ", "` or `", ",", "` and `", "`", "", "\n", " ").Replace(accepted)
}
