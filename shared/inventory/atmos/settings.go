package atmos

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/terraform-gitops/gitops/shared/inventory"
)

// gitops are the settings of the actions. Atmos has merged a stack's settings over those in
// atmos.yaml.
type gitops struct {
	TerraformVersion scalar                      `json:"terraform-version"`
	OpenTofuVersion  scalar                      `json:"opentofu-version"`
	Audience         scalar                      `json:"audience"`
	ArtifactStorage  artifactStorage             `json:"artifact-storage"`
	Storage          artifactStorage             `json:"storage"` // the older name, which the public actions' v2 had
	Role             planApply                   `json:"role"`
	Environment      scalar                      `json:"environment"`
	Google           planApplyOf[googleIdentity] `json:"google"`
	Azure            planApplyOf[azureIdentity]  `json:"azure"`
	PlanFiles        []scalar                    `json:"plan-files"`
	Drift            struct {
		Ignore ignoreList `json:"ignore"`
	} `json:"drift"`
	Destroy   bool      `json:"destroy"`
	Policy    policy    `json:"policy"`
	Approvals approvals `json:"approvals"`
}

type artifactStorage struct {
	Region scalar       `json:"region"`
	Bucket scalar       `json:"bucket"`
	Table  scalar       `json:"table"`
	URL    scalar       `json:"url"`
	Role   storageRoles `json:"role"`
}

// artifactStorage returns the settings of the plan store, and what to change about the key that they have.
func (g gitops) artifactStorage() (s artifactStorage, outdated string) {
	none := artifactStorage{}
	if g.ArtifactStorage != none || g.Storage == none {
		return g.ArtifactStorage, ""
	}
	return g.Storage, "The plan store's settings are read from integrations.github.gitops.storage, an older name: rename the key to artifact-storage."
}

type planApplyOf[T any] struct {
	Plan  T `json:"plan"`
	Apply T `json:"apply"`
}

type googleIdentity struct {
	WorkloadIdentityProvider scalar `json:"workload-identity-provider"`
	ServiceAccount           scalar `json:"service-account"`
}

type azureIdentity struct {
	ClientID       scalar `json:"client-id"`
	TenantID       scalar `json:"tenant-id"`
	SubscriptionID scalar `json:"subscription-id"`
}

func clouds(g googleIdentity, a azureIdentity) inventory.Clouds {
	return inventory.Clouds{
		Google: inventory.Google{WorkloadIdentityProvider: string(g.WorkloadIdentityProvider), ServiceAccount: string(g.ServiceAccount)},
		Azure:  inventory.Azure{ClientID: string(a.ClientID), TenantID: string(a.TenantID), SubscriptionID: string(a.SubscriptionID)},
	}
}

// check refuses identities with which no provider can sign in.
func (g gitops) check() error {
	s := g.settings()
	for action, clouds := range map[string]inventory.Clouds{"plan": s.PlanClouds, "apply": s.ApplyClouds} {
		for key, value := range map[string]string{
			"workload-identity-provider": clouds.Google.WorkloadIdentityProvider, "service-account": clouds.Google.ServiceAccount,
			"client-id": clouds.Azure.ClientID, "tenant-id": clouds.Azure.TenantID, "subscription-id": clouds.Azure.SubscriptionID,
		} {
			if err := inventory.CheckCloudSetting(key, value); err != nil {
				return fmt.Errorf("settings.integrations.github.gitops: the %s %q to %s with can't be used: %w", key, value, action, err)
			}
		}
		if err := clouds.Check(); err != nil {
			return fmt.Errorf("settings.integrations.github.gitops: the identity to %s with can't be used: %w", action, err)
		}
	}
	return g.checkPolicy()
}

// planFiles are the patterns of plan-files for a component in the folder dir.
func (g gitops) planFiles(dir string) (patterns []string, err error) {
	for _, p := range g.PlanFiles {
		out, glob := inventory.SplitPlanFile(string(p))
		name := path.Join(dir, glob)
		if rooted, is := strings.CutPrefix(glob, "/"); is {
			name = path.Clean(rooted)
		}
		if !fs.ValidPath(name) || !doublestar.ValidatePattern(name) {
			return nil, fmt.Errorf("settings.integrations.github.gitops.plan-files: %q is not a valid pattern for files in this repository", string(p))
		}
		patterns = append(patterns, out+name)
	}
	return patterns, nil
}

func (g gitops) settings() inventory.Settings {
	storage, outdated := g.artifactStorage()
	return inventory.Settings{
		TerraformVersion: string(g.TerraformVersion), OpenTofuVersion: string(g.OpenTofuVersion),
		Region: string(storage.Region), Bucket: string(storage.Bucket), Table: string(storage.Table), StorageURL: string(storage.URL),
		PlanStorageRole: string(storage.Role.Plan), ApplyStorageRole: string(storage.Role.Apply), DriftStorageRole: string(storage.Role.Drift),
		PlanRole: string(g.Role.Plan), ApplyRole: string(g.Role.Apply), Audience: string(g.Audience),
		PlanClouds: clouds(g.Google.Plan, g.Azure.Plan), ApplyClouds: clouds(g.Google.Apply, g.Azure.Apply), Environment: string(g.Environment),
		Policy: g.policy(), Approvals: g.approvals(),
		Outdated: outdated,
	}
}

type planApply struct {
	Plan  scalar `json:"plan"`
	Apply scalar `json:"apply"`
}

// storageRoles is one role for all actions, or one for each.
type storageRoles struct {
	planApply
	Drift scalar `json:"drift"`
}

func (r *storageRoles) UnmarshalJSON(content []byte) error {
	var one scalar
	if json.Unmarshal(content, &one) == nil {
		*r = storageRoles{planApply{Plan: one, Apply: one}, one}
		return nil
	}
	type each storageRoles // without this method
	if err := json.Unmarshal(content, (*each)(r)); err != nil {
		return errors.New("write one ARN, or plan, apply and drift with one each")
	}
	return nil
}

// scalar is a text, or a number that is meant as a text, such as 1.11.
type scalar string

func (s *scalar) UnmarshalJSON(content []byte) error {
	var text string
	var number json.Number
	switch {
	case string(content) == "null":
		return nil
	case json.Unmarshal(content, &text) == nil:
		*s = scalar(text)
	case json.Unmarshal(content, &number) == nil:
		*s = scalar(number)
	default:
		return fmt.Errorf("write a text instead of %s", content)
	}
	return nil
}
