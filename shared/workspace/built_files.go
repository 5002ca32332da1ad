package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/builtfiles"
	"github.com/terraform-gitops/gitops/shared/fingerprint"
	"github.com/terraform-gitops/gitops/shared/repository"
	"github.com/terraform-gitops/gitops/shared/retry"
)

// Building watches which files planning makes.
type Building struct {
	workspace *Workspace
	reach     fingerprint.Reach
	watch     *builtfiles.Watch
}

// Built are the files that travel with a plan.
type Built struct {
	Files   []builtfiles.File
	Archive string // path of the archive with these files; empty if there are none
	// Unmatched are the patterns of plan-files that no file fits.
	Unmatched []string
}

// WatchFiles notes which files there are before the target is planned.
func (w *Workspace) WatchFiles(ctx context.Context) (*Building, error) {
	rules, reach, err := w.fileRules(ctx)
	if err != nil {
		// Ignore the error. Terraform reports a faulty configuration better, and Atmos may write
		// the configuration only in its own init. Until then only the root module's folder is known.
		rules, reach, err = w.folderRules(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the files of %s: %w", w.Target, err)
	}
	watch, err := builtfiles.Look(rules)
	if err != nil {
		return nil, fmt.Errorf("look at the files of %s: %w", w.Target, err)
	}
	return &Building{w, reach, watch}, nil
}

// packing says how often files that changed while they were packed are packed again. Other
// targets that are planned in the same folder may be writing files there.
var packing = retry.Policy{Tries: 5, Wait: time.Second}

// Pack chooses the files that travel with the plan that was made since WatchFiles, and packs
// them. state is the path of the state file if it is in the checkout: it is never packed.
func (b *Building) Pack(ctx context.Context, state string) (built Built, err error) {
	if state != "" {
		dir, base := path.Split(state)
		b.watch.Leave(state, state+".backup", path.Join(dir, "."+base+".lock.info"))
	}
	err = packing.Do(ctx, func() (again bool, err error) {
		built, err = b.pack()
		return errors.Is(err, builtfiles.ErrChanging) || errors.Is(err, fs.ErrNotExist), err
	})
	return built, err
}

func (b *Building) pack() (built Built, err error) {
	w := b.workspace
	chosen, err := b.watch.Choose(w.planFiles(b.reach.Dir), func(name string) bool {
		_, named := slices.BinarySearch(b.reach.Named, name)
		return named
	})
	if err != nil {
		return Built{}, err
	}
	built = Built{Files: chosen.Files, Unmatched: chosen.Unmatched}
	if len(built.Files) == 0 {
		return built, nil
	}
	root, err := filepath.EvalSymlinks(w.Target.Root)
	if err != nil {
		return Built{}, err
	}
	built.Archive = filepath.Join(w.Dir, "plan-files.tar.gz")
	return built, builtfiles.Pack(built.Archive, root, built.Files)
}

// PlaceFiles unpacks an archive that was stored with a plan into the checkout. Closing the
// result removes the files again. Init must have run.
func (w *Workspace) PlaceFiles(ctx context.Context, archive string) (*builtfiles.Placed, error) {
	rules, _, err := w.fileRules(ctx)
	if err != nil {
		return nil, err
	}
	return builtfiles.Place(archive, w.Dir, rules)
}

// planFiles returns the target's plan-files patterns, with symbolic links in the path of the
// root module's folder resolved.
func (w *Workspace) planFiles(dir string) []string {
	var patterns []string
	for _, pattern := range w.Target.PlanFiles {
		glob, out := strings.CutPrefix(pattern, "!")
		if rest, below := strings.CutPrefix(glob, w.Target.Dir+"/"); below && w.Target.Dir != "." {
			glob = path.Join(dir, rest)
		}
		if out {
			glob = "!" + glob
		}
		patterns = append(patterns, glob)
	}
	return patterns
}

// fileRules returns the rules for files that travel with a plan. They follow from the
// configuration that is on disk.
func (w *Workspace) fileRules(ctx context.Context) (builtfiles.Rules, fingerprint.Reach, error) {
	reach, err := fingerprint.FindReach(ctx, w.Target)
	if err != nil {
		return builtfiles.Rules{}, reach, err
	}
	rules, err := w.rulesFor(ctx, reach)
	return rules, reach, err
}

// folderRules is fileRules for a configuration that can't be read: only its folder is known.
func (w *Workspace) folderRules(ctx context.Context) (builtfiles.Rules, fingerprint.Reach, error) {
	reach := fingerprint.Reach{Dir: w.Target.Dir, Folders: []string{w.Target.Dir}}
	rules, err := w.rulesFor(ctx, reach)
	return rules, reach, err
}

func (w *Workspace) rulesFor(ctx context.Context, reach fingerprint.Reach) (rules builtfiles.Rules, err error) {
	rules = builtfiles.Rules{Dir: reach.Dir, Folders: reach.Folders}
	if rules.Root, err = filepath.EvalSymlinks(w.Target.Root); err != nil {
		return rules, err
	}
	if rules.Tracked, err = w.Target.TrackedFiles(ctx); err != nil {
		return rules, err
	}
	if w.Target.Atmos != nil {
		rules.Generated = fingerprint.IsGenerated
	}
	for _, own := range []string{
		w.storageFolder(), w.Context.TempDir, w.Context.ToolCache,
		w.terraformVariable("TF_PLUGIN_CACHE_DIR"), w.terraformVariable("TF_LOG_PATH"), // may be relative to the root module's folder
	} {
		if own == "" {
			continue
		}
		if !filepath.IsAbs(own) {
			own = filepath.Join(w.inRoot(w.Target.Dir), own)
		}
		if name, err := filepath.Rel(rules.Root, resolved(own)); err == nil && filepath.IsLocal(name) && name != "." {
			rules.Own = append(rules.Own, filepath.ToSlash(name))
		}
	}
	return rules, nil
}

// storageFolder returns the folder that holds the plan store. It is empty if the store is on AWS.
func (w *Workspace) storageFolder() string {
	if w.Settings.StorageURL == "" {
		return ""
	}
	return repository.StoreFolder(w.Settings.StorageURL, w.Context.Workspace)
}
