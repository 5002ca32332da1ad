package awsauth

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// renewBefore is how long before their end credentials are replaced: before clients ask
	// for new ones, as Go's SDK does 5 minutes before the end.
	renewBefore = 10 * time.Minute
	// renewTimeout is the limit for one try, and retryAfter the pause after one that
	// failed. Requests during the pause are answered at once.
	renewTimeout = time.Minute
	retryAfter   = 30 * time.Second
)

// renewal holds a role's credentials and replaces them before they end. If that fails, the old
// ones are used until their end.
type renewal struct {
	provider aws.CredentialsProvider
	watch    Watch

	mu       sync.Mutex
	current  aws.Credentials
	failure  error // of the last try
	failedAt time.Time
	warned   bool
}

// retrieve returns credentials that have not ended, or the error why there are none. ctx does
// not end with the client's request, so that a try goes on without the client.
func (r *renewal) retrieve(ctx context.Context) (aws.Credentials, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.watch.Now()
	if now.Before(r.current.Expires.Add(-renewBefore)) {
		return r.current, nil
	}
	if r.failure == nil || now.Sub(r.failedAt) >= retryAfter {
		if r.renew(ctx) == nil {
			return r.current, nil
		}
	}
	if r.watch.Now().Before(r.current.Expires) {
		return r.current, nil
	}
	return aws.Credentials{}, r.failure
}

func (r *renewal) renew(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	renewed, err := r.provider.Retrieve(limited)
	if err == nil {
		r.watch.Given(renewed.SecretAccessKey, renewed.SessionToken)
		r.current, r.failure = renewed, nil
		return nil
	}
	r.failure, r.failedAt = err, r.watch.Now()
	if !r.warned && r.current.HasKeys() && ctx.Err() == nil {
		r.warned = true
		r.watch.Failed(err, r.current.Expires)
	}
	return err
}
