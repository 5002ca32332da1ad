package planstore

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
)

// MaxEqualTo limits Record.EqualTo.
const MaxEqualTo = 20

// checkEqualTo refuses a chain of plans that would not be read again as it is.
func checkEqualTo(ids []string) error {
	if len(ids) > MaxEqualTo {
		return fmt.Errorf("a record names at most %d plans that it equals, and has %d", MaxEqualTo, len(ids))
	}
	for _, id := range ids {
		if err := CheckRecordID(id); err != nil {
			return err
		}
		if strings.HasPrefix(id, driftRecord) {
			return errors.New("a drift plan was not reviewed in a pull request: no plan equals it")
		}
	}
	return nil
}

// PlanOf returns the commit and the time of a change plan's record, which its ID begins with.
func PlanOf(recordID string) (commit string, createdAt time.Time, err error) {
	if err := CheckRecordID(recordID); err != nil {
		return "", time.Time{}, err
	}
	parts := strings.Split(recordID, "#")
	err = storage.ParseTimes(map[*time.Time]string{&createdAt: parts[1]})
	return parts[0], createdAt, err
}
