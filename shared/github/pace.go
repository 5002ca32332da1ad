package github

import (
	"net/http"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/retry"
)

// defaultPace is the pause that GitHub asks for between writes.
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#pause-between-mutative-requests
const defaultPace = time.Second

// pace sends writes one after the other, with a pause between them. Reads do not wait.
type pace struct {
	base  http.RoundTripper
	every time.Duration
	turn  chan time.Time // holds the end of the last write; empty while one is being sent
}

func newPace(base http.RoundTripper, every time.Duration) *pace {
	p := &pace{base: base, every: every, turn: make(chan time.Time, 1)}
	p.turn <- time.Time{}
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *pace) RoundTrip(req *http.Request) (*http.Response, error) {
	if !isWrite(req) {
		return p.base.RoundTrip(req)
	}
	select {
	case <-req.Context().Done():
		return nil, req.Context().Err()
	case last := <-p.turn:
		defer func() { p.turn <- last }()
		if retry.Sleep(req.Context(), time.Until(last.Add(p.every))) != nil {
			return nil, req.Context().Err()
		}
		resp, err := p.base.RoundTrip(req)
		last = time.Now()
		return resp, err
	}
}

// isWrite reports whether a request changes something. The GraphQL request is a POST that only
// reads.
func isWrite(req *http.Request) bool {
	return req.Method != http.MethodGet && !strings.HasSuffix(req.URL.Path, "/graphql")
}
