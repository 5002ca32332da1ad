package github

import (
	"errors"
	"fmt"
	"net/http"

	gogithub "github.com/google/go-github/v84/github"
)

// ErrUnknownOutcome is wrapped by the error of a write that GitHub may have carried out
// all the same: it failed on its side, or its answer did not arrive. The write was
// not sent again. Look at what is there before doing so.
var ErrUnknownOutcome = errors.New("it may have been done all the same")

// explainWrite is explain for a write.
func (c *Client) explainWrite(err error, doing, permissions string) error {
	explained := c.explain(err, doing, permissions)
	if unknownOutcome(err) {
		return fmt.Errorf("%w: %w", explained, ErrUnknownOutcome)
	}
	return explained
}

// unknownOutcome is false for what GitHub refused and for what was not sent on.
func unknownOutcome(err error) bool {
	var primary *gogithub.RateLimitError
	var secondary *gogithub.AbuseRateLimitError
	if errors.As(err, &primary) || errors.As(err, &secondary) || errors.Is(err, errRedirected) {
		return false
	}
	status := statusOf(err)
	return status == 0 || status >= http.StatusInternalServerError
}

// statusOf is the status of the answer that an error of go-github's tells of, or 0.
func statusOf(err error) int {
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}

// messageOf is what that answer says, or nothing.
func messageOf(err error) string {
	var answer *gogithub.ErrorResponse
	if errors.As(err, &answer) {
		return answer.Message
	}
	return ""
}
