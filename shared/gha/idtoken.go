package gha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/actions-go/toolkit/core"

	"github.com/terraform-gitops/gitops/shared/problem"
	"github.com/terraform-gitops/gitops/shared/retry"
)

// ErrNoIDToken is returned by [Runtime.IDToken] if the run may not have an ID token. The
// error's text says why, and what to do.
var ErrNoIDToken = problem.With(problem.IDToken, errors.New("GitHub gives this run no ID token"))

const (
	idTokenTries = 4
	idTokenLimit = 64 << 10 // bytes of an answer; a token has about 2,000
)

// IDToken asks GitHub for an ID token (a signed JWT that says which repository,
// workflow and ref this run is of) for the given audience. An empty audience means GitHub's
// default: the URL of the repository's owner. Each call gets a new token, which is valid for
// a few minutes, and is masked.
//
// After a temporary failure (no connection, 429, 5xx) it asks again, four times in all, with
// waits of 1, 2 and 4 seconds. Each try takes at most ten seconds. See
// https://docs.github.com/actions/reference/security/oidc.
func (r *Runtime) IDToken(ctx context.Context, audience string) (string, error) {
	address, bearer := r.env[core.ActionsIDTokenRequestURLEnvName], r.env[core.ActionsIDTokenRequestTokenEnvName]
	if address == "" || bearer == "" {
		return "", fmt.Errorf("%w: %s", ErrNoIDToken, r.whyNoIDToken())
	}
	target, err := url.Parse(address)
	if err != nil {
		return "", problem.With(problem.IDToken, fmt.Errorf("get an ID token: %s is not a URL", core.ActionsIDTokenRequestURLEnvName))
	}
	if audience != "" {
		query := target.Query()
		query.Set("audience", audience)
		target.RawQuery = query.Encode()
	}
	var token string
	policy := retry.Policy{Tries: idTokenTries, Wait: time.Second, Double: true, Sleep: r.wait}
	err = policy.Do(ctx, func() (again bool, err error) {
		token, again, err = r.requestIDToken(ctx, target.String(), bearer)
		return again, err
	})
	if err != nil {
		return "", problem.With(problem.IDToken, fmt.Errorf("get an ID token: %w", err))
	}
	r.Mask(token)
	return token, nil
}

// whyNoIDToken says why the run may not have an ID token.
func (r *Runtime) whyNoIDToken() string {
	const permission = "give the job (or the workflow) `permissions: id-token: write`"
	event, err := r.Event()
	switch {
	case err == nil && event.Name == "pull_request" && event.PullRequest.Fork:
		return "runs for pull requests from forks may not have one, since anybody can write their code: " +
			"push the branch to this repository to have it planned"
	case r.env["GITHUB_ACTOR"] == "dependabot[bot]":
		// https://docs.github.com/code-security/dependabot/troubleshooting-dependabot/troubleshooting-dependabot-on-github-actions
		return "runs that Dependabot starts may only read unless told otherwise: " + permission
	default:
		return permission
	}
}

// requestIDToken asks once. again says that another try may succeed.
func (r *Runtime) requestIDToken(ctx context.Context, address, bearer string) (token string, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", false, fmt.Errorf("%s is not a URL", core.ActionsIDTokenRequestURLEnvName)
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	request.Header.Set("Accept", "application/json; api-version=2.0")
	response, err := r.client.Do(request)
	if err != nil {
		return "", ctx.Err() == nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, idTokenLimit))
	if err != nil {
		return "", ctx.Err() == nil, err
	}
	if response.StatusCode != http.StatusOK {
		again = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= 500
		return "", again, fmt.Errorf("GitHub answered %s: %s", response.Status, quote(r.Redacted(string(body))))
	}
	var answer struct {
		Value string `json:"value"`
	}
	// The body of a success is a credential: no part of it goes into an error.
	if json.Unmarshal(body, &answer) != nil || answer.Value == "" {
		return "", false, errors.New("GitHub's answer has no token in it")
	}
	return answer.Value, false, nil
}
