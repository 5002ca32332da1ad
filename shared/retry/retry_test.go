package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/retry"
)

var (
	errTemporary = errors.New("temporary")
	errFinal     = errors.New("final")
)

func TestDoTriesUntilThereIsNothingToTry(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		policy retry.Policy
		errs   []error // of each try, in order
		want   error
		at     []time.Duration // when each try is made
	}{
		"a success":              {retry.Policy{Tries: 3, Wait: time.Second}, []error{nil}, nil, []time.Duration{0}},
		"a success at last":      {retry.Policy{Tries: 3, Wait: time.Second}, []error{errTemporary, errTemporary, nil}, nil, []time.Duration{0, time.Second, 2 * time.Second}},
		"waits that grow":        {retry.Policy{Tries: 4, Wait: time.Second, Double: true}, []error{errTemporary, errTemporary, errTemporary, errTemporary}, errTemporary, []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second}},
		"an error that is final": {retry.Policy{Tries: 3, Wait: time.Second}, []error{errTemporary, errFinal}, errFinal, []time.Duration{0, time.Second}},
		"one try":                {retry.Policy{Tries: 1}, []error{errTemporary}, errTemporary, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var at []time.Duration
				err := test.policy.Do(t.Context(), func() (bool, error) {
					at = append(at, time.Since(begin))
					err := test.errs[len(at)-1]
					return errors.Is(err, errTemporary), err
				})
				if !errors.Is(err, test.want) {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if diff := cmp.Diff(test.at, at); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("cancelled")
		ctx, cancel := context.WithCancelCause(t.Context())
		begin, tries := time.Now(), 0
		err := retry.Policy{Tries: 3, Wait: time.Hour}.Do(ctx, func() (bool, error) {
			tries++
			time.AfterFunc(time.Second, func() { cancel(cause) })
			return true, errTemporary
		})
		if !errors.Is(err, cause) || !errors.Is(err, errTemporary) || tries != 1 || time.Since(begin) != time.Second {
			t.Errorf("error %v after %d tries and %v", err, tries, time.Since(begin))
		}
	})
}
