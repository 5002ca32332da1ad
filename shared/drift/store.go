package drift

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Store holds results and links, beside the plans of a plan store. planstore/README.md has
// their keys and attributes.
type Store struct {
	plans *planstore.Store
	items storage.Items
}

// In returns the results and links of a plan store.
func In(plans *planstore.Store) Store { return Store{plans, plans.Items()} }

// What partition keys begin with, which tells IAM policies the writers apart, and the sort
// keys of the one item in each partition.
const (
	resultPrefix = "drift#" // written by the plan action, in drift mode
	resultKey    = "result"
	linkPrefix   = "issue#" // written by the drift actions
	linkKey      = "drift"
)

var errOtherKey = errors.New("its key is not what its content says")

// damaged is the error for an item that can't be read, with what to do.
func damaged(what string, item storage.Item, why error, todo string) error {
	return problem.With(problem.Storage, fmt.Errorf("%s %.300q is damaged: %w: %s", what, item.Key().Partition, why, todo))
}

var hexDigest = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkDigest refuses what is no SHA-256 in hex; empty is none. of says of what it is.
func checkDigest(of, digest string) error {
	if digest != "" && !hexDigest.MatchString(digest) {
		return fmt.Errorf("the digest of the %s must be 64 lower-case hex digits, and is %.80q", of, digest)
	}
	return nil
}
