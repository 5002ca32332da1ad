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

// Reach is where a target's configuration can read files, relative to the checkout's root,
// slash-separated, with links followed.
type Reach struct {
	// Dir is the root module's folder.
	Dir string
	// Folders are that folder, those of the local modules that it calls, and the files and
	// folders outside of these that an expression has a path to, whether there is something
	// or not. Folders above the root module's are left out: they would be most of the
	// repository.
	Folders []string
	// Named are all paths that an expression has.
	Named []string
}

// FindReach finds where the configuration, as it is on disk, can read files.
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
