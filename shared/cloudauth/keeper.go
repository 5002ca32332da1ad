package cloudauth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// renewTimeout is the limit for one renewal, and retryAfter the pause after one that failed.
	renewTimeout = time.Minute
	retryAfter   = 15 * time.Second
	// leastWait is the least time between two renewals, whatever a token's claims say.
	leastWait = time.Second
)

// keeper keeps one token file.
type keeper struct {
	request               Request
	cloud, audience, file string
	warned                bool
}

// keep renews the token when half of its time is over: GitHub's are valid for five minutes, and
// a provider that starts at any time must find one that is good for some more. The time is from
// the token's own claims, since the runner's clock may be wrong.
func (k *keeper) keep(ctx context.Context, v validity) {
	for {
		wait := max(v.ends.Sub(v.begins)/2, leastWait)
		if k.warned {
			wait = retryAfter
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		renewed, err := k.renew(ctx)
		switch {
		case err == nil:
			v, k.warned = renewed, false
		case ctx.Err() != nil:
			return
		case !k.warned:
			k.warned = true
			k.request.Failed(err, k.cloud, v.ends)
		}
	}
}

// renew replaces the token in the file at once: nobody reads half of one.
func (k *keeper) renew(ctx context.Context) (v validity, err error) {
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	token, err := k.request.Token(ctx, k.audience)
	if err != nil {
		return v, err
	}
	if v, err = readValidity(token); err != nil {
		return v, err
	}
	next, err := os.CreateTemp(filepath.Dir(k.file), ".id-token-*") // mode 0600
	if err != nil {
		return v, err
	}
	_, err = next.WriteString(token)
	if err = errors.Join(err, next.Close()); err == nil {
		err = os.Rename(next.Name(), k.file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(next.Name()))
	}
	return v, err
}

// validity is from when to when a token is valid.
type validity struct{ begins, ends time.Time }

// readValidity reads a token's claims iat and exp. The token comes from GitHub; the cloud
// verifies it.
func readValidity(token string) (validity, error) {
	var claims struct{ Iat, Exp int64 }
	_, rest, _ := strings.Cut(token, ".")
	payload, _, signed := strings.Cut(rest, ".")
	content, err := base64.RawURLEncoding.DecodeString(payload)
	if !signed || err != nil || json.Unmarshal(content, &claims) != nil || claims.Iat <= 0 || claims.Exp <= claims.Iat {
		return validity{}, errors.New("GitHub's ID token does not say when it ends (claims iat, exp)")
	}
	return validity{time.Unix(claims.Iat, 0), time.Unix(claims.Exp, 0)}, nil
}
