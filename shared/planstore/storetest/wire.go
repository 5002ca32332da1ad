package storetest

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/terraform-gitops/gitops/test/kit/fakeaws"
)

// Forever is how often an answer is lost that never arrives.
const Forever = -1

// Wire is the way to AWS: it notes every request, and breaks what a test tells it to.
type Wire struct {
	mu       sync.Mutex
	requests []*http.Request

	// broken answers in place of AWS, or returns nil for it to answer itself.
	broken func(operation string, r *http.Request) (*http.Response, error)
}

// RoundTrip implements http.RoundTripper.
func (w *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.requests = append(w.requests, r)
	broken := w.broken
	w.mu.Unlock()
	if broken != nil {
		if answer, err := broken(Operation(r), r); answer != nil || err != nil {
			return answer, err
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Operation names a request: PutItem, or the method of one to S3.
func Operation(r *http.Request) string {
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	return r.Method
}

// Operations are the names of the requests that were sent.
func (w *Wire) Operations() (names []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.requests {
		names = append(names, Operation(r))
	}
	return names
}

// Requests are the requests that were sent.
func (w *Wire) Requests() []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.requests)
}

// BreakWith has a function answer in place of AWS, where it returns anything; nil: never. The
// requests that were sent so far are forgotten.
func (w *Wire) BreakWith(broken func(string, *http.Request) (*http.Response, error)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken, w.requests = broken, nil
}

// NewWired is a new backend in AWS behind a wire. Its retries do not wait.
func NewWired(t testing.TB) (*Backend, *Wire) {
	cfg := fakeaws.Start(t).Config()
	bucket, table := fakeaws.CreateStore(t, cfg)
	w := &Wire{}
	wired := cfg
	wired.HTTPClient = &http.Client{Transport: w}
	wired.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Millisecond, nil })
		})
	}
	return inAWS(cfg, bucket, table, wired), w
}

// LoseAnswers lets requests of one operation reach AWS and loses the first answers.
func LoseAnswers(name string, times int) func(string, *http.Request) (*http.Response, error) {
	return func(operation string, r *http.Request) (*http.Response, error) {
		if operation != name || times == 0 {
			return nil, nil
		}
		times--
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		_ = answer.Body.Close()
		return nil, io.ErrUnexpectedEOF
	}
}

// FailWith answers requests of one operation, so many times, with an error.
func FailWith(name string, times, status int, body string) func(string, *http.Request) (*http.Response, error) {
	return func(operation string, r *http.Request) (*http.Response, error) {
		if operation != name || times == 0 {
			return nil, nil
		}
		times--
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	}
}
