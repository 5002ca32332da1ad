package github

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
	"github.com/terraform-gitops/gitops/shared/retry"
)

// maxRetries is how often a request is sent again after a failure on GitHub's side or a
// used-up primary limit.
const maxRetries = 3

// patience waits for rate limits and sends requests again, if that is safe and maxWait allows
// it.
//
// go-github-ratelimit waits for the secondary limit (too many requests at once), and holds back
// all of the client's requests meanwhile. This type waits for the primary limit (requests per
// hour), since that library would start a goroutine which may live for an hour.
//
// A request that was refused for a rate limit was not done, so it is sent again. After a 5xx or
// a broken connection only a read is sent again: a write may have been done.
// https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
type patience struct {
	limiter http.RoundTripper
	maxWait time.Duration
	onWait  func(string)

	mu        sync.Mutex
	waited    time.Duration // how long this type has waited
	inLimiter time.Duration // how long the limiter has waited, for secondary limits
}

func newPatience(base http.RoundTripper, s settings) *patience {
	p := &patience{maxWait: s.maxWait, onWait: s.onWait}
	p.limiter = github_secondary_ratelimit.New(base, github_secondary_ratelimit.WithLimitDetectedCallback(
		func(c *github_secondary_ratelimit.CallbackContext) {
			p.mu.Lock()
			p.inLimiter = *c.TotalSleepTime
			p.mu.Unlock()
			p.onWait(waitNotice("GitHub asks to slow down (secondary rate limit)", time.Until(*c.ResetTime)))
		}))
	return p
}

// RoundTrip implements http.RoundTripper.
func (p *patience) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := withCounter(req.Context())
	for retries := 0; ; retries++ {
		p.mu.Lock()
		left := p.maxWait - p.waited
		p.mu.Unlock()
		// The limiter subtracts its own waits from this.
		limit := github_secondary_ratelimit.WithTotalSleepLimit(left, nil)
		resp, err := p.limiter.RoundTrip(req.WithContext(github_secondary_ratelimit.WithOverrideConfig(ctx, limit)))
		why, wait := again(req, resp, err, retries)
		if why == "" || retries == maxRetries || ctx.Err() != nil || !p.spend(wait) {
			return resp, err
		}
		p.onWait(waitNotice(why, wait))
		if retry.Sleep(ctx, wait) != nil {
			return nil, ctx.Err()
		}
	}
}

// spend adds a wait to the time that was waited, unless that would be more than maxWait.
func (p *patience) spend(wait time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waited+p.inLimiter+wait > p.maxWait {
		return false
	}
	p.waited += wait
	return true
}

// again says why a request may be sent again, and after how long. Without a reason, its answer
// is final.
func again(req *http.Request, resp *http.Response, err error, retries int) (why string, wait time.Duration) {
	if reset, used := usedUp(resp); used {
		// One second more: the reset time is in whole seconds, and clocks differ.
		return "GitHub's rate limit is used up", max(time.Until(reset), 0) + time.Second
	}
	if isWrite(req) {
		return "", 0
	}
	backoff := time.Second << retries
	if errors.Is(err, errGaveUp) {
		return "", 0
	}
	if err != nil {
		return fmt.Sprintf("no answer from GitHub (%v)", err), backoff
	}
	switch resp.StatusCode {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "GitHub answered " + resp.Status, max(retryAfter(resp.Header), backoff)
	}
	return "", 0
}

// usedUp reports whether an answer says that the primary limit is used up, and when that ends.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
func usedUp(resp *http.Response) (reset time.Time, used bool) {
	if resp == nil || resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests ||
		resp.Header.Get("X-RateLimit-Remaining") != "0" {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64)
	if err != nil {
		return time.Time{}, true
	}
	return time.Unix(seconds, 0), true
}

// retryAfter reads the header's seconds. GitHub does not send its other form, a date.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func waitNotice(why string, wait time.Duration) string {
	return fmt.Sprintf("%s: waiting %s, then trying again", why, wait.Round(time.Second))
}
