package drift

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// Store holds drift results and links to drift issues, beside the plans of a plan store.
// planstore/README.md lists their keys and attributes.
type Store struct {
	plans *planstore.Store
	items storage.Items
}

// In returns the drift results and links in a plan store.
func In(plans *planstore.Store) Store { return Store{plans, plans.Items()} }

// How partition keys begin, which separates the writers in IAM policies, and the sort key of
// the only item in each partition.
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

// checkDigest refuses what is not a hex SHA-256; empty is none. of names what it is a digest
// of.
func checkDigest(of, digest string) error {
	if digest != "" && !hexDigest.MatchString(digest) {
		return fmt.Errorf("the digest of the %s must be 64 lower-case hex digits, and is %.80q", of, digest)
	}
	return nil
}
