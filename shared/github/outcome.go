package github

import (
	"errors"
	"fmt"
	"net/http"

	gogithub "github.com/google/go-github/v84/github"
)

// ErrUnknownOutcome is in the error of a write that GitHub may have done in spite of the error:
// GitHub failed, or its answer did not arrive. The write was not sent again. Check whether it
// was done before you send it again.
var ErrUnknownOutcome = errors.New("it may have been done")

// explainWrite is explain for a write, with ErrUnknownOutcome if the write may have been done.
func (c *Client) explainWrite(err error, doing, permissions string) error {
	explained := c.explain(err, doing, permissions)
	if unknownOutcome(err) {
		return fmt.Errorf("%w: %w", explained, ErrUnknownOutcome)
	}
	return explained
}

// unknownOutcome is false if GitHub refused the write, or if it was redirected, and so not
// done.
func unknownOutcome(err error) bool {
	var primary *gogithub.RateLimitError
	var secondary *gogithub.AbuseRateLimitError
	if errors.As(err, &primary) || errors.As(err, &secondary) || errors.Is(err, errRedirected) {
		return false
	}
	status := statusOf(err)
	return status == 0 || status >= http.StatusInternalServerError
}

// statusOf is the HTTP status in an error of go-github, or 0.
func statusOf(err error) int {
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// messageOf is GitHub's message in an error of go-github, or nothing.
func messageOf(err error) string {
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) {
		return answer.Message
	}
	return ""
}
