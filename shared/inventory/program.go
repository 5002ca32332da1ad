package inventory

import (
	"path"
	"path/filepath"
	"strings"
)

// Program is the program that plans the target, terraform or tofu, and the version that is
// configured for it, as written.
func (t Target) Program() (name, version string) {
	tofu := t.Settings.OpenTofuVersion != ""
	if t.Atmos != nil {
		tofu = strings.HasPrefix(path.Base(filepath.ToSlash(t.Atmos.Command)), "tofu")
	}
	if tofu {
		return "tofu", t.Settings.OpenTofuVersion
	}
	return "terraform", t.Settings.TerraformVersion
}
