package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// mostReasons is how many lines a Change shows of what differs.
const mostReasons = 5

// side is what one checkout has of a target, for comparing.
type side struct {
	dir      string
	sums     map[string]sum
	settings map[string][]string
	err      error // of reading: the rest is what could be read
}

func sideOf(r resolver, read *files, environ []string) side {
	t, err := r.target()
	if err != nil {
		return side{err: err}
	}
	return read.side(t, environ)
}

// side is what the checkout has of a target.
func (f *files) side(t Target, environ []string) side {
	tool, version := "terraform", t.Settings.TerraformVersion
	if t.Settings.OpenTofuVersion != "" {
		tool, version = "tofu", t.Settings.OpenTofuVersion
	}
	found, err := f.of(t)
	if failed := f.addJobFiles(t, environ, found.sums); failed != nil && err == nil {
		err = failed
	}
	return side{dir: t.Dir, sums: found.sums, settings: t.settings(tool, version), err: err}
}

// addJobFiles adds the files that the job's own environment gives to Terraform.
func (f *files) addJobFiles(t Target, environ []string, sums map[string]sum) error {
	m := f.tree()
	for _, name := range t.JobFiles(environ) {
		if err := m.addNamed(name); err != nil && !isMissing(err) {
			return fmt.Errorf("%s: %w", quote(name), err)
		}
	}
	maps.Copy(sums, m.sums)
	return nil
}

// Differs tells whether a target's configuration is another than in the checkout of the
// base, as [Affected] does. environ is the job's own.
func Differs(ctx context.Context, before, now Target, environ []string) (bool, error) {
	var sides [2]side
	for i, t := range []Target{before, now} {
		co, err := openCheckout(t.Root)
		if err != nil {
			return false, err
		}
		var given map[string]bool
		if now.Tracked != nil {
			given = now.Tracked.Given
		}
		read, err := openCompared(ctx, co, given, i == 0)
		if err != nil {
			return false, err
		}
		sides[i] = read.side(t, environ)
	}
	if sides[1].err != nil {
		return false, fmt.Errorf("read the configuration of %s: %w", now, sides[1].err)
	}
	return sides[1].differences(sides[0]) != nil, nil
}

// differences say what differs from before, in a few lines; nil when nothing does.
func (s side) differences(before side) []string {
	now, then := apart(s.sums, before.sums, func(a, b sum) bool { return a == b })
	set, was := apart(s.settings, before.settings, slices.Equal[[]string])
	if len(now)+len(then)+len(set)+len(was) == 0 && fmt.Sprint(s.err) == fmt.Sprint(before.err) {
		return nil
	}
	lines := fingerprint(now, set).Diff(fingerprint(then, was).Files)
	if more := len(lines) - mostReasons; more > 0 {
		lines = append(lines[:mostReasons], fmt.Sprintf("… and %d more", more))
	}
	if len(lines) == 0 || s.err != nil && !errors.Is(s.err, fs.ErrNotExist) { // not read to the end
		return []string{"changed: what can be read of it"}
	}
	return lines
}

func settingsEqual(a, b side) bool {
	onlyA, onlyB := apart(a.settings, b.settings, slices.Equal[[]string])
	return len(onlyA)+len(onlyB) == 0
}

// apart are the entries of two maps that the other does not have.
func apart[V any](a, b map[string]V, same func(a, b V) bool) (onlyA, onlyB map[string]V) {
	onlyA, onlyB = make(map[string]V), make(map[string]V)
	for name, v := range a {
		if other, is := b[name]; !is || !same(v, other) {
			onlyA[name] = v
		}
	}
	for name, v := range b {
		if other, is := a[name]; !is || !same(v, other) {
			onlyB[name] = v
		}
	}
	return onlyA, onlyB
}
