package atmos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

// ignoreList is a list of mappings from patterns of addresses to lists of paths, or one such
// mapping. Atmos merges mappings of several levels, and replaces lists.
type ignoreList []map[string][]scalar

func (l *ignoreList) UnmarshalJSON(content []byte) error {
	var one map[string][]scalar
	if json.Unmarshal(content, &one) == nil {
		*l = ignoreList{one}
		return nil
	}
	var list []map[string][]scalar
	switch err := json.Unmarshal(content, &list); {
	case err != nil && bytes.Contains(content, []byte("{{")):
		return err // a template, perhaps: see description.UnmarshalJSON
	case err != nil:
		return errors.New("drift.ignore: write a list of `ADDRESS: [ATTRIBUTE, ...]`, such as `aws_iam_role.*: [inline_policy]`")
	}
	*l = list
	return nil
}

// driftIgnore are the rules of drift.ignore.
func (g gitops) driftIgnore() ([]ignore.Rule, error) {
	const key = "settings.integrations.github.gitops.drift.ignore"
	var all []ignore.Rule
	for _, entry := range g.Drift.Ignore {
		for _, pattern := range slices.Sorted(maps.Keys(entry)) {
			address, err := ignore.ParseAddress(pattern)
			if err != nil {
				return nil, fmt.Errorf("%s: %q: %w", key, pattern, err)
			}
			if len(entry[pattern]) == 0 {
				return nil, fmt.Errorf("%s: %q must name an attribute, or ** for all attributes", key, pattern)
			}
			for _, p := range entry[pattern] {
				path, err := ignore.ParsePath(string(p))
				if err != nil {
					return nil, fmt.Errorf("%s: %q: %q: %w", key, pattern, string(p), err)
				}
				all = append(all, ignore.Rule{Address: address, Path: path})
			}
		}
	}
	rules, err := ignore.Distinct(all)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	return rules, nil
}
