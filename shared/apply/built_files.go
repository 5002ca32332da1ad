package apply

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/terraform-gitops/gitops/shared/planstore"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// placeFiles puts the files that were built for the plan into the checkout, until removeFiles. It
// comes after init, so that the files can't influence init.
func (w *Work) placeFiles(ctx context.Context) error {
	record := w.stored.Record
	if record.BuiltDigest == "" {
		return nil
	}
	archive := filepath.Join(w.Workspace.Dir, "plan-files.tar.gz")
	err := w.store.FetchFiles(ctx, record, archive)
	if errors.Is(err, planstore.ErrDigestMismatch) {
		return w.Refuse(err, w.advice().tampered)
	}
	if err != nil {
		return err
	}
	w.placed, err = w.Workspace.PlaceFiles(ctx, archive)
	if problem.CodeOf(err) == problem.PlanFiles {
		return w.Refuse(err, w.advice().built)
	}
	if err != nil {
		return fmt.Errorf("put the files that were built for the plan of %s in place: %w", w.Workspace.Target, err)
	}
	w.outcome.Built = w.placed.Files
	if replaced := w.placed.Replaced; len(replaced) > 0 {
		w.note(fmt.Sprintf("This job had made other files with these names: %s. The files of the plan were used.", shortList(replaced)))
	}
	return nil
}

// placeAgain restores the reviewed plan's files, which a new plan may have changed.
func (w *Work) placeAgain() error {
	if w.placed == nil {
		return nil
	}
	changed, err := w.placed.Again()
	if err != nil {
		return fmt.Errorf("put the files that were built for the plan of %s back in place: %w", w.Workspace.Target, err)
	}
	if len(changed) > 0 {
		w.note(fmt.Sprintf("The new plan made these files differently: %s. The files of the reviewed plan were used.", shortList(changed)))
	}
	return nil
}

// removeFiles undoes placeFiles, whether the apply succeeded or not.
func (w *Work) removeFiles() error {
	if w.placed == nil {
		return nil
	}
	if err := w.placed.Close(); err != nil {
		return fmt.Errorf("remove the files that were built for the plan of %s: %w", w.Workspace.Target, err)
	}
	return nil
}

// shortList returns the first few of many names.
func shortList(names []string) string {
	const most = 5
	list := strings.Join(names[:min(most, len(names))], ", ")
	if more := len(names) - most; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list
}
