package fingerprint

import (
	"context"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/fingerprint/references"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// Reach is where a target's configuration can read files. Paths are relative to the checkout,
// with slashes, and symbolic links are followed.
type Reach struct {
	// Dir is the root module's folder.
	Dir string
	// Folders are that folder, the folders of the local modules that it calls, and the paths
	// of files and folders elsewhere in expressions, whether or not there is something.
	// Folders above the root module's are left out: that would be most of the repository.
	Folders []string
	// Named are all paths in expressions.
	Named []string
}

// FindReach finds where a target's configuration, as it is on disk, can read files.
func FindReach(ctx context.Context, t inventory.Target) (Reach, error) {
	co, err := checkout.Open(t.Root)
	if err != nil {
		return Reach{}, err
	}
	dir, _, err := co.Resolve(t.Dir)
	if err != nil {
		return Reach{}, err
	}
	c, err := Of(ctx, t, "", "")
	if err != nil {
		return Reach{}, err
	}
	r := Reach{Dir: dir, Folders: append([]string{dir}, c.Named...), Named: c.Named}
	for name := range c.Files {
		if references.IsFile(path.Base(name)) && !strings.HasPrefix(name, "(") && !strings.HasPrefix(name, `"`) {
			r.Folders = append(r.Folders, path.Dir(path.Clean(name)))
		}
	}
	r.Folders = slices.DeleteFunc(r.Folders, func(folder string) bool {
		return folder != dir && checkout.IsIn(dir, folder) || !fs.ValidPath(folder)
	})
	slices.Sort(r.Folders)
	r.Folders = slices.Compact(r.Folders)
	return r, nil
}
