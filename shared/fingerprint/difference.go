package fingerprint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/terraform-gitops/gitops/shared/checkout"
	"github.com/terraform-gitops/gitops/shared/inventory"
	"github.com/terraform-gitops/gitops/shared/problem"
)

// mostReasons is how many lines say what differs.
const mostReasons = 5

// Side is what one of two checkouts has of a target.
type Side struct {
	dir      string
	sums     map[string]sum
	settings map[string][]string
	Err      error // of reading; the other fields have what could be read
}

// Side reads what the checkout has of a target. environ is the job's environment, which may
// give var files to Terraform. more are files and folders that count, too, relative to the
// checkout.
func (f *Files) Side(t inventory.Target, environ []string, more ...string) Side {
	found, err := f.of(t)
	for _, name := range more {
		beyond, failed := f.outside(t.Dir, outwardPath{from: ".", path: name}, t.Dir, t.Atmos != nil)
		maps.Copy(found.sums, beyond.sums)
		err = cmp.Or(err, failed)
	}
	err = cmp.Or(err, f.addJobFiles(t, environ, found.sums))
	return Side{dir: t.Dir, sums: found.sums, settings: configuredSettings(t), Err: err}
}

// Unread is the side of a target whose files can't be read.
func Unread(t inventory.Target, err error) Side {
	return Side{settings: configuredSettings(t), Err: err}
}

// configuredSettings has the version of Terraform as it is configured, which may be a
// constraint.
func configuredSettings(t inventory.Target) map[string][]string {
	name, version := t.Program()
	return settingsOf(t, name, version)
}

// addJobFiles adds the files that the job's environment gives to Terraform.
func (f *Files) addJobFiles(t inventory.Target, environ []string, sums map[string]sum) error {
	m := f.count()
	for _, name := range JobFiles(t, environ) {
		if err := m.addNamed(name); err != nil && !checkout.IsMissing(err) {
			return fmt.Errorf("%s: %w", problem.Quote(name), err)
		}
	}
	maps.Copy(sums, m.sums)
	return nil
}

// Differs tells whether a target's configuration is another one than before, in the checkout
// of the base. environ is the job's environment.
func Differs(ctx context.Context, before, now inventory.Target, environ []string) (bool, error) {
	var sides [2]Side
	for i, t := range []inventory.Target{before, now} {
		co, err := checkout.Open(t.Root)
		if err != nil {
			return false, err
		}
		read, err := OpenCompared(ctx, co, i == 0, environ)
		if err != nil {
			return false, err
		}
		sides[i] = read.Side(t, environ)
	}
	if sides[1].Err != nil {
		return false, fmt.Errorf("read the configuration of %s: %w", now, sides[1].Err)
	}
	return sides[1].Differences(sides[0]) != nil, nil
}

// Differences says what differs from the side before, in a few lines; nil if nothing does.
func (s Side) Differences(before Side) []string {
	now, then := apart(s.sums, before.sums, func(a, b sum) bool { return a == b })
	set, was := apart(s.settings, before.settings, slices.Equal[[]string])
	if len(now)+len(then)+len(set)+len(was) == 0 && fmt.Sprint(s.Err) == fmt.Sprint(before.Err) {
		return nil
	}
	lines := fingerprint(now, set).Diff(fingerprint(then, was).Files)
	if more := len(lines) - mostReasons; more > 0 {
		lines = append(lines[:mostReasons], fmt.Sprintf("… and %d more", more))
	}
	if len(lines) == 0 || s.Err != nil && !errors.Is(s.Err, fs.ErrNotExist) { // not read to the end
		return []string{"changed: what can be read of it"}
	}
	return lines
}

func settingsEqual(a, b Side) bool {
	onlyA, onlyB := apart(a.settings, b.settings, slices.Equal[[]string])
	return len(onlyA)+len(onlyB) == 0
}

// apart returns the entries of each map that the other one does not have.
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
