package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// exchangeTimeout is the limit for one request with its whole answer. GitHub itself ends
	// a request after 10 seconds; the rest is for slow networks and proxies.
	// https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api#timeouts
	exchangeTimeout = 30 * time.Second
	// maxAnswer is far above the largest expected answer: 100 comments of 65,536
	// characters.
	maxAnswer = 64 << 20
	// maxExchanges is how many requests one call may send in all. If the runner's clock is
	// fast, the end of a rate limit lies in the past, and the limiter above would send the
	// request again and again without waiting.
	maxExchanges = 8
)

// exchange sends one request and reads its whole answer. So an answer that breaks off fails
// here, where it can be tried again, and the limiters above can drop an answer without closing
// its connection.
type exchange struct {
	base         http.RoundTripper
	scheme, host string // where the token may be sent
	token        string
}

func (e *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	if sent, ok := req.Context().Value(sentKey{}).(*atomic.Int32); ok && sent.Add(1) > maxExchanges {
		return nil, errGaveUp
	}
	ctx, cancel := context.WithTimeoutCause(req.Context(), exchangeTimeout, errTimeout)
	defer cancel()
	out := req.Clone(ctx)
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.GetBody != nil {
		// After a wait the limiter sends the same request again, whose body was read.
		body, err := req.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	if e.token != "" && req.URL.Scheme == e.scheme && req.URL.Host == e.host {
		out.Header.Set("Authorization", "Bearer "+e.token)
	}
	resp, err := e.base.RoundTrip(out)
	if err != nil {
		return nil, exchangeError(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, exchangeError(ctx, err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.Request = req // not out, which holds the token: an error may print it
	return resp, nil
}

// sentKey is the context's key for the number of requests that one call has sent.
type sentKey struct{}

func withCounter(ctx context.Context) context.Context {
	return context.WithValue(ctx, sentKey{}, new(atomic.Int32))
}

var (
	errTimeout = fmt.Errorf("no complete answer within %s", exchangeTimeout)
	errGaveUp  = fmt.Errorf("gave up after %d tries", maxExchanges)
)

func exchangeError(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errTimeout) {
		return errTimeout
	}
	return err
}
